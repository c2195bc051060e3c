"""Source lines around a place, with a gutter and carets, in ruff's "full" frame."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from promptslim.core.text import Location
from promptslim.report.escape import character

CONTEXT = 2
"""Lines shown before and after the place."""

WIDTH = 200
"""Columns of source shown of one line; the rest is cut around the place."""

LEAD = 60
"""Columns kept before the place in a line that is cut."""

MARKED_LINES = 4
"""Lines of the place itself that are shown; a longer place is cut."""

TAB = 4


def excerpt(location: Location) -> Iterator[tuple[str, str]]:
    """Pairs of gutter text and line text. The gutter is the line number, or empty under carets."""
    document = location.document
    first, column = location.start
    last, end_column = location.end
    if last > first and end_column == 1:
        last, end_column = last - 1, len(document.line(last - 1)) + 1
    shown_last = min(last, first + MARKED_LINES - 1)
    start, stop = max(1, first - CONTEXT), min(len(document.line_starts()), shown_last + CONTEXT)
    while start < first and not document.line(start).strip():
        start += 1
    while stop > shown_last and not document.line(stop).strip():
        stop -= 1
    after = range(shown_last + 1, stop + 1) if last == shown_last else range(0)
    for number in range(start, first):
        yield str(number), _cut(document.line(number), 0, 0)[0]
    for number in range(first, shown_last + 1):
        line = document.line(number)
        begin = column - 1 if number == first else len(line) - len(line.lstrip())
        end = end_column - 1 if number == last else len(line)
        text, carets = _cut(line, begin, max(begin, end))
        yield str(number), text
        yield "", carets
    for number in after:
        yield str(number), _cut(document.line(number), 0, 0)[0]


def _cut(line: str, start: int, end: int) -> tuple[str, str]:
    """The part of ``line`` to show, and carets under the characters ``[start, end)`` (one at least)."""
    begin = max(0, start - LEAD) if len(line) > WIDTH else 0
    shown = ["…"] if begin else []
    column = len(shown)
    first_caret = last_caret = None
    index = begin
    while index < len(line) and column < WIDTH:
        if index == start:
            first_caret = column
        text, width = _cell(line[index], column)
        shown.append(text)
        column += width
        index += 1
        if index == end:
            last_caret = column
    if first_caret is None:
        first_caret = column
    if last_caret is None or last_caret <= first_caret:
        last_caret = first_caret + 1 if end <= start or column <= first_caret else column
    if index < len(line):
        shown.append("…")
    return "".join(shown).rstrip(), " " * first_caret + "^" * (last_caret - first_caret)


def _cell(char: str, column: int) -> tuple[str, int]:
    """What a terminal shows for a character, and how many columns it takes."""
    if " " <= char <= "~":
        return char, 1
    if char == "\t":
        width = TAB - column % TAB
        return " " * width, width
    shown = character(char)
    if shown != char:
        return shown, len(shown)
    if unicodedata.category(char) in ("Mn", "Me"):
        return char, 0
    return char, 2 if unicodedata.east_asian_width(char) in "WF" else 1
