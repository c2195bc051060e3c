"""Text with the place of each of its characters in a file."""

from __future__ import annotations

from collections.abc import Sequence

from promptslim.core.prompt import Literal
from promptslim.core.record import record
from promptslim.core.text import Document, Location, Span


@record
class Mapped:
    """A text that stands in a document: a whole file, a part of it, or the value of a string in a data file.

    ``source_map`` has one offset per character plus the end, None where the places are not known; ``span`` is
    the range of the document that holds the text (of a data file: the value as written).
    """

    text: str
    document: Document
    source_map: Sequence[int] | None
    span: Span

    def at(self, start: int, end: int) -> Location:
        """The place of ``text[start:end]``; the whole text where it is not known."""
        if self.source_map is None:
            return Location(self.document, self.span)
        first = self.source_map[start]
        return Location(self.document, Span(first, max(first, self.source_map[end])))

    def literal(self, start: int, end: int, maybe: bool = False) -> Literal:
        """``text[start:end]`` as a part of a prompt."""
        whole = start == 0 and end == len(self.text)
        mapped = self.source_map if whole or self.source_map is None else self.source_map[start : end + 1]
        return Literal(self.text[start:end], self.at(start, end), mapped, maybe)

    def part(self, start: int, end: int) -> Mapped:
        """``text[start:end]`` as a text of its own."""
        mapped = None if self.source_map is None else self.source_map[start : end + 1]
        return Mapped(self.text[start:end], self.document, mapped, self.at(start, end).span)


def mapped(document: Document, span: Span | None = None) -> Mapped:
    """A range of a document (None: all of it) that stands for itself, character by character."""
    span = span or Span(0, len(document.text))
    return Mapped(document.text[span.start : span.end], document, range(span.start, span.end + 1), span)
