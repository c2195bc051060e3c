"""The segments of a prompt text."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import Literal as Choice

from promptslim.core.prompt import Hole
from promptslim.core.record import record
from promptslim.structure.flat import HOLE, FlatText

SegmentKind = Choice["heading", "sentence", "row", "code", "data", "tag", "rule"]
"""heading: a title line. sentence: of a paragraph or list item. row: of a table. code: a whole fence. data: lines
of JSON or a schema. tag: a line that is one XML-like tag. rule: a line of dashes or the like."""


@record
class Segment:
    """The smallest piece: offsets into the flat text, the blank space after it included.

    ``section`` is an index into ``Structure.sections``. ``item`` numbers the list items (None outside
    lists). ``side`` counts the data holes before it. ``example``: it stands in an example, ``tool``: in the
    definition of a tool or parameter, ``certain``: it is sent with every request.
    """

    kind: SegmentKind
    start: int
    end: int
    section: int
    item: int | None
    side: int
    example: bool
    tool: bool
    certain: bool


@record
class Section:
    """A part of the text with a title: offsets, ``level`` (0: the whole text, 1 to 6: Markdown and ``---Name---``
    lines, 7: titles in bold or capitals, 8: XML-like tags) and the index of the section around it (None for the
    whole text)."""

    title: str
    level: int
    start: int
    end: int
    parent: int | None


@record
class Example:
    """One example that the prompt shows, as offsets into the flat text."""

    start: int
    end: int


@record
class Structure:
    """A prompt text as a tree in flat form: sections (by ``parent``), items, segments.

    ``segments`` covers the text exactly once and in order. ``examples`` holds the single examples, the
    outermost where they are nested.
    """

    flat: FlatText
    segments: tuple[Segment, ...]
    sections: tuple[Section, ...]
    examples: tuple[Example, ...]

    def text(self, segment: Segment) -> str:
        """The characters of a segment, with the blank space after it."""
        return self.flat.text[segment.start : segment.end]

    def named(self, start: int, end: int) -> str:
        """The characters of a range with the expression behind each hole, so that two holes differ."""
        text = self.flat.text[start:end]
        if HOLE not in text:
            return text
        pieces = (
            self.flat.piece(offset) if character == HOLE else None for offset, character in enumerate(text, start)
        )
        return "".join(
            f"{HOLE} {piece.part.expression} " if piece and isinstance(piece.part, Hole) else character
            for character, piece in zip(text, pieces, strict=True)
        )

    def children(self, index: int) -> Iterator[int]:
        """The sections directly inside a section."""
        return (at for at, section in enumerate(self.sections) if section.parent == index)

    def inside(self, start: int, end: int) -> tuple[Segment, ...]:
        """The segments that begin in a range of offsets."""
        first = bisect_right(self.segments, start - 1, key=lambda segment: segment.start)
        last = bisect_right(self.segments, end - 1, key=lambda segment: segment.start)
        return self.segments[first:last]

    def path(self, segment: Segment) -> tuple[str, ...]:
        """The titles around a segment, outermost first."""
        titles: list[str] = []
        at: int | None = segment.section
        while at is not None and self.sections[at].parent is not None:
            titles.append(self.sections[at].title)
            at = self.sections[at].parent
        return tuple(reversed(titles))
