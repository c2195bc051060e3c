"""A name of a package, brought into a file that does not import it yet."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import pairwise

from promptslim.core.record import record
from promptslim.edits.calls.change import Change
from promptslim.edits.calls.source import Source


@record
class Imported:
    """``name`` is what an object of a module is called in a file; ``change`` imports it (None: it is imported)."""

    name: str
    change: Change | None


def imported(source: Source, user: ast.Call, module: str, name: str) -> Imported | None:
    """``name`` of ``module`` for use beside a call: as it is imported, else added to an import from that module or on
    a line behind the import of the call's own name. None where something else has the name, and where neither import
    stands at the top of the file."""
    found = [one for one in _imports(source) if f"{one.module}.".startswith(f"{module}.") and one in source.tree.body]
    for statement in found:
        for alias in statement.names:
            if alias.name == name:
                return Imported(alias.asname or name, None)
    if _is_taken(source, name):
        return None
    for statement in found:
        if statement.module == module and (change := _extended(source, statement, name)) is not None:
            return Imported(name, change)
    beside = _import_of(source, user)
    if beside is None:
        return None
    added = _behind(source, _last_before(source, beside, module), module, name)
    return Imported(name, added) if added is not None else None


def is_from(source: Source, user: ast.Call, module: str) -> bool:
    """Whether what a call calls is imported from a module, at the top of the file."""
    statement = _import_of(source, user)
    return isinstance(statement, ast.ImportFrom) and statement.module == module and not statement.level


def _imports(source: Source) -> Iterator[ast.ImportFrom]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node


def _is_taken(source: Source, name: str) -> bool:
    """Whether the file, at any place, gives the name to something."""
    for node in ast.walk(source.tree):
        match node:
            case ast.Name(id=one, ctx=ast.Store() | ast.Del()) | ast.arg(arg=one) if one == name:
                return True
            case ast.FunctionDef(name=one) | ast.AsyncFunctionDef(name=one) | ast.ClassDef(name=one) if one == name:
                return True
            case ast.alias() if (node.asname or node.name.split(".")[0]) in (name, "*"):
                return True
            case ast.ExceptHandler(name=one) | ast.MatchAs(name=one) | ast.MatchStar(name=one) if one == name:
                return True
    return False


def _import_of(source: Source, user: ast.Call) -> ast.stmt | None:
    """The statement at the top of the file that imports what a call calls."""
    root = user.func
    while isinstance(root, ast.Attribute):
        root = root.value
    if not isinstance(root, ast.Name):
        return None
    for node in source.tree.body:
        names = node.names if isinstance(node, (ast.Import, ast.ImportFrom)) else ()
        if any((alias.asname or alias.name.split(".")[0]) == root.id for alias in names):
            return node
    return None


def _last_before(source: Source, beside: ast.stmt, module: str) -> ast.stmt:
    """The last import of the block around one whose module comes before another in the alphabet, else that one."""
    body = source.tree.body
    first = last = body.index(beside)
    while first > 0 and isinstance(body[first - 1], (ast.Import, ast.ImportFrom)):
        first -= 1
    while last + 1 < len(body) and isinstance(body[last + 1], (ast.Import, ast.ImportFrom)):
        last += 1
    block = [one for one in body[first : last + 1] if not source.is_apart(beside, one)]
    before = [one for one in block if isinstance(one, ast.ImportFrom) and (one.module or "") < module and not one.level]
    return before[-1] if before else beside


def _extended(source: Source, statement: ast.ImportFrom, name: str) -> Change | None:
    """One more name in an import of one line without a comment: in its place where the names are sorted, else last."""
    if statement.lineno != statement.end_lineno or source.code(statement).endswith(")"):
        return None
    names = [alias.name for alias in statement.names]
    ordered = all(_rank(one) <= _rank(other) for one, other in pairwise(names))
    place = sum(_rank(one) < _rank(name) for one in names) if ordered else len(names)
    at = source.span(statement.names[place]).start if place < len(names) else source.span(statement).end
    edit = source.edit(at, at, f"{name}, " if place < len(names) else f", {name}")
    if not source.fits(edit):
        return None
    aliases = [*statement.names[:place], ast.alias(name=name, asname=None), *statement.names[place:]]
    return Change((edit,), {id(statement): ast.ImportFrom(statement.module, aliases, statement.level)})


def _rank(name: str) -> tuple[int, str]:
    """The order of formatters: constants, classes, the rest."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    return kind, name


def _behind(source: Source, statement: ast.stmt, module: str, name: str) -> Change | None:
    """An import on the line behind a statement."""
    end = source.span(statement).end
    line_end = source.text.find("\n", end)
    rest = source.text[end : line_end if line_end >= 0 else len(source.text)].strip()
    if rest and not rest.startswith("#"):
        return None
    at = line_end if line_end >= 0 else len(source.text)
    added = ast.ImportFrom(module, [ast.alias(name=name, asname=None)], 0)
    return Change((source.edit(at, at, f"\nfrom {module} import {name}"),), behind={id(statement): added})
