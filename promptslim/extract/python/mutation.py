"""Objects changed in place: subscript assignment, ``update``, ``append``, and objects handed to helpers."""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

from promptslim.core.prompt import Transform
from promptslim.core.record import replace
from promptslim.extract.python.abstract import (
    UNKNOWN,
    Class,
    Const,
    Entry,
    External,
    Function,
    Member,
    Opaque,
    Record,
    Sequence,
    Text,
    Union,
    Value,
    alternatives,
    union,
)
from promptslim.extract.python.frames import last_name
from promptslim.extract.python.operations import keywords
from promptslim.extract.python.orders import order_around, order_of, seeded
from promptslim.extract.python.records import spread
from promptslim.extract.python.scopes import MUTATORS, FunctionNode, Mutate
from promptslim.extract.python.texts import concatenate

if TYPE_CHECKING:
    from promptslim.extract.python.evaluate import Evaluator
    from promptslim.extract.python.frames import Frame

Change = Callable[[Value], Value]
Steps = list[str | int | None]

GROWS = frozenset({"append", "extend", "insert"})
SHUFFLES = frozenset({"random.shuffle", "numpy.random.shuffle"})

MOST_LEVELS = 4
"""Levels of a nested request that are told apart once a function may have changed it."""


def mutated(evaluator: Evaluator, value: Value, state: Mutate, frame: Frame) -> Value:
    """The value of a name after the change that ``state`` records."""
    node = state.node
    match node:
        case ast.Assign():
            for target in node.targets:
                steps = _steps(evaluator, target, state.name, frame)
                if steps is not None:
                    new = evaluator.evaluate(node.value, frame)
                    place = frame.module.locate(target)
                    value = changed(value, steps[:-1], _setter(steps[-1], new, place))
            return value
        case ast.AugAssign():
            steps = _steps(evaluator, node.target, state.name, frame)
            if steps is not None:
                added = evaluator.evaluate(node.value, frame)
                value = changed(value, steps, lambda old: concatenate(old, added))
            return value
        case ast.Delete():
            for target in node.targets:
                steps = _steps(evaluator, target, state.name, frame)
                if steps and isinstance(steps[-1], str):
                    value = changed(value, steps[:-1], _without(steps[-1]))
            return value
        case ast.Call():
            return _called(evaluator, value, node, state.name, frame)
        case _:
            return value


def _steps(evaluator: Evaluator, target: ast.expr, name: str, frame: Frame) -> Steps | None:
    """The keys that lead from the named object to the changed place; None for attributes of objects."""
    steps: Steps = []
    while not (isinstance(target, ast.Name) and target.id == name):
        if not isinstance(target, ast.Subscript):
            return None
        key = evaluator.evaluate(target.slice, frame)
        if isinstance(key, Text):
            steps.append(key.exact)
        elif isinstance(key, Const) and isinstance(key.value, int):
            steps.append(key.value)
        else:
            steps.append(None)
        target = target.value
    steps.reverse()
    return steps or None


def changed(value: Value, steps: Steps, change: Change) -> Value:
    """``value`` with ``change`` applied at the place that ``steps`` lead to."""
    if isinstance(value, Union):
        return union([(c, changed(v, steps, change)) for c, v in value.cases])
    if not steps:
        return change(value)
    step, rest = steps[0], steps[1:]
    match value:
        case Record() if isinstance(step, str):
            entry = value.entry(step)
            inner = changed(entry.value if entry is not None else Record(open="set elsewhere"), rest, change)
            return value.with_entry(Entry(step, inner, entry.location if entry else None))
        case Record():
            return replace(value, open=value.open or "a computed key")
        case Sequence(items=items) if isinstance(step, int) and -len(items) <= step < len(items):
            index = step % len(items)
            return replace(value, items=(*items[:index], changed(items[index], rest, change), *items[index + 1 :]))
        case Sequence(items=items):
            return replace(
                value, items=tuple(union([(None, i), (None, changed(i, rest, change))]) for i in items), open=True
            )
        case _:
            return value


def _setter(step: str | int | None, new: Value, place: object) -> Change:
    def change(old: Value) -> Value:
        if isinstance(old, Record):
            if isinstance(step, str):
                return old.with_entry(Entry(step, new, place))  # type: ignore[arg-type]
            return replace(old, open=old.open or "a computed key")
        if isinstance(old, Sequence) and isinstance(step, int) and -len(old.items) <= step < len(old.items):
            index = step % len(old.items)
            return replace(old, items=(*old.items[:index], new, *old.items[index + 1 :]))
        return old

    return change


def _without(key: str) -> Change:
    def change(old: Value) -> Value:
        if isinstance(old, Record):
            return replace(old, entries=tuple(e for e in old.entries if e.key != key))
        return old

    return change


def _called(evaluator: Evaluator, value: Value, node: ast.Call, name: str, frame: Frame) -> Value:
    function = node.func
    if isinstance(function, ast.Attribute) and function.attr in MUTATORS and _rooted(function.value, name):
        steps = _steps(evaluator, function.value, name, frame)
        if isinstance(function.value, ast.Name):
            steps = []
        if steps is None:
            return value
        order = order_around(evaluator, node, frame, name) if function.attr in GROWS else None
        return changed(value, steps, lambda old: _ordered(_method(evaluator, old, function.attr, node, frame), order))
    return _handed_over(evaluator, value, node, name, frame)


def _ordered(value: Value, order: Transform | None) -> Value:
    return replace(value, order=order) if order is not None and isinstance(value, Sequence) else value


def _rooted(node: ast.expr, name: str) -> bool:
    while isinstance(node, (ast.Subscript, ast.Attribute)):
        node = node.value
    return isinstance(node, ast.Name) and node.id == name


