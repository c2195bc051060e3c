"""What a module does to its lists of messages: where they grow, and what keeps them short."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal

from promptslim.core.lazy_pattern import pattern
from promptslim.core.record import record
from promptslim.extract.python.frames import last_name
from promptslim.extract.python.module import Module

COPIES = frozenset({"list", "tuple", "deepcopy", "copy"})
SESSIONS = frozenset({"session_state", "user_session", "session"})
GROWING = frozenset({"append", "extend", "insert"})
SHORTENING = frozenset({"popleft", "clear"})
SHORTENERS = pattern(
    r"trim|trunc|summar|compact|compress|prun|shorten|window|reduc|cut|evict|clean|keep_|forget|count_|num_tokens"
    r"|token|budget|limit|manage|filter|select|recent|last_|reset",
    re.IGNORECASE,
)
"""Names of functions that keep a list of messages short, or measure it for that."""


@record
class ListUse:
    """One thing done to a list. ``grow``: ``values`` are added. ``bound``: something shortens it, measures it, or
    starts it anew. ``start``: it is bound to ``values`` (one expression)."""

    key: str
    kind: Literal["grow", "bound", "start"]
    node: ast.AST
    values: tuple[ast.expr, ...] = ()


def key_of(node: ast.expr) -> str | None:
    """The name of a list: ``a``, ``self.a``, ``st.session_state.a`` (by attribute, key or ``get``)."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=of, attr=name):
            base = key_of(of)
        case ast.Subscript(value=of, slice=ast.Constant(value=str(name))):
            base = key_of(of)
        case ast.Call(func=ast.Attribute(value=of, attr="get"), args=[ast.Constant(value=str(name)), *_]):
            base = key_of(of)
        case _:
            return None
    return f"{base}.{name}" if base is not None else None


def is_session(key: str) -> bool:
    """True for a value that a web session keeps between two requests."""
    return any(step in SESSIONS for step in key.split(".")[:-1])


@lru_cache(maxsize=16)
def uses_of(module: Module) -> dict[str, tuple[ListUse, ...]]:
    """Every use of every list of a module that makes it longer or shorter, by the list's name."""
    found: dict[str, list[ListUse]] = {}
    for node in module.parents:
        for use in _uses(node):
            found.setdefault(use.key, []).append(use)
    return {key: tuple(uses) for key, uses in found.items() if any(use.kind == "grow" for use in uses)}


def _uses(node: ast.AST) -> Iterator[ListUse]:
    match node:
        case ast.Call():
            yield from _of_call(node)
        case ast.AugAssign(op=ast.Add(), target=target, value=value):
            if (key := key_of(target)) is not None:
                yield ListUse(key, "grow", node, _items(value))
        case ast.Assign(targets=targets, value=value):
            for bound in targets:
                yield from _of_assignment(bound, value, node)
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            yield from _of_assignment(target, value, node)
        case ast.Delete(targets=targets):
            for gone in targets:
                if isinstance(gone, ast.Subscript) and (key := key_of(gone.value)) is not None:
                    yield ListUse(key, "bound", node)
        case ast.Subscript(value=of, slice=ast.Slice() as part) if is_window(part):
            if (key := key_of(of)) is not None:
                yield ListUse(key, "bound", node)
        case ast.Compare(left=left, comparators=[right], ops=[operator]):
            measured = _measured(left, right, operator)
            if measured is not None:
                yield ListUse(measured, "bound", node)


def _of_call(node: ast.Call) -> Iterator[ListUse]:
    function = node.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if isinstance(function, ast.Attribute) and (key := key_of(function.value)) is not None:
        if name in GROWING and node.args:
            added = node.args[-1]
            yield ListUse(key, "grow", node, _items(added) if name == "extend" else (added,))
        elif name in SHORTENING or (name == "pop" and _takes_first(node)):
            yield ListUse(key, "bound", node)
        elif name == "set" and len(node.args) == 2 and isinstance(node.args[0], ast.Constant):
            yield from _of_assignment(ast.Subscript(function.value, node.args[0], ast.Store()), node.args[1], node)
    if SHORTENERS.search(name):
        for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
            if (key := key_of(argument)) is not None:
                yield ListUse(key, "bound", node)


def _takes_first(node: ast.Call) -> bool:
    return bool(node.args) and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, int)


def _of_assignment(target: ast.expr, value: ast.expr, node: ast.AST) -> Iterator[ListUse]:
    key = key_of(target)
    if key is None:
        return
    kept = added_to(key, value)
    if kept is not None:
        yield ListUse(key, "grow", node, kept)
    elif isinstance(value, ast.Call) and last_name(value.func) == "deque" and _has_maximum(value):
        yield ListUse(key, "bound", node)
    elif isinstance(value, ast.Call) and any(key_of(argument) == key for argument in value.args):
        if last_name(value.func) not in COPIES:
            yield ListUse(key, "bound", node)
    else:
        yield ListUse(key, "start", node, (value,))


def added_to(key: str, value: ast.expr) -> tuple[ast.expr, ...] | None:
    """What ``key = key + [...]`` or ``key = [*key, ...]`` adds; None where the value is no longer ``key``."""
    match value:
        case ast.BinOp(op=ast.Add(), left=left, right=right) if key_of(left) == key:
            return _items(right)
        case ast.List(elts=[ast.Starred(value=first), *rest]) if key_of(first) == key:
            return tuple(rest)
        case _:
            return None


def _has_maximum(call: ast.Call) -> bool:
    return len(call.args) > 1 or any(keyword.arg == "maxlen" for keyword in call.keywords)


def _items(value: ast.expr) -> tuple[ast.expr, ...]:
    return tuple(value.elts) if isinstance(value, (ast.List, ast.Tuple)) else (value,)


def is_window(part: ast.Slice) -> bool:
    """True for the last or first n: ``[-6:]``, ``[:6]``, ``[-k:]``; not for ``[1:]``, ``[:-1]``, ``[::-1]``."""
    lower, upper = part.lower, part.upper
    if isinstance(lower, ast.UnaryOp) and isinstance(lower.op, ast.USub):
        return not (isinstance(lower.operand, ast.Constant) and lower.operand.value == 1)
    if lower is not None and not isinstance(lower, ast.Constant):
        return True
    return upper is not None and not (isinstance(upper, ast.UnaryOp) and isinstance(upper.op, ast.USub))


def _measured(left: ast.expr, right: ast.expr, operator: ast.cmpop) -> str | None:
    """The list whose length is compared with a limit (not with 0 or 1: "is it empty?")."""
    if not isinstance(operator, (ast.Gt, ast.GtE, ast.Lt, ast.LtE)):
        return None
    for one, other in ((left, right), (right, left)):
        match one:
            case ast.Call(func=ast.Name(id="len"), args=[of]):
                small = isinstance(other, ast.Constant) and isinstance(other.value, int) and other.value < 3
                return None if small else key_of(of)
    return None
