"""The sections of a text: what a title or an XML-like tag covers."""

from __future__ import annotations

from collections.abc import Sequence

from promptslim.core.record import record
from promptslim.structure.lines import Line
from promptslim.structure.segment import Section

TAG_LEVEL = 8
DEEPEST = 100
"""Tags nested deeper than this open no section of their own."""


@record
class _Open:
    index: int
    level: int
    title: str


def sections_of(lines: Sequence[Line], length: int) -> tuple[tuple[Section, ...], tuple[int, ...]]:
    """The sections of a text of ``length`` characters, the whole text first, and the section of each line.

    A title covers the lines up to the next title of its level or above, within the tag that it stands in.
    A tag covers the lines to its closing tag; one that is never closed is a line like any other.
    """
    closing = _pairs(lines)
    made: list[Section] = [Section("", 0, 0, length, None)]
    stack = [_Open(0, 0, "")]
    of_line: list[int] = []
    ends: dict[int, int] = {}
    for at, line in enumerate(lines):
        if line.kind == "heading":
            while stack[-1].level >= line.level and stack[-1].level not in (0, TAG_LEVEL):
                ends[stack.pop().index] = line.start
            stack.append(_begin(made, stack, line, line.level))
        elif line.kind == "open" and at in closing and len(stack) < DEEPEST:
            stack.append(_begin(made, stack, line, TAG_LEVEL))
        of_line.append(stack[-1].index)
        if line.kind == "close" and any(one.level == TAG_LEVEL and one.title == line.title for one in stack):
            while True:
                closed = stack.pop()
                inner = closed.level != TAG_LEVEL or closed.title != line.title
                ends[closed.index] = line.start if inner else line.end
                if not inner:
                    of_line[-1] = closed.index
                    break
    return tuple(
        section
        if index not in ends
        else Section(section.title, section.level, section.start, ends[index], section.parent)
        for index, section in enumerate(made)
    ), tuple(of_line)


def _begin(made: list[Section], stack: list[_Open], line: Line, level: int) -> _Open:
    made.append(Section(line.title, level, line.start, made[stack[-1].index].end, stack[-1].index))
    return _Open(len(made) - 1, level, line.title)


def _pairs(lines: Sequence[Line]) -> dict[int, int]:
    """Opening tag lines to their closing ones."""
    opened: dict[str, list[int]] = {}
    found: dict[int, int] = {}
    for at, line in enumerate(lines):
        if line.kind == "open":
            opened.setdefault(line.title, []).append(at)
        elif line.kind == "close" and opened.get(line.title):
            found[opened[line.title].pop()] = at
    return found
