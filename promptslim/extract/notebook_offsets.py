"""From the text of a notebook cell back to the characters of the .ipynb file that hold it."""

from __future__ import annotations

import re

from promptslim.core.lazy_pattern import pattern
from promptslim.extract.notebook import source_strings

_CHARACTER = pattern(r"\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u....|\\.|[^\\]", re.DOTALL)


def source_offsets(text: str, cell: int) -> list[int]:
    """For each character of the source of a cell the offset in the JSON ``text`` at which it is written, and at the
    end that of the quote which closes the source. Empty for a cell without source, or in an unusual notebook."""
    cells = source_strings(text)
    if cell >= len(cells):
        return []
    offsets: list[int] = []
    end = None
    for start, stop in cells[cell].strings:
        offsets += [match.start() for match in _CHARACTER.finditer(text, start + 1, stop - 1)]
        end = stop - 1
    return [] if end is None else [*offsets, end]
