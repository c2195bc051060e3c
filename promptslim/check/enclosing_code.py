"""Which functions and loops of a program stand around a place in it. Parses the file, so ask only where a finding
is at stake."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from promptslim.core.text import Location


def enclosing(place: Location) -> tuple[int, ...] | None:
    """First lines of the functions and loops around a place, from the outside in; None where the code cannot be
    parsed (a notebook cell with magics, a file that is no Python)."""
    import ast

    try:
        tree = ast.parse(place.document.text)
    except (SyntaxError, ValueError, RecursionError):
        return None
    line = place.start[0]
    found = (
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.For, ast.AsyncFor, ast.While))
        and node.lineno <= line <= (node.end_lineno or node.lineno)
    )
    return tuple(sorted(found))
