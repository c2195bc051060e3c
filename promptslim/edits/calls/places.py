"""Where in a call an argument stands, or the nearest dict or call that would hold it: through names that are bound
once, ``**`` arguments and ``json.dumps``."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Literal

from promptslim.core.record import record
from promptslim.core.text import Location
from promptslim.edits.calls.additions import insert_key, insert_keyword
from promptslim.edits.calls.change import Change
from promptslim.edits.calls.source import Scope, Source, read

MOST_STEPS = 6
"""Names and wrappers that are followed from a call to the dict that it sends."""

READS = frozenset({"get", "items", "keys", "values", "copy"})
"""Methods of a dict that leave it as it is."""

Holder = tuple[ast.Call | ast.Dict, ast.Name | ast.Attribute | None]
"""A dict display or the call of a builder, and the name that it is bound to."""


@record
class Set:
    """An argument that is set: its value, and the keyword or dict key that names it (None: an assignment to an item
    of a dict)."""

    value: ast.expr
    name: ast.keyword | ast.expr | None
    owner: ast.Call | ast.Dict


@record
class Gap:
    """An argument that is not set: the dict or call that would hold it, with the part of its path from there."""

    owner: ast.Call | ast.Dict
    path: tuple[str, ...]

    def fill(self, source: Source, value: str) -> Change | None:
        """Sets the argument to an expression, in nested dicts for a path of several steps."""
        quote = source.quote(self.owner)
        for step in reversed(self.path[1:]):
            value = f"{{{quote}{step}{quote}: {value}}}"
        if isinstance(self.owner, ast.Call):
            return insert_keyword(source, self.owner, self.path[0], value)
        return insert_key(source, self.owner, self.path[0], value)


def argument(source: Source, owner: ast.expr, path: tuple[str, ...]) -> Set | Gap | None:
    """The argument at a path (``("inferenceConfig", "maxTokens")``) of a call or dict. None where it may stand
    somewhere that is not seen."""
    found = (owner, None) if isinstance(owner, ast.Call) else holder(source, owner)
    return _argument(source, found, path) if found is not None else None


def _argument(source: Source, found: Holder, path: tuple[str, ...]) -> Set | Gap | None:
    display, name = found
    direct = _own(display, path[0])
    if direct is None and name is not None:
        later = list(_assigned_items(source, name, path[0]))
        if len(later) > 1:
            return None
        direct = Set(later[0].value, None, display) if later else None
    if direct is None:
        spread = _in_spread(source, display, path)
        if spread is not False:
            return spread
        return Gap(display, path) if _open_to(display) else None
    if len(path) == 1:
        return direct
    inner = holder(source, direct.value)
    return _argument(source, inner, path[1:]) if inner is not None else None


def holder(source: Source, node: ast.expr) -> Holder | None:
    """The dict display or call of a builder (``dict(...)``, a class) that an expression stands for, and the name that
    it is bound to."""
    name: ast.Name | ast.Attribute | None = None
    for _ in range(MOST_STEPS):
        match node:
            case ast.Dict():
                return node, name
            case ast.Call() if _builds(node):
                return node, name
            case ast.Name() | ast.Attribute():
                bound = binding(source, node)
                if bound is None or not _only_read(source, node):
                    return None
                name, node = node, bound
            case _:
                return None
    return None


def list_display(source: Source, node: ast.expr) -> ast.List | None:
    """The list display that an expression is, or that its name is bound to and that nothing changes later."""
    for _ in range(MOST_STEPS):
        match node:
            case ast.List():
                return node
            case ast.Name() | ast.Attribute():
                bound = binding(source, node)
                if bound is None or not _only_read(source, node):
                    return None
                node = bound
            case _:
                return None
    return None


def displays(source: Source, node: ast.expr) -> tuple[ast.Dict, ...] | None:
    """Every dict display that an expression may stand for, where branches of the program choose one: by a conditional
    expression, or by assignments to a name that nothing changes later. None where one of them is something else, or
    has keys that are not written out."""
    match node:
        case ast.Dict():
            return (node,) if all(isinstance(key, ast.Constant) for key in node.keys) else None
        case ast.IfExp(body=one, orelse=other):
            found = [displays(source, one), displays(source, other)]
        case ast.Name():
            home = _home(source, node)
            targets = [one for one in _inside(home) if _stores(one, node)] if home is not None else []
            values = [_value(source, target) for target in targets]
            written = any(isinstance(use, ast.Name) and _is_item(source, use) for use in _uses(source, node))
            if not values or written or not _only_read(source, node) or any(_is_name(value) for value in values):
                return None
            found = [displays(source, value) if value is not None else None for value in values]
        case _:
            return None
    if any(one is None for one in found):
        return None
    return tuple(display for one in found if one is not None for display in one)


def _is_name(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Name)


def _is_item(source: Source, use: ast.Name) -> bool:
    """True where an item of a name is assigned."""
    above = next(source.above(use), None)
    return isinstance(above, ast.Subscript) and isinstance(above.ctx, ast.Store)


TEXT_METHODS = frozenset(
    {"format", "strip", "lstrip", "rstrip", "replace", "join", "read", "read_text", "removeprefix"}
)
"""Methods that give a text (of a text or an open file)."""


def is_text(source: Source, node: ast.expr, written: Location | None = None) -> bool:
    """True where an expression is certainly a string. ``written`` is where its text is known to be written: a name
    that is imported is a string where that is the whole right side of an assignment."""
    for _ in range(MOST_STEPS):
        match node:
            case ast.Constant(value=str()) | ast.JoinedStr():
                return True
            case ast.BinOp(op=ast.Add() | ast.Mod() | ast.Mult(), left=left, right=right):
                return is_text(source, left) or (isinstance(node.op, ast.Add | ast.Mult) and is_text(source, right))
            case ast.Call(func=ast.Attribute(attr=method)) if method in TEXT_METHODS:
                return True
            case ast.Call(func=ast.Name(id="dedent" | "cleandoc" | "str") | ast.Attribute(attr="dedent" | "cleandoc")):
                return True
            case ast.Name() | ast.Attribute():
                bound = binding(source, node)
                if bound is None:
                    return _always_text(source, node) or (written is not None and _assigned_text(source, written))
                node = bound
            case _:
                return False
    return False


def _always_text(source: Source, name: ast.Name | ast.Attribute) -> bool:
    """True for a name that is bound several times, always to a text or to itself with something behind."""
    home = _home(source, name)
    values: list[ast.expr] = []
    for node in _inside(home) if home is not None and isinstance(name, ast.Name) else ():
        if not _stores(node, name):
            continue
        value, above = _value(source, node), next(source.above(node), None)
        if value is not None and not isinstance(value, ast.Name):
            values.append(value)
        elif not (isinstance(above, ast.AugAssign) and isinstance(above.op, ast.Add) and above.target is node):
            return False
    return bool(values) and all(is_text(source, value) for value in values)


def _assigned_text(source: Source, written: Location) -> bool:
    """True for a string of another file that is the whole value of an assignment."""
    home = read(written.document)
    if home is None or home is source:
        return False
    found = home.node(written, ast.Constant) or home.node(written, ast.JoinedStr)
    above = next(home.above(found), None) if found is not None else None
    return isinstance(above, (ast.Assign, ast.AnnAssign)) and above.value is found


def json_body(source: Source, node: ast.expr) -> ast.expr | None:
    """What a request body is the JSON of: the argument of ``json.dumps``, which may be encoded or bound to a name."""
    for _ in range(MOST_STEPS):
        match node:
            case ast.Call(func=ast.Attribute(attr="encode", value=inner)):
                node = inner
            case ast.Call(func=ast.Attribute(attr="dumps") | ast.Name(id="dumps"), args=[body, *_]):
                return body
            case ast.Call(func=ast.Name(id="bytes" | "bytearray"), args=[inner, *_]):
                node = inner
            case ast.Name() | ast.Attribute():
                bound = binding(source, node)
                if bound is None:
                    return None
                node = bound
            case _:
                return None
    return None


def binding(source: Source, name: ast.Name | ast.Attribute) -> ast.expr | None:
    """The one expression that a name, or an attribute of ``self``, is bound to; None where there are several, or
    none in this file."""
    home = _home(source, name)
    if home is None:
        return None
    nodes = ast.walk(home) if isinstance(name, ast.Attribute) else _inside(home)
    targets = [node for node in nodes if _stores(node, name)]
    return _value(source, targets[0]) if len(targets) == 1 else None


def _home(source: Source, name: ast.Name | ast.Attribute) -> Scope | None:
    """The scope that binds a name, the class for an attribute of ``self``."""
    if isinstance(name, ast.Attribute):
        if not isinstance(name.value, ast.Name) or name.value.id not in ("self", "cls"):
            return None
        return next((one for one in source.above(name) if isinstance(one, ast.ClassDef)), None)
    for scope in source.scopes(name):
        if _declares(scope, name.id):
            return None
        if any(_stores(one, name) for one in _inside(scope)):
            return scope
    return None


def _inside(scope: Scope) -> Iterator[ast.AST]:
    """The nodes of a scope without those of the functions and classes in it."""
    waiting: list[ast.AST] = list(scope.body) if isinstance(scope.body, list) else [scope.body]
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            waiting.extend(ast.iter_child_nodes(node))


def _stores(node: ast.AST, name: ast.Name | ast.Attribute) -> bool:
    match node, name:
        case ast.Name(id=one, ctx=ast.Store() | ast.Del()), ast.Name(id=other):
            return one == other
        case ast.Attribute(attr=one, ctx=ast.Store() | ast.Del(), value=ast.Name(id="self" | "cls")), ast.Attribute(
            attr=other
        ):
            return one == other
        case (ast.alias(), ast.Name(id=other)):
            return (node.asname or node.name.split(".")[0]) == other
        case ((ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef()), ast.Name(id=other)):
            return node.name == other
        case (ast.ExceptHandler() | ast.MatchAs() | ast.MatchStar(), ast.Name(id=other)):
            return node.name == other
        case (ast.Global() | ast.Nonlocal(), ast.Name(id=other)):
            return other in node.names
        case _:
            return False


def _declares(scope: Scope, name: str) -> bool:
    """True for a parameter of the name."""
    if not isinstance(scope, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
        return False
    given = scope.args
    extra = [one for one in (given.vararg, given.kwarg) if one is not None]
    return any(one.arg == name for one in (*given.posonlyargs, *given.args, *given.kwonlyargs, *extra))


def _value(source: Source, target: ast.AST) -> ast.expr | None:
    """The right side of a plain assignment to a target."""
    above = next(source.above(target), None)
    match above:
        case ast.Assign(targets=[only], value=value) if only is target:
            return value
        case ast.AnnAssign(value=ast.expr() as value):
            return value
        case _:
            return None


def _only_read(source: Source, name: ast.Name | ast.Attribute) -> bool:
    """False where a method of the bound object may change it, or part of it is deleted."""
    for use in _uses(source, name):
        parent = next(source.above(use), None)
        match parent:
            case ast.Attribute(attr=method) if method not in READS:
                grand = next(source.above(parent), None)
                if isinstance(grand, ast.Call) and grand.func is parent:
                    return False
            case ast.Subscript(ctx=ast.Del()) | ast.AugAssign():
                return False
            case ast.Subscript(ctx=ast.Store(), slice=key) if not isinstance(key, ast.Constant):
                return False
    return True


def _uses(source: Source, name: ast.Name | ast.Attribute) -> Iterator[ast.AST]:
    """Every place of a name in the scope, or of an attribute in the class, in which it is bound."""
    home = _home(source, name)
    for node in ast.walk(home) if home is not None else ():
        match node, name:
            case ast.Name(id=one), ast.Name(id=other) if one == other:
                yield node
            case ast.Attribute(attr=one, value=ast.Name(id="self" | "cls")), ast.Attribute(attr=other) if one == other:
                yield node


def _assigned_items(source: Source, name: ast.Name | ast.Attribute, key: str) -> Iterator[ast.Assign]:
    """Assignments ``name["key"] = ...``."""
    for use in _uses(source, name):
        above = source.above(use)
        item, statement = next(above, None), next(above, None)
        if (
            isinstance(item, ast.Subscript)
            and isinstance(item.ctx, ast.Store)
            and isinstance(item.slice, ast.Constant)
            and item.slice.value == key
            and isinstance(statement, ast.Assign)
        ):
            yield statement


def _own(owner: ast.Call | ast.Dict, key: str) -> Set | None:
    """The argument where the display or call itself names it."""
    if isinstance(owner, ast.Call):
        named = next((one for one in owner.keywords if one.arg == key), None)
        return Set(named.value, named, owner) if named is not None else None
    for name, value in zip(owner.keys, owner.values, strict=True):
        if isinstance(name, ast.Constant) and name.value == key:
            return Set(value, name, owner)
    return None


def _in_spread(source: Source, owner: ast.Call | ast.Dict, path: tuple[str, ...]) -> Set | Gap | Literal[False] | None:
    """The argument in what a ``**`` of the call or dict brings in: False where none of it holds the first step, None
    where that is not known."""
    if isinstance(owner, ast.Call):
        spread = [one.value for one in owner.keywords if one.arg is None]
    else:
        spread = [value for name, value in zip(owner.keys, owner.values, strict=True) if name is None]
    for value in spread:
        inner = holder(source, value)
        found = _argument(source, inner, path) if inner is not None else None
        if found is None or isinstance(found, Set) or len(found.path) < len(path):
            return found
    return False


def _open_to(owner: ast.Call | ast.Dict) -> bool:
    """False where an argument in a position that is not known may be the one, or a key that is not written out."""
    if isinstance(owner, ast.Call):
        return not any(isinstance(one, ast.Starred) for one in owner.args)
    return all(key is None or isinstance(key, ast.Constant) for key in owner.keys)


def _builds(node: ast.Call) -> bool:
    """True for ``dict(...)`` and for a class by its name."""
    match node.func:
        case ast.Name(id="dict"):
            return not node.args
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name[:1].isupper() and not name.isupper() and not node.args
        case _:
            return False
