"""Which functions and loops of a program stand around a place in it. Parses the file, so ask only where a finding
is at stake."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from promptslim.core.text import Location


def enclosing(place: Location) -> tuple[int, ...] | None:
    """First lines of the functions and loops around a place, from the outside in; None where the code cannot be
    parsed (a notebook cell with magics, a file that is no Python)."""
    found = _blocks(place.document.text)
    line = place.start[0]
    return None if found is None else tuple(first for first, last in found if first <= line <= last)


@lru_cache(maxsize=32)
def _blocks(text: str) -> tuple[tuple[int, int], ...] | None:
    """First and last lines of all functions and loops, in order."""
    import ast

    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.For, ast.AsyncFor, ast.While)
    found = ((n.lineno, n.end_lineno or n.lineno) for n in ast.walk(tree) if isinstance(n, kinds))
    return tuple(sorted(found))
