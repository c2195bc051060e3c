"""Attributes of modules, classes and objects, looked up through the bases that are visible."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from promptslim.core.prompt import Literal
from promptslim.core.record import replace
from promptslim.extract.python.abstract import (
    Chain,
    Class,
    Configured,
    Const,
    External,
    FilePath,
    Function,
    Instance,
    Json,
    Member,
    Object,
    Opaque,
    ProjectModule,
    Record,
    Sequence,
    Template,
    Text,
    Union,
    Value,
    union,
)
from promptslim.extract.python.file_paths import path_attribute
from promptslim.extract.python.frames import Frame, is_real, last_name, opaque_at, short
from promptslim.extract.python.names import member_of_module
from promptslim.extract.python.parameters import typed
from promptslim.extract.python.scopes import Bind, Unbound
from promptslim.extract.python.texts import derived

if TYPE_CHECKING:
    from promptslim.extract.python.evaluate import Evaluator

TRANSPARENT_DECORATORS = frozenset({"property", "cached_property", "computed_field"})


def attribute(evaluator: Evaluator, value: Value, name: str, node: ast.expr, frame: Frame) -> Value:
    """``value.name``."""
    if isinstance(value, (Instance, Opaque)) and (effect := evaluator.origins.of_field(name)) is not None:
        given = value if isinstance(value, Opaque) else Opaque()
        if effect.concerns(given):
            return effect.on(given, short(frame.module, node), frame.module.locate(node))
    match value:
        case External(name=dotted):
            if dotted == "os.environ":
                return Member(value, name)
            return External(f"{dotted}.{name}")
        case ProjectModule(module=module):
            return member_of_module(evaluator, module, name)
        case Class():
            return class_member(evaluator, value, name, value)
        case Object():
            return object_member(evaluator, value, name, node, frame)
        case FilePath():
            found = path_attribute(value, name, node, frame)
            return found if found is not None else Member(value, name)
        case Instance() | Template() | Chain() | Member() | Text() | Record() | Sequence() | Json():
            return Member(value, name)
        case Union():
            return union([(c, attribute(evaluator, v, name, node, frame)) for c, v in value.cases])
        case Opaque():
            return derived(value, short(frame.module, node), frame.module.locate(node))
        case Configured(origin=origin):
            return Configured(origin, None, frame.module.locate(node))
        case _:
            return opaque_at(node, frame)


def class_member(evaluator: Evaluator, owner: Class, name: str, receiver: Value) -> Value:
    """A class attribute or method, looked up through the bases that are visible."""
    found = _class_member(evaluator, owner, name, receiver, 0)
    return found if found is not None else Opaque(expression=f"{owner.node.name}.{name}")


def _class_member(evaluator: Evaluator, owner: Class, name: str, receiver: Value, depth: int) -> Value | None:
    scope = owner.module.scope(owner.node)
    frame = evaluator.root_frame(owner.module, scope)
    state = scope.final.get(name)
    if isinstance(state, Bind) and state.how == "def":
        function = Function(owner.module, state.node, frame, receiver)  # type: ignore[arg-type]
        names = {last_name(d) for d in state.node.decorator_list}  # type: ignore[attr-defined]
        if names & TRANSPARENT_DECORATORS and not isinstance(receiver, Class):
            return evaluator.call_function(function, None, frame)
        return function
    if state is not None and not isinstance(state, Unbound):
        value = evaluator.state(state, frame, name)
        field_like = isinstance(state, Bind) and isinstance(state.node, ast.AnnAssign)
        if field_like and not isinstance(receiver, Class) and _has_fields(evaluator, owner):
            declared = typed(evaluator, state.node.annotation, frame)  # type: ignore[union-attr]
            return declared if isinstance(declared, Sequence) else Configured("field", _field_default(value))
        return value
    if depth < 5:
        for base in bases(evaluator, owner):
            if isinstance(base, Class) and base.node is not owner.node:
                found = _class_member(evaluator, base, name, receiver, depth + 1)
                if found is not None:
                    return found
    return None


def bases(evaluator: Evaluator, owner: Class) -> list[Value]:
    """The values of the base classes."""
    outer = evaluator.frame_of(owner.module, owner.node)
    return [evaluator.evaluate(base, outer) for base in owner.node.bases]


def external_bases(evaluator: Evaluator, owner: Class, depth: int = 0) -> list[str]:
    """Dotted names of the bases from outside the project, nearest first."""
    names: list[str] = []
    for base in bases(evaluator, owner):
        if isinstance(base, External):
            names.append(base.name)
        elif isinstance(base, Class) and depth < 5 and base.node is not owner.node:
            names.extend(external_bases(evaluator, base, depth + 1))
    return names


def _has_fields(evaluator: Evaluator, owner: Class) -> bool:
    """True for dataclasses and pydantic models: an annotated name is a constructor argument."""
    if any("dataclass" in last_name(d) or last_name(d) in ("define", "frozen", "s") for d in owner.node.decorator_list):
        return True
    return any(
        name.rsplit(".", 1)[-1] in ("BaseModel", "BaseSettings", "NamedTuple", "TypedDict")
        for name in external_bases(evaluator, owner)
    )


def object_member(evaluator: Evaluator, owner: Object, name: str, node: ast.expr, frame: Frame) -> Value:
    """An attribute of an instance of a project class."""
    given = _constructor_argument(evaluator, owner, name) if _has_fields(evaluator, owner.type) else None
    if given is not None:
        return given
    assigned = _instance_attribute(evaluator, owner, name, 0)
    if assigned is not None:
        return assigned
    found = _class_member(evaluator, owner.type, name, owner, 0)
    if found is not None:
        return found
    return Opaque(expression=short(frame.module, node), location=frame.module.locate(node))


def _constructor_argument(evaluator: Evaluator, owner: Object, name: str) -> Value | None:
    if owner.call is None or owner.frame is None:
        return None
    for keyword in owner.call.keywords:
        if keyword.arg == name:
            return evaluator.evaluate(keyword.value, owner.frame)
    return Opaque(expression=name) if any(k.arg is None for k in owner.call.keywords) else None


def _instance_attribute(evaluator: Evaluator, owner: Object, name: str, depth: int) -> Value | None:
    cases: list[tuple[str | None, Value]] = []
    for function, statement in self_assignments(owner.type.node, name):
        scope = owner.type.module.scope(function)
        frame = evaluator.method_frame(owner, function, scope)
        value = statement.value
        if value is None:
            continue
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Tuple):
            cases.append((None, Opaque(expression=f"self.{name}")))
            continue
        found = evaluator.evaluate(value, frame)
        if isinstance(statement, ast.AnnAssign) and isinstance(found, Opaque):
            found = typed(evaluator, statement.annotation, frame) or found
        cases.append((None, found))
    # "self.x = None" in __init__ announces an attribute that another method sets.
    real = [case for case in cases if not (isinstance(case[1], Const) and case[1].value is None)]
    if cases:
        return union(real or cases)
    if depth < 5:
        for base in bases(evaluator, owner.type):
            if isinstance(base, Class) and base.node is not owner.type.node:
                found_in_base = _instance_attribute(evaluator, replace(owner, type=base), name, depth + 1)
                if found_in_base is not None:
                    return found_in_base
    return None


def self_assignments(
    owner: ast.ClassDef, name: str
) -> list[tuple[ast.FunctionDef | ast.AsyncFunctionDef, ast.Assign | ast.AnnAssign]]:
    """Statements ``self.<name> = ...`` in the methods of a class, ``__init__`` first."""
    index: dict[str, list[tuple[ast.FunctionDef | ast.AsyncFunctionDef, ast.Assign | ast.AnnAssign]]] | None
    index = getattr(owner, "promptslim_attributes", None)
    if index is None:
        index = {}
        methods = [s for s in owner.body if isinstance(s, (ast.FunctionDef, ast.AsyncFunctionDef))]
        methods.sort(key=lambda m: m.name != "__init__")
        for method in methods:
            for node in ast.walk(method):
                if not isinstance(node, (ast.Assign, ast.AnnAssign)):
                    continue
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                for target in targets:
                    for inner in target.elts if isinstance(target, ast.Tuple) else [target]:
                        if (
                            isinstance(inner, ast.Attribute)
                            and isinstance(inner.value, ast.Name)
                            and inner.value.id in ("self", "cls")
                        ):
                            index.setdefault(inner.attr, []).append((method, node))
        owner.promptslim_attributes = index  # type: ignore[attr-defined]
    return index.get(name, [])


def _field_default(value: Value) -> Value | None:
    """The default of a dataclass or pydantic field, None where it must be given."""
    if isinstance(value, Instance) and is_real(value.call):
        from_keywords = [k.value for k in value.call.keywords if k.arg == "default"]
        candidate = from_keywords[0] if from_keywords else value.call.args[0] if value.call.args else None
        if isinstance(candidate, ast.Constant) and candidate.value is not Ellipsis:
            constant = candidate.value
            return Text((Literal(constant),)) if isinstance(constant, str) else Const(constant)
        return None
    return None if isinstance(value, Opaque) or (isinstance(value, Const) and value.value is None) else value
