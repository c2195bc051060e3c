"""Where an expression stands, and how its place and source are told to a reader."""

from __future__ import annotations

import ast

from promptslim.core.prompt import Origin
from promptslim.core.record import record
from promptslim.extract.python.abstract import Opaque, Value
from promptslim.extract.python.module import Module
from promptslim.extract.python.scopes import Scope


@record(eq=False)
class Frame:
    """Where an expression is evaluated: a module, a scope, and the arguments of the call that led there.

    ``call`` is None for a function looked at from outside: its parameters are then resolved through its
    callers. ``caller`` is the frame in which the arguments stand.
    """

    module: Module
    scope: Scope
    call: ast.Call | None = None
    caller: Frame | None = None
    receiver: Value | None = None
    outer: Frame | None = None
    depth: int = 0


NO_CALL = ast.Call(
    func=ast.Name(id="", ctx=ast.Load()), args=[], keywords=[], lineno=1, col_offset=0, end_lineno=1, end_col_offset=0
)
"""Stands for a call that passes nothing: a property, or an object of which only the type is known."""


def is_real(call: ast.Call) -> bool:
    """False for the stand-in of an object of which only the type is known."""
    return call is not NO_CALL


def last_name(node: ast.expr) -> str:
    """The last name of a decorator or annotation."""
    if isinstance(node, ast.Call):
        node = node.func
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def short(module: Module, node: ast.AST) -> str:
    """The source text of a node on one line, cut to a length fit for a message."""
    if node is NO_CALL or not hasattr(node, "lineno"):
        return ""
    text = " ".join(module.source(node).split())
    return text if len(text) <= 80 else text[:77] + "..."


def opaque_at(node: ast.expr, frame: Frame, origin: Origin = "unknown") -> Opaque:
    """An unknown value with the source and the place of the expression it comes from."""
    return Opaque(origin, short(frame.module, node), frame.module.locate(node))
