"""What a name stands for: local and outer scopes, imports, builtins."""

from __future__ import annotations

import ast
import builtins
from typing import TYPE_CHECKING

from promptslim.extract.python.abstract import External, FilePath, Opaque, ProjectModule, Value
from promptslim.extract.python.frames import Frame
from promptslim.extract.python.module import Module
from promptslim.extract.python.scopes import Scope, State, Unbound, start_of

if TYPE_CHECKING:
    from promptslim.extract.python.evaluate import Evaluator

BUILTINS = frozenset(dir(builtins))
IMMEDIATE = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Lambda, ast.ClassDef)


def named_value(evaluator: Evaluator, name: str, frame: Frame, position: int, node: ast.expr | None = None) -> Value:
    """The value of a name used at a position of a frame."""
    current: Frame | None = frame
    immediate = True
    while current is not None:
        scope = current.scope
        skipped = isinstance(scope.node, ast.ClassDef) and current is not frame
        if not skipped and scope.binds(name):
            state = scope.at(name, position) if immediate else _deferred(current, name, frame)
            if state is not None and not isinstance(state, Unbound):
                return evaluator.state(state, current, name)
            if isinstance(scope.node, ast.Module) or not immediate:
                break
            return Opaque(expression=name)
        immediate = immediate and isinstance(scope.node, IMMEDIATE)
        current = current.outer
    return _global(evaluator, name, frame, node)


def _deferred(current: Frame, name: str, user: Frame) -> State | None:
    """The binding a nested function sees: the last one, or in a notebook the nearest before it."""
    scope = current.scope
    if not (current.module.notebook and isinstance(scope.node, ast.Module)):
        return scope.final.get(name) or scope.at(name, 1 << 62)
    positions, states = scope.versions[name]
    if len(states) == 1:
        return states[0]
    function: Scope | None = user.scope
    while function is not None and function.parent is not None and function.parent is not scope:
        function = function.parent
    nearest = scope.at(name, start_of(function.node)) if function is not None else None
    if nearest is not None and not isinstance(nearest, Unbound):
        return nearest
    return states[0] if positions else None


def _global(evaluator: Evaluator, name: str, frame: Frame, node: ast.expr | None) -> Value:
    module = frame.module
    scope = module.scope(module.tree)
    if name in scope.final and frame.scope is not scope and name in frame.scope.outer_names:
        return evaluator.state(scope.final[name], evaluator.root_frame(module, scope), name)
    for star in scope.star_imports:
        found = imported_name(evaluator, module, star, name)
        if not isinstance(found, (Opaque, External)):
            return found
    if name == "__file__":
        return FilePath(module.path, anchored=True)
    if name in BUILTINS:
        return External(f"builtins.{name}")
    if scope.star_imports:
        outside = [
            s for s in scope.star_imports if evaluator.workspace.resolve(module.path, s.module or "", s.level) is None
        ]
        if len(outside) == 1 and outside[0].module:
            return External(f"{outside[0].module}.{name}")
    return Opaque(expression=name, location=module.locate(node) if node is not None else None)


def imported_module(evaluator: Evaluator, module: Module, alias: ast.AST) -> Value:
    """What ``import a.b`` binds: a module of the project or an external one."""
    assert isinstance(alias, ast.alias)  # noqa: S101
    dotted = alias.name if alias.asname else alias.name.split(".")[0]
    path = evaluator.workspace.resolve(module.path, dotted, 0)
    if path is not None and path != module.path:
        other = evaluator.workspace.module(path)
        if other is not None:
            return ProjectModule(other)
    return External(dotted)


def imported_name(evaluator: Evaluator, module: Module, node: ast.AST, name: str) -> Value:
    """What ``from module import name`` binds."""
    assert isinstance(node, ast.ImportFrom)  # noqa: S101
    dotted = node.module or ""
    path = evaluator.workspace.resolve(module.path, dotted, node.level)
    if path is not None and path != module.path:
        other = evaluator.workspace.module(path)
        if other is not None:
            return member_of_module(evaluator, other, name)
        return Opaque(expression=name)
    submodule = evaluator.workspace.resolve(module.path, f"{dotted}.{name}" if dotted else name, node.level)
    if submodule is not None and submodule != module.path:
        other = evaluator.workspace.module(submodule)
        if other is not None:
            return ProjectModule(other)
    if node.level:
        return Opaque(expression=name)
    return External(f"{dotted}.{name}")


def member_of_module(evaluator: Evaluator, module: Module, name: str) -> Value:
    """A module's attribute as an importer sees it."""
    key = (id(module), hash(name))
    if key in evaluator.busy:
        evaluator.cut = True
        return Opaque(expression=name)
    evaluator.busy.add(key)
    try:
        scope = module.scope(module.tree)
        state = scope.final.get(name)
        if state is not None and not isinstance(state, Unbound):
            return evaluator.state(state, evaluator.root_frame(module, scope), name)
        submodule = evaluator.workspace.resolve(module.path, name, 1)
        if submodule is not None:
            other = evaluator.workspace.module(submodule)
            if other is not None and other is not module:
                return ProjectModule(other)
        for star in scope.star_imports:
            found = imported_name(evaluator, module, star, name)
            if not isinstance(found, Opaque):
                return found
        return Opaque(expression=name)
    finally:
        evaluator.busy.discard(key)
