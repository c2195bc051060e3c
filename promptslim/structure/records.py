"""Where a text is a row of records: shown tasks, documents, entries of a list, which repeat each other's wording.

A label (``Question:``), a title or a line that ends in a colon and comes again and again begins a record. Equal
sentences of two records say the same of two things.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from promptslim.core.lazy_pattern import pattern
from promptslim.core.record import record
from promptslim.structure.segment import Segment, Structure

LEAST_RECORDS = 3
FARTHEST = 25
"""Segments from the label of a record to what still belongs to it."""

LONGEST_LABEL = 120
_LABEL = pattern(r"[*_`#\s]*([^\W\d_][^\n:：.!?]{0,40}?)[*_`\s]*(?:\([^()\n]{0,60}\))?[*_`\s]*[:：]")  # noqa: RUF001
_MARKER = pattern(r"\s*(?:[-*+•–]\s+|\(?\d{1,3}[.)]\s+|\(?[a-zA-Z][.)]\s+|>\s+)*")  # noqa: RUF001
_DIGITS = pattern(r"\d+")
_NO_LABELS = frozenset({
    "note", "notes", "important", "warning", "reminder", "remember", "tip", "tips", "caution", "attention", "rule",
    "rules", "critical", "mandatory", "hint", "example", "examples", "for example", "step",
})  # fmt: skip
"""Words before a colon that mark an instruction and begin no record."""


@record
class Records:
    """The segments that begin records, one row of indexes per label."""

    rows: tuple[tuple[int, ...], ...]

    def apart(self, first: int, second: int) -> bool:
        """Whether two segments stand in different records of one kind."""
        return any(_in_two(row, first, second) for row in self.rows)


def records_in(structure: Structure) -> Records:
    """The records of a text."""
    rows: dict[str, list[int]] = {}
    for index, segment in enumerate(structure.segments):
        if (label := _label(structure, segment)) is not None:
            rows.setdefault(label, []).append(index)
    return Records(tuple(tuple(row) for row in rows.values() if len(row) >= LEAST_RECORDS))


def _label(structure: Structure, segment: Segment) -> str | None:
    if segment.kind not in ("sentence", "heading", "data"):
        return None
    text = structure.flat.text[segment.start : min(segment.end, segment.start + LONGEST_LABEL)]
    marker = _MARKER.match(text)
    body = text[marker.end() :] if marker else text
    line = body.partition("\n")[0].strip()
    if segment.kind == "heading" or line.endswith((":", "：")):  # noqa: RUF001
        return _plain(line)
    match = _LABEL.match(body)
    return _plain(match[1]) if match and _plain(match[1]) not in _NO_LABELS else None


def _plain(text: str) -> str:
    return _DIGITS.sub("", text).casefold().strip(" *_`#:：")  # noqa: RUF001


def _in_two(row: tuple[int, ...], first: int, second: int) -> bool:
    """The nearest beginning before each of the two differs, or the nearest after each of them."""
    before = bisect_right(row, first) - 1, bisect_right(row, second) - 1
    if 0 <= before[0] < before[1] and first - row[before[0]] <= FARTHEST and second - row[before[1]] <= FARTHEST:
        return True
    after = bisect_left(row, first), bisect_left(row, second)
    return after[0] < after[1] < len(row) and row[after[0]] - first <= FARTHEST and row[after[1]] - second <= FARTHEST
