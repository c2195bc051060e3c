"""Values of parameters: from the call that led here, or from the visible callers."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from promptslim.core.prompt import Transform
from promptslim.core.record import replace
from promptslim.extract.python.abstract import (
    Class,
    Configured,
    Const,
    Entry,
    External,
    FilePath,
    Function,
    Instance,
    Object,
    Opaque,
    Record,
    Sequence,
    Value,
    alternatives,
    union,
)
from promptslim.extract.python.frames import NO_CALL, Frame, last_name, short
from promptslim.extract.python.names import named_value
from promptslim.extract.python.records import spread
from promptslim.extract.python.scopes import FunctionNode
from promptslim.extract.python.workspace import MOST_CALLERS

if TYPE_CHECKING:
    from promptslim.extract.python.evaluate import Evaluator


PATHS = frozenset({"pathlib.Path", "pathlib.PurePath", "pathlib.PosixPath"})


def parameter(evaluator: Evaluator, node: ast.arg, frame: Frame) -> Value:
    """The value of a parameter inside its function."""
    function = frame.scope.node
    if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
        return Opaque("argument", node.arg)
    receiver = _receiver(node, function, frame)
    if receiver is not None:
        return receiver
    if frame.call is not None and frame.caller is not None:
        return argument(evaluator, node, function, frame.call, frame.caller, frame)
    return _from_callers(evaluator, node, function, frame)


def _receiver(node: ast.arg, function: FunctionNode, frame: Frame) -> Value | None:
    owner = frame.module.enclosing_class(function)
    positional = [*function.args.posonlyargs, *function.args.args]
    if owner is None or isinstance(function, ast.Lambda) or not positional or positional[0] is not node:
        return None
    names = {last_name(d) for d in function.decorator_list}
    if "staticmethod" in names:
        return None
    if frame.receiver is not None:
        return frame.receiver
    declared = Class(frame.module, owner)
    return declared if "classmethod" in names or node.arg == "cls" else Object(declared)


def argument(
    evaluator: Evaluator, node: ast.arg, function: FunctionNode, call: ast.Call, caller: Frame, frame: Frame
) -> Value:
    """What a call passes for a parameter, its default included."""
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    bound = not isinstance(function, ast.Lambda) and frame.module.enclosing_class(function) is not None
    if bound and not any(last_name(d) == "staticmethod" for d in function.decorator_list):  # type: ignore[union-attr]
        unbound_call = isinstance(call.func, ast.Attribute) and isinstance(
            evaluator.evaluate(call.func.value, caller), Class
        )
        is_classmethod = any(last_name(d) == "classmethod" for d in function.decorator_list)  # type: ignore[union-attr]
        if is_classmethod or not unbound_call:
            positional = positional[1:]
    if arguments.kwarg is node:
        return _keywords(evaluator, function, call, caller, positional)
    if arguments.vararg is node:
        rest = call.args[len(positional) :]
        return Sequence(
            tuple(evaluator.evaluate(a, caller) for a in rest), any(isinstance(a, ast.Starred) for a in call.args)
        )
    for keyword in call.keywords:
        if keyword.arg == node.arg:
            return evaluator.evaluate(keyword.value, caller)
    index = next((i for i, p in enumerate(positional) if p is node), None)
    if any(isinstance(a, ast.Starred) for a in call.args):
        return Opaque("argument", node.arg)
    if index is not None and index < len(call.args):
        return evaluator.evaluate(call.args[index], caller)
    spread_value = _in_spreads(evaluator, node.arg, call, caller)
    if spread_value is not None:
        return spread_value
    default = default_of(function, node)
    if default is None:
        return Opaque("argument", node.arg)
    return evaluator.evaluate(default, evaluator.frame_of(frame.module, function))


def _in_spreads(evaluator: Evaluator, name: str, call: ast.Call, caller: Frame) -> Value | None:
    """What the ``**`` arguments of a call pass under a name; None where they provably pass nothing."""
    for keyword in call.keywords:
        if keyword.arg is not None:
            continue
        given = evaluator.evaluate(keyword.value, caller)
        entry = given.entry(name) if isinstance(given, Record) else None
        if entry is not None and not entry.maybe:
            return entry.value
        if entry is not None or not isinstance(given, Record) or given.open is not None:
            return Opaque("argument", name)
    return None


def _keywords(
    evaluator: Evaluator, function: FunctionNode, call: ast.Call, caller: Frame, positional: list[ast.arg]
) -> Value:
    own = {p.arg for p in positional} | {p.arg for p in function.args.kwonlyargs}
    record = Record(location=caller.module.locate(call) if call is not NO_CALL else None)
    for keyword in call.keywords:
        if keyword.arg is None:
            record = spread(record, evaluator.evaluate(keyword.value, caller), short(caller.module, keyword.value))
        elif keyword.arg not in own:
            record = record.with_entry(
                Entry(keyword.arg, evaluator.evaluate(keyword.value, caller), caller.module.locate(keyword.value))
            )
    return replace(record, entries=tuple(e for e in record.entries if e.key not in own))


def _from_callers(evaluator: Evaluator, node: ast.arg, function: FunctionNode, frame: Frame) -> Value:
    """A parameter of a function seen from outside: what its callers pass, if they can be seen."""
    default = default_of(function, node)
    fallback = evaluator.evaluate(default, evaluator.frame_of(frame.module, function)) if default is not None else None
    calls = callers_of(evaluator, function, frame)
    if calls:
        cases = [(None, argument(evaluator, node, function, call, caller, frame)) for call, caller in calls]
        value = union(cases)  # type: ignore[arg-type]
        if function.args.kwarg is node:
            # Callers that are not visible may pass more.
            return spread(Record(open=f"**{node.arg}"), value, node.arg)
        left_out = isinstance(value, Const) and value.value is None and isinstance(fallback, Const)
        hidden = any(isinstance(member, Opaque) and member.origin == "unknown" for _, member in alternatives(value))
        # None that no visible caller sets is an option for others to set: that it stays unset is not proved.
        if not hidden and not left_out:
            return value
    declared = typed(evaluator, node.annotation, frame) if node.annotation is not None else None
    if isinstance(declared, Sequence):
        place = frame.module.locate(node)
        return replace(declared, items=(Opaque("argument", node.arg, place, (Transform("item", place),)),))
    if declared is not None:
        return declared
    if function.args.kwarg is node:
        return Record(open=f"**{node.arg}")
    if fallback is not None and not (isinstance(fallback, Const) and fallback.value is None):
        return Configured("argument", fallback)
    return Opaque("argument", node.arg, frame.module.locate(node))


def callers_of(evaluator: Evaluator, function: FunctionNode, frame: Frame) -> list[tuple[ast.Call, Frame]]:
    """The visible calls of a function; empty where there are none or too many to trust."""
    name = getattr(function, "name", None)
    if name is None:
        return []
    owner = frame.module.enclosing_class(function)
    if name == "__init__" and owner is not None:
        name = owner.name
    elif name.startswith("__") and name.endswith("__"):
        return []
    candidates = evaluator.workspace.callers(frame.module, name)
    if candidates is None:
        return []
    found: list[tuple[ast.Call, Frame]] = []
    for module, call in candidates:
        caller = evaluator.frame_of(module, call)
        if caller.scope.node is function:
            continue  # a recursive call passes on what it was given
        if _calls_this(evaluator, call, caller, function, owner):
            found.append((call, caller))
        if len(found) > MOST_CALLERS:
            return []
    return found


def _calls_this(
    evaluator: Evaluator, call: ast.Call, caller: Frame, function: FunctionNode, owner: ast.ClassDef | None
) -> bool:
    key = (id(call.func), -1)
    if key in evaluator.busy:
        return False
    evaluator.busy.add(key)
    try:
        callee = evaluator.evaluate(call.func, caller)
    finally:
        evaluator.busy.discard(key)
    for _, member in alternatives(callee):
        if isinstance(member, Function) and member.node is function:
            return True
        if isinstance(member, Class) and member.node is owner:
            return True
    return False


def typed(evaluator: Evaluator, annotation: ast.expr | None, frame: Frame) -> Value | None:
    """An object of which only the declared class is known, where that class says something; or some set."""
    if annotation is None:
        return None
    if _is_set(annotation):
        return Sequence((), True, "set")
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        try:
            annotation = ast.parse(annotation.value, mode="eval").body
        except (SyntaxError, ValueError):
            return None
        if not isinstance(annotation, ast.Name):
            return None
        value = named_value(evaluator, annotation.id, _module_frame(evaluator, frame), 1 << 62)
    elif isinstance(annotation, (ast.Name, ast.Attribute)):
        value = evaluator.evaluate(annotation, frame)
    elif isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
        return typed(evaluator, annotation.left, frame) or typed(evaluator, annotation.right, frame)
    elif isinstance(annotation, ast.Subscript) and last_name(annotation.value) in ("Optional", "Annotated"):
        inner = annotation.slice
        return typed(evaluator, inner.elts[0] if isinstance(inner, ast.Tuple) else inner, frame)
    else:
        return None
    if isinstance(value, Class):
        return Object(value)
    if isinstance(value, External) and value.name in PATHS:
        return FilePath(None)
    if isinstance(value, External) and not value.name.startswith(("builtins.", "typing.", "collections.")):
        return Instance(value.name, NO_CALL, frame)
    return None


SETS = frozenset({"set", "Set", "frozenset", "FrozenSet", "AbstractSet", "MutableSet"})


def _is_set(annotation: ast.expr) -> bool:
    """True for ``set`` and ``set[str]``; sets of numbers have the same order everywhere."""
    match annotation:
        case ast.Subscript(value=of, slice=inner):
            return last_name(of) in SETS and last_name(inner) not in ("int", "float", "bool")
        case ast.Name() | ast.Attribute():
            return last_name(annotation) in SETS
        case _:
            return False


def _module_frame(evaluator: Evaluator, frame: Frame) -> Frame:
    return evaluator.root_frame(frame.module, frame.module.scope(frame.module.tree))


def default_of(function: FunctionNode, node: ast.arg) -> ast.expr | None:
    """The default expression of a parameter."""
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    for index, argument in enumerate(positional):
        if argument is node:
            offset = index - (len(positional) - len(arguments.defaults))
            return arguments.defaults[offset] if offset >= 0 else None
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if argument is node:
            return default
    return None
