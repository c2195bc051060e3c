"""From the parts of a prompt to its structure. Every step is linear in the length of the text."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache

from promptslim.core.lazy_pattern import pattern
from promptslim.core.prompt import Part, Prompt
from promptslim.core.record import record
from promptslim.structure.examples import example_regions
from promptslim.structure.flat import flatten
from promptslim.structure.lines import Line, lines
from promptslim.structure.sections import sections_of
from promptslim.structure.segment import Example, Section, Segment, SegmentKind, Structure
from promptslim.structure.sentences import sentence_ends

_TOOLS = pattern(
    r"\b(?:tools?|functions?|apis?|commands?|actions?|operations?|endpoints?|parameters|arguments|tool_use)\b",
    re.IGNORECASE,
)
_RULES = pattern(r"\b(?:guidelines?|rules?|instructions?|principles?|practices|polic(?:y|ies)|tips)\b", re.IGNORECASE)
"""A title on how to use the tools: what stands under it are sentences like any other."""

_IDENTIFIER = pattern(r"[`*\"]*(?:[a-z]+_[a-z0-9_]+|[a-z]+[A-Z]\w*|[A-Za-z_][\w.]*\([^()\n]*\))[`*\"]*(?:\s*[(:].*)?$")
_PARAMETER = pattern(
    r"(?:[-*][ \t]*)?[`*\"]*[A-Za-z_][\w.\[\]-]{0,40}[`*\"]*[ \t]*"
    r"(?:\([^()\n]{1,40}\)[`*]*[ \t]*:|:[ \t]*\(?(?:required|optional|string|integer|number|boolean|array|object|str"
    r"|int|float|bool|list|dict)\b)",
    re.IGNORECASE,
)
LONGEST_PARAMETER = 120
"""Characters in which the name and the type of a parameter stand."""

_TERMINAL = pattern(r"[.!?:;。！？][\"'”’)\]*_`]{0,3}[ \t]*$")  # noqa: RUF001
_CONTINUES = pattern(r"[ \t]*[a-zà-ÿ(]")


@record
class _Run:
    """Consecutive lines that make one block of segments; ``item`` numbers its list item."""

    kind: SegmentKind
    start: int
    end: int
    section: int
    item: int | None


KEPT = 2_000
"""Structures kept: every rule asks for that of every prompt, one rule after the other."""


class _Same:
    """The parts of one prompt object as a key: told by identity, since comparing long texts takes longer."""

    __slots__ = ("parts",)

    def __init__(self, parts: tuple[Part, ...]) -> None:
        self.parts = parts

    def __hash__(self) -> int:
        return id(self.parts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.parts is self.parts


def structure_of(prompt: Prompt) -> Structure:
    """The structure of a prompt's text; the text of tools is all tool definition."""
    return _kept(_Same(prompt.parts), prompt.shape == "tools" or prompt.role in ("tools", "tool"))


@lru_cache(maxsize=KEPT)
def _kept(same: _Same, tools: bool) -> Structure:
    return structure(same.parts, tools=tools)


def structure(parts: Sequence[Part], *, tools: bool = False) -> Structure:
    """The structure of the text that ``parts`` make up. ``tools``: they define tools."""
    flat = flatten(parts)
    found = tuple(lines(flat.text))
    sections, of_line = sections_of(found, len(flat.text))
    examples, shown = example_regions(flat, found, sections)
    tool_sections = _tool_sections(sections)
    segments: list[Segment] = []
    start = 0
    for run in _runs(flat.text, found, of_line):
        for end in _ends(flat.text, run):
            text = flat.text[start:end]
            words = start + len(text) - len(text.lstrip())
            segments.append(
                Segment(
                    run.kind,
                    start,
                    end,
                    run.section,
                    run.item,
                    flat.side(words),
                    _within(shown, words),
                    tools
                    or run.section in tool_sections
                    or _PARAMETER.match(flat.text, words, min(end, words + LONGEST_PARAMETER)) is not None,
                    flat.certain(start) and flat.certain(start + max(len(text.rstrip()) - 1, 0)),
                )
            )
            start = end
    return Structure(flat, tuple(segments), sections, examples)


def _within(regions: Sequence[Example], offset: int) -> bool:
    at = bisect_right(regions, offset, key=lambda region: region.start) - 1
    return at >= 0 and offset < regions[at].end


def _runs(text: str, found: Sequence[Line], of_line: Sequence[int]) -> Iterator[_Run]:
    """Blocks of lines, which cover the text: blank lines belong to the block before them (at the very start, to
    the first block)."""
    items = 0
    current: _Run | None = None
    closed = False
    start = 0
    for line, section in zip(found, of_line, strict=True):
        if line.kind == "blank":
            if current is not None:
                current = _Run(current.kind, current.start, line.end, current.section, current.item)
                closed = True
            continue
        items += line.kind == "item"
        if current is not None and not closed and _joins(text, current, line):
            current = _Run(current.kind, current.start, line.end, current.section, current.item)
            continue
        if current is not None:
            yield current
            start = current.end
        continues = line.kind == "text" and current is not None and current.item is not None and not closed
        item = items if line.kind == "item" else current.item if continues and current is not None else None
        current = _Run(_KINDS[line.kind], start, line.end, section, item)
        closed = False
    if current is not None:
        yield current
    elif text:
        yield _Run("sentence", 0, len(text), 0, None)


_KINDS: dict[str, SegmentKind] = {
    "heading": "heading",
    "open": "tag",
    "close": "tag",
    "rule": "rule",
    "fence": "code",
    "code": "code",
    "row": "row",
    "data": "data",
    "item": "sentence",
    "text": "sentence",
}


def _joins(text: str, run: _Run, line: Line) -> bool:
    """True for a line that goes on with the block: JSON after JSON, and a sentence wrapped over lines."""
    if run.kind == "data":
        return line.kind == "data"
    if run.kind != "sentence" or line.kind != "text":
        return False
    return not _TERMINAL.search(text, max(run.start, run.end - 12), run.end - 1) and bool(
        _CONTINUES.match(text, line.start)
    )


def _ends(text: str, run: _Run) -> Iterator[int]:
    if run.kind == "sentence":
        yield from sentence_ends(text, run.start, run.end)
    yield run.end


def _tool_sections(sections: Sequence[Section]) -> set[int]:
    """Sections that define tools or their parameters: by their title, by being named like a function, or by
    standing in such a section."""
    found: set[int] = set()
    for index, section in enumerate(sections):
        if section.parent is None:
            continue
        named = _IDENTIFIER.match(section.title) is not None and section.level < 8
        title = section.title
        about = len(title.split()) <= 4 and _TOOLS.search(title) and not _RULES.search(title)
        if section.parent in found or named or about:
            found.add(index)
    return found
