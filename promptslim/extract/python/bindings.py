"""The value that a binding gives to its name: assignment, loop, import, definition, parameter."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from promptslim.core.prompt import Origin, Transform
from promptslim.core.record import replace
from promptslim.extract.python.abstract import (
    Class,
    Const,
    FilePath,
    Function,
    Opaque,
    Record,
    Sequence,
    Text,
    Union,
    Value,
    union,
)
from promptslim.extract.python.expressions import computed
from promptslim.extract.python.frames import Frame
from promptslim.extract.python.names import imported_module, imported_name
from promptslim.extract.python.orders import SET_OPERATORS, order_around, with_order
from promptslim.extract.python.parameters import parameter, typed
from promptslim.extract.python.records import spread
from promptslim.extract.python.scopes import UNBOUND, Bind
from promptslim.extract.python.texts import accumulated, chosen, concatenate, derived, subscript, taken_from

if TYPE_CHECKING:
    from promptslim.extract.python.evaluate import Evaluator


def bound(evaluator: Evaluator, state: Bind, frame: Frame, name: str) -> Value:
    """The value that a name has right after a binding."""
    module = frame.module
    match state.how:
        case "assign" if state.value is not None:
            return _assigned(evaluator, state, frame)
        case "item" if state.value is not None:
            value = evaluator.evaluate(state.value, frame)
            for step in state.path:
                value = subscript(value, step if isinstance(step, int) else None, Opaque(expression=name))
            return value
        case "for" if state.value is not None:
            return _element(evaluator, state, frame, name)
        case "with" if state.value is not None:
            return evaluator.evaluate(state.value, frame)
        case "import":
            return imported_module(evaluator, module, state.node)
        case "from":
            return imported_name(evaluator, module, state.node, str(state.path[0]))
        case "def":
            return Function(module, state.node, frame)  # type: ignore[arg-type]
        case "class":
            return Class(module, state.node)  # type: ignore[arg-type]
        case "parameter":
            return parameter(evaluator, state.node, frame)  # type: ignore[arg-type]
        case "augment":
            return _augmented(evaluator, state, frame, name)
        case "for item":
            return _item(evaluator, state, frame, name)
        case "except":
            return Opaque("call", name)
        case _:
            return Opaque(expression=name)


def _assigned(evaluator: Evaluator, state: Bind, frame: Frame) -> Value:
    assert state.value is not None  # noqa: S101
    value = evaluator.evaluate(state.value, frame)
    if isinstance(state.node, ast.AnnAssign) and isinstance(value, Opaque):
        declared = typed(evaluator, state.node.annotation, frame)
        return declared if declared is not None else value
    return value


def _element(evaluator: Evaluator, state: Bind, frame: Frame, name: str) -> Value:
    return _element_of(evaluator.evaluate(state.value, frame), state, frame, name)  # type: ignore[arg-type]


def _element_of(iterated: Value, state: Bind, frame: Frame, name: str) -> Value:
    if isinstance(iterated, Sequence) and not iterated.open and iterated.items:
        return union([(None, item) for item in iterated.items])
    if isinstance(iterated, Sequence) and iterated.open and len(iterated.items) == 1:
        return iterated.items[0]
    return _one_of(iterated, state, frame, name)


KEPT: frozenset[Origin] = frozenset({"document", "retrieval", "history", "clock", "random"})
"""Origins that one of several values keeps; a value of any other is just what the loop is about."""


def _one_of(iterated: Value, state: Bind, frame: Frame, name: str) -> Value:
    """One of the values that a loop goes through."""
    assert state.value is not None  # noqa: S101
    place = frame.module.locate(state.value)
    if isinstance(iterated, FilePath):
        return Opaque("document", name, place, (Transform("item", place),))
    if isinstance(iterated, Union):
        iterated = chosen(iterated)
    if isinstance(iterated, Text):
        iterated = taken_from(iterated, name)
    if isinstance(iterated, Opaque) and iterated.origin in KEPT:
        return derived(iterated, name, place, Transform("item", place))
    transforms = iterated.transforms if isinstance(iterated, Opaque) else ()
    return Opaque("loop", name, place, (*transforms, Transform("item", place)))


def _item(evaluator: Evaluator, state: Bind, frame: Frame, name: str) -> Value:
    """A name of several in a loop (``for number, page in enumerate(pages)``)."""
    assert state.value is not None  # noqa: S101
    node = state.value
    if node is None:
        return Opaque("loop", name)
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "enumerate" and node.args:
        if state.path != (1,):
            return Opaque("loop", name)
        return _element_of(evaluator.evaluate(node.args[0], frame), state, frame, name)
    iterated = evaluator.evaluate(node, frame)
    if isinstance(iterated, Sequence) and not iterated.open and iterated.items and len(state.path) == 1:
        step = state.path[0] if isinstance(state.path[0], int) else None
        return union([(None, subscript(item, step, Opaque("loop", name))) for item in iterated.items])
    return _one_of(iterated, state, frame, name)


def _augmented(evaluator: Evaluator, state: Bind, frame: Frame, name: str) -> Value:
    before = evaluator.state(state.before or UNBOUND, frame, name)
    node = state.node
    added = evaluator.evaluate(state.value, frame)  # type: ignore[arg-type]
    if isinstance(node, ast.AugAssign):
        if isinstance(node.op, ast.Add):
            added = with_order(accumulated(added), order_around(evaluator, node, frame, name))
            return concatenate(before, added, in_place=True)
        if isinstance(node.op, SET_OPERATORS) and isinstance(before, Sequence) and before.kind == "set":
            return replace(before, open=True)
        if isinstance(node.op, ast.BitOr) and isinstance(before, Record):
            return spread(before, added, name)
        if isinstance(before, Const) and isinstance(added, Const):
            return computed(node.op, before, added)
    return Opaque(expression=name)
