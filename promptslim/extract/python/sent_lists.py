"""Which lists of messages a call sends whole, followed to the name that outlives the call."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache

from promptslim.core.record import record
from promptslim.extract.python.evaluate import Evaluator
from promptslim.extract.python.frames import last_name
from promptslim.extract.python.list_uses import COPIES, ListUse, is_session, is_window, key_of, uses_of
from promptslim.extract.python.module import Module
from promptslim.extract.python.parameters import callers_of
from promptslim.extract.python.scopes import FunctionNode

ARGUMENTS = frozenset({"messages", "contents", "input"})
"""Keywords and body keys that take a list of messages."""
CHAT_WIDGETS = frozenset({"ChatInterface"})
"""Gradio: hands the whole history to the function it is given, as its second parameter."""
DEEPEST = 4


@record
class Root:
    """A list that outlives one turn: its name, and the node (function, class, module) in which the name means it.
    ``given`` is the parameter through which a chat widget hands in the whole history."""

    key: str
    owner: ast.AST
    given: ast.arg | None = None


def message_arguments(module: Module, call: ast.Call) -> Iterator[ast.expr]:
    """The expressions that may hold the message list: keywords of the call, keys of its body or request."""
    for keyword in call.keywords:
        if keyword.arg in ARGUMENTS:
            yield keyword.value
        else:
            yield from _in_dict(module, keyword.value, call, 0)
    for argument in call.args:
        yield from _in_dict(module, argument, call, 0)


def _in_dict(module: Module, node: ast.expr, call: ast.Call, depth: int) -> Iterator[ast.expr]:
    if depth > 3:
        return
    match node:
        case ast.Dict(keys=keys, values=values):
            for key, value in zip(keys, values, strict=True):
                if isinstance(key, ast.Constant) and key.value in ARGUMENTS:
                    yield value
        case ast.Call(func=function, args=[first, *_]) if last_name(function) in ("dumps", "encode", "bytes"):
            yield from _in_dict(module, first, call, depth + 1)
        case ast.Call(func=ast.Name(id="dict"), keywords=keywords):
            yield from (keyword.value for keyword in keywords if keyword.arg in ARGUMENTS)
        case ast.Name(id=name):
            for value in bound_to(module, name, module.enclosing_function(call)):
                if value.lineno <= call.lineno:
                    yield from _in_dict(module, value, call, depth + 1)


def bound_to(module: Module, name: str, function: FunctionNode | None) -> list[ast.expr]:
    """The expressions that a name is bound to in a function (in the module where it is None)."""
    return _bindings(module, function).get(name, [])


@lru_cache(maxsize=64)
def _bindings(module: Module, function: FunctionNode | None) -> dict[str, list[ast.expr]]:
    """Name -> expressions, for all names at once: the walk is what takes time."""
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(function if function is not None else module.tree):
        match node:
            case ast.Assign(targets=[ast.Name(id=bound)], value=value):
                pass
            case ast.AnnAssign(target=ast.Name(id=bound), value=ast.expr() as value):
                pass
            case _:
                continue
        if function is not None or module.enclosing_function(value) is None:
            found.setdefault(bound, []).append(value)
    return found


def sent_lists(module: Module, node: ast.expr, at: ast.AST, evaluator: Evaluator, depth: int) -> list[Root] | None:
    """The lists that an expression sends whole; None where one is cut, or goes through something not followed."""
    if depth > DEEPEST:
        return []
    match node:
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            return _all(module, (left, right), at, evaluator, depth)
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            return _all(module, [e.value for e in elements if isinstance(e, ast.Starred)], at, evaluator, depth)
        case ast.Call(func=function, args=[first]) if last_name(function) in COPIES and isinstance(function, ast.Name):
            return sent_lists(module, first, at, evaluator, depth + 1)
        case ast.Call(func=ast.Attribute(value=of, attr="copy"), args=[]):
            return sent_lists(module, of, at, evaluator, depth + 1)
        case ast.ListComp(generators=[one]):
            return sent_lists(module, one.iter, at, evaluator, depth + 1)
        case ast.Subscript(value=of, slice=ast.Slice() as part):
            return None if is_window(part) else sent_lists(module, of, at, evaluator, depth + 1)
        case ast.IfExp(body=body, orelse=other):
            return _all(module, (body, other), at, evaluator, depth)
        case ast.Name(id=name):
            return _named(module, name, at, evaluator, depth)
        case ast.Call() if key_of(node) is None:
            return None
    key = key_of(node)
    if key is None or key not in uses_of(module):
        return []
    owner = _owner(module, key, at)
    return [Root(key, owner)] if owner is not None else []


def _all(
    module: Module, nodes: tuple[ast.expr, ...] | list[ast.expr], at: ast.AST, evaluator: Evaluator, depth: int
) -> list[Root] | None:
    found: list[Root] = []
    for node in nodes:
        inner = sent_lists(module, node, at, evaluator, depth + 1)
        if inner is None:
            return None
        found += inner
    return found


def _owner(module: Module, key: str, at: ast.AST) -> ast.AST | None:
    """The class of ``self.x``, the module for what a session keeps; other attributes belong to no one known."""
    if is_session(key):
        return module.tree
    if not key.startswith("self."):
        return None
    return next((node for node in module.above(at) if isinstance(node, ast.ClassDef)), None)


def _named(module: Module, name: str, at: ast.AST, evaluator: Evaluator, depth: int) -> list[Root] | None:
    """The lists behind a plain name: itself, what it was made from, or what the callers pass for it."""
    function = module.enclosing_function(at)
    if function is not None and name in parameters_of(function):
        return _passed(module, name, function, evaluator, depth)
    owner: ast.AST = function if function is not None and binds(function, name) else module.tree
    found: list[Root] = []
    uses = uses_within(module, uses_of(module).get(name, ()), name, owner)
    for use in uses:
        source = use.values[0] if use.kind == "start" else _looped(module, use) if use.kind == "grow" else None
        if source is not None and not (isinstance(source, ast.Name) and source.id == name):
            inner = sent_lists(module, source, use.node, evaluator, depth + 1)
            if inner is None:
                return None
            found += inner
    if not uses and isinstance(owner, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return _all(module, bound_to(module, name, owner), at, evaluator, depth)
    return [*found, Root(name, owner)]


def _looped(module: Module, use: ListUse) -> ast.expr | None:
    """The list whose items a loop copies one by one into this list."""
    for node in module.above(use.node):
        match node:
            case ast.For(iter=iterated, target=target):
                items = {n.id for n in ast.walk(target) if isinstance(n, ast.Name)}
                copied = any(isinstance(n, ast.Name) and n.id in items for v in use.values for n in ast.walk(v))
                return iterated if copied and isinstance(iterated, (ast.Attribute, ast.Name, ast.Subscript)) else None
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.While():
                return None
    return None


def _passed(module: Module, name: str, function: FunctionNode, evaluator: Evaluator, depth: int) -> list[Root] | None:
    """What the callers in the same module pass for a parameter."""
    if (parameter := _widget_history(module, function)) is not None and parameter.arg == name:
        return [Root(name, function, parameter)]
    found: list[Root] = []
    frame = evaluator.root_frame(module, module.scope(function))
    for call, caller in callers_of(evaluator, function, frame):
        argument = argument_for(call, name, function)
        if caller.module is module and argument is not None:
            inner = sent_lists(module, argument, call, evaluator, depth + 1)
            if inner is None:
                return None
            found += inner
    return found


def _widget_history(module: Module, function: FunctionNode) -> ast.arg | None:
    """The parameter in which a chat widget hands over all turns so far."""
    name = getattr(function, "name", None)
    arguments = [a for a in function.args.args if a.arg not in ("self", "cls")]
    for widget in CHAT_WIDGETS:
        for call in module.index.calls.get(widget, ()):
            given = [*call.args[:1], *(keyword.value for keyword in call.keywords if keyword.arg == "fn")]
            if len(arguments) > 1 and any(last_name(one) == name for one in given):
                return arguments[1]
    return None


def argument_for(call: ast.Call, name: str, function: FunctionNode) -> ast.expr | None:
    """What a call passes for a parameter; None where it is not written out."""
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    positional = [a.arg for a in (*function.args.posonlyargs, *function.args.args)]
    if positional and positional[0] in ("self", "cls"):
        positional = positional[1:]
    index = positional.index(name) if name in positional else len(call.args)
    return call.args[index] if index < len(call.args) else None


def parameters_of(function: FunctionNode) -> set[str]:
    """The names of a function's parameters."""
    arguments = function.args
    return {a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}


def binds(function: FunctionNode, name: str) -> bool:
    """True where a function assigns a name of its own, not that of the module."""
    declared = any(isinstance(n, (ast.Global, ast.Nonlocal)) and name in n.names for n in ast.walk(function))
    stored = any(isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Store) for n in ast.walk(function))
    return stored and not declared


def uses_within(module: Module, uses: tuple[ListUse, ...], key: str, owner: ast.AST) -> tuple[ListUse, ...]:
    """The uses that mean the list of this owner, not one of the same name elsewhere."""
    if isinstance(owner, ast.Module):
        if is_session(key):
            return uses
        return tuple(use for use in uses if not _own_name(module, use.node, key))
    return tuple(use for use in uses if any(node is owner for node in module.above(use.node)))


def _own_name(module: Module, node: ast.AST, name: str) -> bool:
    """True where a function around the node has a name of its own that hides the module's."""
    return any(
        isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef)) and (name in parameters_of(one) or binds(one, name))
        for one in module.above(node)
    )
