"""A change of source code, and the proof that it changes what it says and nothing else."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from itertools import pairwise

from promptslim.core.record import field, record
from promptslim.core.text import Edit
from promptslim.edits.calls.source import Source
from promptslim.extract.python.module import parse


@record
class Change:
    """Edits with what they do to the tree: ``swaps`` gives, by the ``id`` of a node, the node that stands in its
    place afterwards. It may hold nodes of the old tree, the replaced one included. ``behind`` gives a statement at the
    top of the file another one that follows it."""

    edits: tuple[Edit, ...]
    swaps: Mapping[int, ast.AST] = field(default_factory=dict)
    behind: Mapping[int, ast.stmt] = field(default_factory=dict)


def checked(source: Source, changes: Iterable[Change | None]) -> tuple[Edit, ...] | None:
    """The edits of all changes, in order of place; None where there is none, one of the changes is None, they touch
    each other, or the edited text does not have the tree that they promise."""
    edits: list[Edit] = []
    swaps: dict[int, ast.AST] = {}
    behind: dict[int, ast.stmt] = {}
    for change in changes:
        if change is None or swaps.keys() & change.swaps.keys() or behind.keys() & change.behind.keys():
            return None
        edits += change.edits
        swaps |= change.swaps
        behind |= change.behind
    edits.sort(key=lambda edit: (edit.location.span.start, edit.location.span.end))
    touching = any(a.location.span.end > b.location.span.start for a, b in pairwise(edits))
    if not edits or touching or not _holds(source, edits, swaps, behind):
        return None
    return tuple(edits)


def _holds(source: Source, edits: list[Edit], swaps: Mapping[int, ast.AST], behind: Mapping[int, ast.stmt]) -> bool:
    """Compares the top-level statements that are edited; the others cannot change while those stay whole."""
    start, end = edits[0].location.span.start, edits[-1].location.span.end
    inside = [node for node in source.tree.body if _overlaps(source, node, start, end)]
    if not inside:
        return False
    begin, stop = _first(source, inside[0]), source.span(inside[-1]).end
    if behind.keys() & {id(inside[-1])}:
        stop = max(stop, end)
    if start < begin or end > stop:
        return False
    text = source.text[begin:stop]
    for edit in reversed(edits):
        span = edit.location.span
        text = text[: span.start - begin] + edit.text + text[span.end - begin :]
    tree, _ = parse(text)
    after = tree.body if tree is not None else []
    wanted = [one for node in inside for one in (node, behind.get(id(node))) if one is not None]
    try:
        return len(after) == len(wanted) and all(_same(old, new, swaps) for old, new in zip(wanted, after, strict=True))
    except RecursionError:
        return False


def _first(source: Source, node: ast.stmt) -> int:
    """Where a statement begins, its decorators included, at the beginning of the line."""
    lines = [node.lineno, *(one.lineno for one in getattr(node, "decorator_list", ()))]
    start = source.span(node).start
    for _ in range(node.lineno - min(lines)):
        start = source.text.rfind("\n", 0, start)
    return source.text.rfind("\n", 0, start) + 1


def _overlaps(source: Source, node: ast.stmt, start: int, end: int) -> bool:
    return _first(source, node) <= end and start <= source.span(node).end


def _same(old: object, new: object, swaps: Mapping[int, ast.AST]) -> bool:
    if id(old) in swaps:
        rest = {key: value for key, value in swaps.items() if key != id(old)}
        return _same(swaps[id(old)], new, rest)
    if type(old) is not type(new):
        return False
    if isinstance(old, ast.AST):
        names = old._fields
        return all(_same(getattr(old, name, None), getattr(new, name, None), swaps) for name in names)
    if isinstance(old, list):
        assert isinstance(new, list)  # noqa: S101 (of the same type)
        return len(old) == len(new) and all(_same(a, b, swaps) for a, b in zip(old, new, strict=True))
    return repr(old) == repr(new)
