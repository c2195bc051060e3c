"""Places as people read them."""

from __future__ import annotations

from promptslim.core.text import Location
from promptslim.report import escape


def place(location: Location) -> str:
    """``path:line:column``, with the cell (counted from 0, as in the JSON output) in a notebook."""
    line, column = location.start
    cell = "" if location.cell is None else f":cell {location.cell}"
    return f"{escape.path(location.path)}{cell}:{line}:{column}"
