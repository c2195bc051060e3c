"""Orders that differ each time: of what is gone through, and of what a loop over it adds up."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from promptslim.core.prompt import Hole, Transform
from promptslim.core.record import replace
from promptslim.core.text import Location
from promptslim.extract.python.abstract import Instance, Opaque, Record, Sequence, Text, Value, alternatives
from promptslim.extract.python.module import Module

if TYPE_CHECKING:
    from promptslim.extract.python.evaluate import Evaluator
    from promptslim.extract.python.frames import Frame

ORDERS = frozenset({"set order", "random order"})

SET_OPERATORS = (ast.BitOr, ast.BitAnd, ast.BitXor, ast.Sub)
SET_METHODS = frozenset({"union", "intersection", "difference", "symmetric_difference", "copy"})
"""Methods of a set that give another one."""

KEEPS_ORDER = {
    "enumerate": 0,
    "reversed": 0,
    "list": 0,
    "tuple": 0,
    "iter": 0,
    "zip": 0,
    "tqdm": 0,
    "map": 1,
    "filter": 1,
}
"""Functions that give one item after the other of their argument at this position, in its order."""


def order_of(value: Value, place: Location | None) -> Transform | None:
    """What changes the order of a value; a set gets its order where it is gone through, which is ``place``."""
    found = [_order_of(member, place) for _, member in alternatives(value)]
    return found[0] if all(one is not None for one in found) else None


def _order_of(value: Value, place: Location | None) -> Transform | None:
    match value:
        case Sequence(kind="set") if value.disorder is not None:
            return Transform("set order", place)
        case Sequence():
            return value.disorder
        case Record(order=order):
            return order
        case Opaque(transforms=transforms):
            kinds = [one.kind for one in transforms]
            at = max((index for index, kind in enumerate(kinds) if kind in ORDERS), default=None)
            return None if at is None or "item" in kinds[at:] else transforms[at]
        case _:
            return None


def order_over(evaluator: Evaluator, iterated: ast.expr, frame: Frame) -> Transform | None:
    """What changes the order in which a loop or comprehension goes through an expression."""
    while isinstance(iterated, ast.Call) and isinstance(iterated.func, ast.Name):
        index = KEEPS_ORDER.get(iterated.func.id)
        if index is None or index >= len(iterated.args):
            break
        iterated = iterated.args[index]
    return order_of(evaluator.evaluate(iterated, frame), frame.module.locate(iterated))


def order_around(evaluator: Evaluator, node: ast.AST, frame: Frame, name: str) -> Transform | None:
    """What changes the order of the rounds in which ``node`` adds something to ``name``."""
    for parent in frame.module.above(node):
        match parent:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() | ast.Module():
                return None
            case ast.For(iter=iterated) | ast.AsyncFor(iter=iterated) if not _mentions(iterated, name):
                order = order_over(evaluator, iterated, frame)
                if order is not None:
                    return order
            case _:
                continue
    return None


def _mentions(expression: ast.expr, name: str) -> bool:
    return any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(expression))


def with_order(value: Value, order: Transform | None) -> Value:
    """A value, one of which each round of a loop adds to a text, as it is after all rounds."""
    if order is None:
        return value
    match value:
        case Opaque(transforms=transforms):
            return replace(value, transforms=tuple(dict.fromkeys((*transforms, order))))
        case Text(parts=parts):
            holes = (
                replace(part, transforms=tuple(dict.fromkeys((*part.transforms, order))))
                if isinstance(part, Hole)
                else part
                for part in parts
            )
            return replace(value, parts=tuple(holes))
        case _:
            return value


def listed(evaluator: Evaluator, made: str, value: Value, node: ast.Call, frame: Frame) -> Value:
    """What ``list``, ``set``, ``sorted`` and the like make of their argument."""
    place = frame.module.locate(node)
    match value:
        case Sequence() if made in ("set", "frozenset"):
            return replace(value, kind="set", location=place, order=None)
        case _ if made in ("set", "frozenset"):
            return Sequence((), True, "set", place)
        case Sequence() if made == "sorted":
            return replace(value, kind="list", order=None)
        case Sequence():
            return replace(value, kind="list", order=order_of(value, frame.module.locate(node.args[0])))
        case Opaque() if made == "sorted":
            return replace(value, transforms=tuple(one for one in value.transforms if one.kind != "set order"))
        case Instance() if (order := order_over(evaluator, node.args[0], frame)) is not None:
            return Sequence((), True, "list", place, order)
        case _:
            return value


def sorts_keys(node: ast.Call) -> bool:
    """True for ``sort_keys=True`` and ``option=orjson.OPT_SORT_KEYS``."""
    return any(
        (keyword.arg == "sort_keys" and not (isinstance(keyword.value, ast.Constant) and not keyword.value.value))
        or (keyword.arg == "option" and "SORT_KEYS" in ast.unparse(keyword.value))
        for keyword in node.keywords
    )


def keys_in_order(value: Value) -> Value:
    """A dict, and those in it, with its keys sorted."""
    if not isinstance(value, Record):
        return value
    entries = tuple(replace(entry, value=keys_in_order(entry.value)) for entry in value.entries)
    return replace(value, entries=entries, order=None)


def is_view(node: ast.expr) -> bool:
    """True for ``prices.keys()``, from which set operators make sets."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("keys", "items")


def seeded(module: Module) -> bool:
    """True where a module seeds a random generator: which order is drawn is then settled elsewhere."""
    return any("seed" in name for name in module.index.calls)
