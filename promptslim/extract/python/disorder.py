"""What gives the tools or the system prompt of a call another order each time, where the text itself is not visible:
lists that are shuffled, built from a set, or changed while a loop sends them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal

from promptslim.core.call import Disorder
from promptslim.extract.python.conversation import reached
from promptslim.extract.python.module import Module

GROWING = frozenset({"append", "extend", "insert", "pop", "remove", "clear"})
SETS = frozenset({"set", "frozenset"})
ORDERED = frozenset({"sorted", "min", "max", "sum", "len", "any", "all", "set", "frozenset"})
"""Functions whose result does not depend on the order of what they are given."""

Kind = Literal["set order", "random order", "changed"]


def disorder(module: Module, call: ast.Call, loops: list[ast.AST]) -> tuple[Disorder, ...]:
    """The disorder of the tools and of the system prompt that a call is given by keyword; ``loops`` are those around
    it. Within one function: what a helper does with its arguments is not followed."""
    if not loops and not _has_disorder(module):
        return ()
    found: list[Disorder] = []
    for role, given in _given(module, call):
        expressions = reached(module, call, [given])
        for kind, node in (*_ordered(module, call, expressions), *_changed(loops, given, role)):
            found.append(Disorder(kind, role, module.locate(node)))
    return tuple(dict.fromkeys(found))


@lru_cache(maxsize=64)
def _has_disorder(module: Module) -> bool:
    """False where a module makes no set and shuffles nothing, which most do."""
    if any(name in module.index.calls for name in (*SETS, "shuffle")):
        return True
    return any(isinstance(node, (ast.Set, ast.SetComp)) for node in module.parents)


def _given(module: Module, call: ast.Call) -> Iterator[tuple[Literal["tools", "system"], ast.expr]]:
    """The expressions of tools and system prompt, that of a system message among the messages included."""
    for keyword in call.keywords:
        match keyword.arg:
            case "tools" | "toolConfig" | "functions":
                yield "tools", keyword.value
            case "system" | "system_prompt" | "instructions":
                yield "system", keyword.value
            case "messages" | "input":
                for expression in reached(module, call, [keyword.value]):
                    for node in ast.walk(expression):
                        if isinstance(node, ast.Dict) and (content := _system_message(node)) is not None:
                            yield "system", content


def _system_message(message: ast.Dict) -> ast.expr | None:
    keys = {key.value: value for key, value in zip(message.keys, message.values, strict=True) if _is_text(key)}  # type: ignore[union-attr]
    role = keys.get("role")
    named = isinstance(role, ast.Constant) and role.value in ("system", "developer")
    return keys.get("content") if named else None


def _is_text(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _ordered(module: Module, call: ast.Call, expressions: list[ast.expr]) -> Iterator[tuple[Kind, ast.AST]]:
    """Uses of sets and shuffles in what a call is given."""
    if not _has_disorder(module):
        return
    names = {node.id for one in expressions for node in ast.walk(one) if isinstance(node, ast.Name)}
    seeded = "seed" in module.index.calls
    function = module.enclosing_function(call)
    sets = _set_names(module, function)
    for expression in expressions:
        for node in ast.walk(expression):
            if (_is_set(node) or getattr(node, "id", None) in sets) and _keeps_order(module, node):
                yield "set order", node
    for node in ast.walk(function) if function is not None else ():
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="random"), attr="shuffle"), args=[ast.Name(id=name)]):
                if name in names and not seeded:
                    yield "random order", node
            case ast.For(iter=over) if (_is_set(over) or getattr(over, "id", None) in sets) and _fills(node, names):
                yield "set order", over
            case _:
                continue


def _set_names(module: Module, function: ast.AST | None) -> set[str]:
    """Names that are bound to sets, and to nothing else, in a function or at the top level of its module."""
    found: dict[str, bool] = {}
    for node in (*module.tree.body, *(ast.walk(function) if function is not None else ())):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                found[name] = found.get(name, True) and _is_set(value)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                found[name] = found.get(name, True) and _is_set(value)
            case ast.arg(arg=name):
                found[name] = False
            case _:
                continue
    return {name for name, always in found.items() if always}


def _is_set(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Name(id=name), args=[_]):
            return name in SETS
        case ast.SetComp():
            return True
        case ast.Set(elts=elements):
            return len(elements) > 1
        case _:
            return False


def _keeps_order(module: Module, node: ast.AST) -> bool:
    """True where a set is turned into something that has its order: joined, listed, or gone through."""
    parent = module.parents.get(node)
    match parent:
        case ast.Call(func=ast.Attribute(attr="join")):
            return not _sorted_above(module, parent)
        case ast.Call(func=ast.Name(id="list" | "tuple" | "enumerate" | "str" | "map" | "filter")):
            return not _sorted_above(module, parent)
        case ast.comprehension(iter=over) if over is node:
            comprehension = module.parents.get(parent)
            built = isinstance(comprehension, (ast.ListComp, ast.GeneratorExp, ast.DictComp))
            return built and comprehension is not None and not _sorted_above(module, comprehension)
        case ast.FormattedValue() | ast.Starred():
            return True
        case _:
            return False


def _sorted_above(module: Module, node: ast.AST) -> bool:
    for parent in module.above(node):
        if isinstance(parent, ast.stmt):
            return False
        if isinstance(parent, ast.Call) and isinstance(parent.func, ast.Name) and parent.func.id in ORDERED:
            return True
    return False


def _fills(loop: ast.For, names: set[str]) -> bool:
    """True where a loop adds to something that the call is given."""
    for node in (child for statement in loop.body for child in ast.walk(statement)):
        match node:
            case ast.Call(func=ast.Attribute(attr="append" | "extend" | "insert", value=ast.Name(id=name))):
                if name in names:
                    return True
            case ast.AugAssign(target=ast.Name(id=name)):
                if name in names:
                    return True
            case _:
                continue
    return False


def _changed(loops: list[ast.AST], given: ast.expr, role: Literal["tools", "system"]) -> Iterator[tuple[Kind, ast.AST]]:
    """Changes of a list of tools inside a loop that sends it, unless each round makes the list anew."""
    names = {node.id for node in ast.walk(given) if isinstance(node, ast.Name)}
    if role != "tools":
        return
    for loop in loops:
        nodes = [node for node in ast.walk(loop) if node is not loop]
        fresh = {
            target.id
            for node in nodes
            if isinstance(node, (ast.Assign, ast.AnnAssign))
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            if isinstance(target, ast.Name)
        }
        for node in nodes:
            match node:
                case ast.Call(func=ast.Attribute(attr=method, value=ast.Name(id=name))) if method in GROWING:
                    if name in names - fresh:
                        yield "changed", node
                case ast.AugAssign(target=ast.Name(id=name)) if name in names - fresh:
                    yield "changed", node
                case _:
                    continue
