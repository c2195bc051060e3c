"""The lines of a prompt text and what each of them is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal as Choice

from promptslim.core.lazy_pattern import pattern
from promptslim.core.record import record

LineKind = Choice["blank", "heading", "open", "close", "rule", "fence", "code", "row", "data", "item", "text"]


@record
class Line:
    """A line with its end, or all of several blank lines: offsets, what it is, its ``title`` (heading: the title,
    open and close: the tag's name) and its ``level`` (of a heading; of an item: the column of its text)."""

    kind: LineKind
    start: int
    end: int
    title: str = ""
    level: int = 0


LONGEST_TITLE_LINE = 300
LONGEST_DATA_LINE = 2_000
"""Characters; longer lines are text. Keeps the patterns linear."""

_BLANK = pattern(r"(?:[ \t]*\r?\n)+")
_FENCE = pattern(r"[ \t]*(?:[-*>] )?(`{3,}|~{3,})(.*)")
_HEADING = pattern(r"[ \t]{0,3}(#{1,6})[ \t]+(\S.*?)[ \t#]*$")
_NAMED_RULE = pattern(
    r"[ \t]*(?:-{2,}|={2,}|#{2,}|\*{3,})[ \t]*([^\W\d_][^\n]{0,58}?)[ \t]*(?:-{2,}|={2,}|#{2,}|\*{3,})[ \t]*$"
)
_BOLD = pattern(r"[ \t]*(\*\*|__)([^*_\n]{2,70})\1[ \t]*:?[ \t]*$")
_CAPITALS = pattern(r"[ \t]*((?=[^a-z\n]*[A-Z]{3})[A-Z][A-Z0-9 /&',()_-]{3,60}):?[ \t]*$")
_RULE = pattern(r"[ \t]*([-=_*#~])(?:[ \t]*\1){2,}[ \t]*$")
_OPEN = pattern(r"[ \t]*<([A-Za-z][\w.:-]{0,60})(?:[ \t][^<>\n]{0,200})?>[ \t]*$")
_CLOSE = pattern(r"[ \t]*</[ \t]*([A-Za-z][\w.:-]{0,60})[ \t]*>[ \t]*$")
_ROW = pattern(r"[ \t]*\|.*\|[ \t]*$")
_DATA = pattern(
    r"[ \t]*(?:[\[\]{}(),]+|[\"'][^\"'\n]{1,80}[\"'][ \t]*:.*|\{+[ \t]*[\"'].*"
    r"|\[+[ \t]*[\"{\[].*|.*[\"\]}][ \t]*[\]}]+,?)[ \t]*$"
)
_LONG_DATA = pattern(r"[ \t]*\"[^\"\n]{1,80}\"[ \t]*:[ \t]*[\"{\[]")
_ITEM = pattern(r"([ \t]*)((?:[-*+•–]|\d{1,3}[.)]|\(?[a-zA-Z][.)]|\(\d{1,3}\)|[ivx]{1,4}[.)])[ \t]+)(?=\S)")  # noqa: RUF001


def lines(text: str) -> Iterator[Line]:
    """Every line of ``text`` in order. A fence that is not closed holds no code: the rest is read as text."""
    bounds = _bounds(text)
    closing = _closings(text, bounds)
    index = 0
    while index < len(bounds):
        start, end = bounds[index]
        if index in closing:
            last = closing[index]
            yield Line("fence", start, bounds[last][1])
            index = last + 1
            continue
        yield _line(text[start:end].rstrip("\r\n"), start, end)
        index += 1


def _bounds(text: str) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    start = 0
    while start < len(text):
        blank = _BLANK.match(text, start)
        end = blank.end() if blank else text.find("\n", start) + 1 or len(text)
        found.append((start, end))
        start = end
    return found


def _closings(text: str, bounds: list[tuple[int, int]]) -> dict[int, int]:
    """First line of each fence to its last one."""
    found: dict[int, int] = {}
    opened: tuple[int, str] | None = None
    for index, (start, end) in enumerate(bounds):
        if "```" not in text[start:end] and "~~~" not in text[start:end]:
            continue
        match = _FENCE.match(text[start:end])
        if match is None:
            continue
        mark, rest = match[1], match[2].strip()
        if opened is None:
            if "`" not in rest:
                opened = index, mark
        elif mark[0] == opened[1][0] and len(mark) >= len(opened[1]) and not rest:
            found[opened[0]] = index
            opened = None
    return found


def _line(content: str, start: int, end: int) -> Line:
    if not content.strip():
        return Line("blank", start, end)
    if len(content) <= LONGEST_TITLE_LINE and (found := _titled(content, start, end)):
        return found
    if _ROW.match(content):
        return Line("row", start, end)
    if (_DATA if len(content) <= LONGEST_DATA_LINE else _LONG_DATA).match(content):
        return Line("data", start, end)
    if match := _ITEM.match(content):
        return Line("item", start, end, level=len(match[0].expandtabs(4)))
    return Line("text", start, end)


def _titled(content: str, start: int, end: int) -> Line | None:
    if match := _HEADING.match(content):
        return Line("heading", start, end, match[2], len(match[1]))
    if _RULE.match(content):
        return Line("rule", start, end)
    if match := _NAMED_RULE.match(content):
        return Line("heading", start, end, match[1], 1)
    if match := _OPEN.match(content):
        return Line("open", start, end, match[1])
    if match := _CLOSE.match(content):
        return Line("close", start, end, match[1])
    if match := _BOLD.match(content):
        return Line("heading", start, end, match[2].rstrip(":"), 7)
    if match := _CAPITALS.match(content):
        return Line("heading", start, end, match[1].rstrip(": "), 7)
    return None
