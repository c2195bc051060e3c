"""What gives the tools of a call another order or content each time, where their text is not visible: they come from
a set, are shuffled, or are changed while a loop sends them."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from promptslim.core.call import Disorder
from promptslim.extract.python.abstract import Record
from promptslim.extract.python.evaluate import Evaluator
from promptslim.extract.python.frames import Frame
from promptslim.extract.python.lookup import Found, at_path
from promptslim.extract.python.orders import order_of

CHANGES = frozenset({"append", "extend", "insert", "pop", "remove", "discard", "add", "clear", "update"})
"""Methods that change a list or set."""

MOST_STEPS = 6
"""Steps followed from the argument of a call to the lists that decide what is in it."""


def disorder(
    evaluator: Evaluator,
    paths: tuple[str, ...],
    content: Record,
    call: ast.Call,
    frame: Frame,
    loops: list[ast.AST],
) -> tuple[Disorder, ...]:
    """The disorder of the tools that stand in ``content`` at the first of ``paths``; ``loops`` are those around the
    call."""
    found = [*_ordered(evaluator, paths, content, frame), *_changed(call, frame, loops)]
    return tuple(dict.fromkeys(found))


def _ordered(evaluator: Evaluator, paths: tuple[str, ...], content: Record, frame: Frame) -> Iterator[Disorder]:
    for path in paths:
        for _, outcome in at_path(evaluator, content, path, frame):
            if isinstance(outcome, Found) and (order := order_of(outcome.value, outcome.location)) is not None:
                place = order.location or outcome.location
                if place is not None:
                    yield Disorder("set order" if order.kind == "set order" else "random order", place)


def _changed(call: ast.Call, frame: Frame, loops: list[ast.AST]) -> Iterator[Disorder]:
    """Changes, inside a loop that sends tools, of their list or of what decides which of them are in it; lists that
    each round makes anew of the same things do not count."""
    given = [keyword.value for keyword in call.keywords if keyword.arg in ("tools", "toolConfig", "functions")]
    for loop in loops if given else ():
        nodes = [node for node in ast.walk(loop) if node is not loop]
        made = _made(nodes)
        names = {name for expression in given for name in _decides(expression, made)} - made.keys()
        for node in nodes:
            match node:
                case ast.Call(func=ast.Attribute(attr=method, value=ast.Name(id=name))) if method in CHANGES:
                    if name in names:
                        yield Disorder("changed", frame.module.locate(node))
                case ast.AugAssign(target=ast.Name(id=name)) if name in names:
                    yield Disorder("changed", frame.module.locate(node))
                case _:
                    continue


def _made(nodes: list[ast.AST]) -> dict[str, list[ast.expr]]:
    """What names are bound to in a loop."""
    made: dict[str, list[ast.expr]] = {}
    for node in nodes:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        for target in targets:
            if isinstance(target, ast.Name):
                made.setdefault(target.id, []).extend([node.value] if node.value is not None else [])  # type: ignore[attr-defined]
    return made


def _decides(expression: ast.expr, made: dict[str, list[ast.expr]], depth: int = 0) -> Iterator[str]:
    """Names of lists whose items an expression takes over, and of those that its items must or must not be in."""
    inner: list[ast.expr] = []
    match expression:
        case ast.Name(id=name):
            yield name
            inner = made.get(name, [])
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            inner = [element.value for element in elements if isinstance(element, ast.Starred)]
        case ast.Dict(values=values):
            inner = values
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            inner = [left, right]
        case ast.BoolOp(values=values):
            inner = values
        case ast.IfExp(body=body, orelse=otherwise):
            inner = [body, otherwise]
        case ast.Call(func=ast.Name(id="list" | "tuple" | "sorted"), args=[argument, *_]):
            inner = [argument]
        case ast.ListComp(generators=[ast.comprehension(iter=iterated, ifs=tests)]):
            inner = [iterated, *(one for test in tests for one in _members(test))]
        case _:
            return
    for one in inner if depth < MOST_STEPS else ():
        yield from _decides(one, made, depth + 1)


def _members(test: ast.expr) -> Iterator[ast.expr]:
    """What a test asks to hold something: ``allowed`` in ``tool["name"] in allowed``."""
    for node in ast.walk(test):
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], (ast.In, ast.NotIn)):
            yield node.comparators[0]