def _method(evaluator: Evaluator, old: Value, method: str, node: ast.Call, frame: Frame) -> Value:
    arguments = [evaluator.evaluate(a, frame) for a in node.args]
    match old:
        case Record():
            match method:
                case "update":
                    result: Value = old
                    for argument in arguments:
                        result = spread(result, argument, "update(...)") if isinstance(result, Record) else result
                    extra = keywords(evaluator, node, frame)
                    return spread(result, extra, "update(...)") if isinstance(result, Record) else result
                case "setdefault" if arguments and isinstance(arguments[0], Text) and arguments[0].exact is not None:
                    key = arguments[0].exact
                    if old.entry(key) is None and len(arguments) > 1:
                        maybe = old.open is not None
                        return old.with_entry(Entry(key, arguments[1], frame.module.locate(node), maybe))
                    return old
                case "pop" if arguments and isinstance(arguments[0], Text) and arguments[0].exact is not None:
                    return _without(arguments[0].exact)(old)
                case "clear":
                    return replace(old, entries=(), open=None)
                case _:
                    return replace(old, open=old.open or method)
        case Sequence():
            match method:
                case "append" if arguments:
                    return replace(old, items=(*old.items, arguments[0]))
                case "extend" if arguments:
                    added = arguments[0]
                    if isinstance(added, Sequence):
                        order = old.order or order_of(added, frame.module.locate(node.args[0]))
                        opened = old.open or added.open
                        return replace(old, items=old.items + added.items, open=opened, order=order)
                    return replace(old, items=(*old.items, added if isinstance(added, Opaque) else UNKNOWN), open=True)
                case "insert" if (
                    len(arguments) == 2 and isinstance(arguments[0], Const) and isinstance(arguments[0].value, int)
                ):
                    index = arguments[0].value
                    return replace(old, items=(*old.items[:index], arguments[1], *old.items[index:]))
                case "sort":
                    return replace(old, open=True, order=None)
                case _:
                    return replace(old, open=True)
        case _:
            return old


def _handed_over(evaluator: Evaluator, value: Value, node: ast.Call, name: str, frame: Frame) -> Value:
    """The object is an argument of a call: it may be changed there."""
    if not isinstance(value, (Record, Sequence, Union, Opaque)):
        return value
    if isinstance(value, Opaque) and last_name(node.func) != "shuffle":
        return value
    callee = evaluator.evaluate(node.func, frame)
    for _, member in alternatives(callee):
        match member:
            case External(name=shuffle) if shuffle in SHUFFLES and not seeded(frame.module):
                return _shuffled(value, Transform("random order", frame.module.locate(node)))
            case _ if isinstance(value, Opaque):
                continue
            case External() | Class():
                continue  # libraries and constructors are taken to leave their arguments alone
            case Member():
                continue
            case Function(node=function):
                parameter = _parameter_for(function, node, name)
                if parameter is None or changes_parameter(function, parameter):
                    return _opened(value, f"changed by {getattr(function, 'name', 'a function')}")
            case _:
                return _opened(value, "passed to a function that is not visible")
    return value


def _shuffled(value: Value, order: Transform) -> Value:
    match value:
        case Sequence():
            return replace(value, order=order)
        case Opaque():
            return replace(value, transforms=(*value.transforms, order))
        case _:
            return value


def _opened(value: Value, why: str, depth: int = 0) -> Value:
    if depth > MOST_LEVELS and isinstance(value, (Record, Sequence, Union)):
        return Opaque(expression=why)
    match value:
        case Record():
            entries = tuple(replace(e, value=_opened(e.value, why, depth + 1)) for e in value.entries)
            return replace(value, entries=entries, open=value.open or why)
        case Sequence():
            return replace(value, items=tuple(_opened(item, why, depth + 1) for item in value.items), open=True)
        case Union():
            return union([(c, _opened(v, why, depth)) for c, v in value.cases])
        case _:
            return value


def _parameter_for(function: FunctionNode, node: ast.Call, name: str) -> str | None:
    for keyword in node.keywords:
        if keyword.arg is not None and isinstance(keyword.value, ast.Name) and keyword.value.id == name:
            return keyword.arg
    positional = [a.arg for a in (*function.args.posonlyargs, *function.args.args)]
    if positional and positional[0] in ("self", "cls"):
        positional = positional[1:]
    for index, argument in enumerate(node.args):
        if isinstance(argument, ast.Name) and argument.id == name and index < len(positional):
            return positional[index]
    return None


@lru_cache(maxsize=4096)
def changes_parameter(function: FunctionNode, parameter: str) -> bool:
    """True where the body of a function may change the object that a parameter holds."""
    aliases = {parameter}
    for node in ast.walk(function):
        match node:
            case ast.For(target=ast.Name(id=alias), iter=iterated) if any(_rooted_in(iterated, a) for a in aliases):
                aliases.add(alias)
            case ast.Assign(targets=[ast.Name(id=alias)], value=ast.Subscript() | ast.Name() as source) if any(
                _rooted(source, a) for a in aliases
            ):
                aliases.add(alias)
            case _:
                pass
    for node in ast.walk(function):
        match node:
            case ast.Subscript(ctx=ast.Store() | ast.Del()) | ast.Attribute(ctx=ast.Store()):
                if any(_rooted(node, alias) for alias in aliases):
                    return True
            case ast.Call(func=ast.Attribute(attr=attr, value=of)) if attr in MUTATORS:
                if any(_rooted(of, alias) for alias in aliases):
                    return True
            case _:
                pass
    return False


def _rooted_in(node: ast.expr, name: str) -> bool:
    return any(isinstance(child, ast.Name) and child.id == name for child in ast.walk(node))
