"""Whether the conversation that a call sends gets longer with every round of an agent's loop around it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from promptslim.core.lazy_pattern import pattern
from promptslim.core.text import Location
from promptslim.extract.python.module import Module

CONVERSATION = pattern(r"messag|msg|histor|conversation|turns?\b|chat|dialog|transcript|contents|memory", re.IGNORECASE)
"""Names under which programs keep a conversation."""

RUNS_TOOLS = pattern(
    r"tool_?use|tool_?result|toolUse|toolResult|tool_?calls?\b|(?:run|call|execute|invoke|handle|process)_tool"
)
"""What code mentions that runs the tools a model asks for and sends the results back."""

ADDERS = pattern(r"^_?(?:add|append|push|extend|record)(?:_|$)")
"""Names of functions that put something into what they are given."""

MOST_STEPS = 4
"""Assignments followed from the call back to the list that it sends."""


def growth(module: Module, loop: ast.AST, call: ast.Call) -> Location | None:
    """The first place in a loop that runs tools where the list that the call sends gets longer; None where there is
    none, or where it is the answer to a failure, after which the same task is tried again."""
    function = module.enclosing_function(call)
    around = [loop] if function is None else [loop, function]
    if not any(RUNS_TOOLS.search(module.source(node)) for node in around):
        return None
    sent = _read(module, call)
    for node in sorted(_nodes(module, loop, call), key=lambda n: (n.lineno, n.col_offset)):
        for grown in _grown(node):
            text = module.source(grown)
            if text in sent and CONVERSATION.search(text) and not _after_failure(module, node):
                return module.locate(node)
    return None


def _nodes(module: Module, loop: ast.AST, call: ast.Call) -> Iterator[ast.Call | ast.AugAssign | ast.Assign]:
    """Calls and assignments of a loop, and of the function of the call where the loop runs that."""
    bodies = [loop]
    function = module.enclosing_function(call)
    if function is not None and not any(parent is loop for parent in module.above(call)):
        bodies.append(function)
    for body in bodies:
        for node in ast.walk(body):
            if isinstance(node, (ast.Call, ast.AugAssign, ast.Assign)) and node is not call:
                yield node


def _grown(node: ast.Call | ast.AugAssign | ast.Assign) -> Iterator[ast.expr]:
    """What a node makes longer."""
    match node:
        case ast.Call(func=ast.Attribute(attr="append" | "extend" | "insert", value=of)):
            yield of
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)) if ADDERS.search(name):
            yield from (argument for argument in node.args if isinstance(argument, (ast.Name, ast.Attribute)))
        case ast.AugAssign(target=target, op=ast.Add()):
            yield target
        case ast.Assign(targets=[target], value=ast.BinOp(op=ast.Add(), left=left)) if _same(target, left):
            yield target
        case ast.Assign(targets=[target], value=ast.List(elts=[ast.Starred(value=first), *_])) if _same(target, first):
            yield target
        case _:
            return


def _after_failure(module: Module, node: ast.AST) -> bool:
    return any(isinstance(parent, ast.ExceptHandler) for parent in module.above(node))


def _same(left: ast.expr, right: ast.expr) -> bool:
    return ast.unparse(left) == ast.unparse(right)


def _read(module: Module, call: ast.Call) -> set[str]:
    """Source texts of the names and attributes that a call reads, itself or through local assignments."""
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    return {
        node.id if isinstance(node, ast.Name) else module.source(node)
        for expression in reached(module, call, given)
        for node in ast.walk(expression)
        if isinstance(node, (ast.Name, ast.Attribute, ast.Subscript))
    }


def reached(module: Module, call: ast.Call, expressions: list[ast.expr]) -> list[ast.expr]:
    """The given expressions of a call with those that the names in them are bound to in the same function."""
    assigned = _assigned(module, module.enclosing_function(call))
    found = list(expressions)
    seen: set[str] = set()
    frontier = _names(expressions)
    for _ in range(MOST_STEPS):
        seen |= frontier
        values = [value for name in sorted(frontier) for value in assigned.get(name, ())]
        found += values
        frontier = _names(values) - seen
    return found


@lru_cache(maxsize=128)
def _assigned(module: Module, function: ast.AST | None) -> dict[str, list[ast.expr]]:
    """What each name is bound to in a function (in the module where it is None), or set into by subscript."""
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(function if function is not None else module.tree):
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                while isinstance(target, ast.Subscript):
                    target = target.value
                if isinstance(target, ast.Name):
                    found.setdefault(target.id, []).append(node.value)
    return found


def _names(expressions: Iterable[ast.expr]) -> set[str]:
    return {node.id for expression in expressions for node in ast.walk(expression) if isinstance(node, ast.Name)}
