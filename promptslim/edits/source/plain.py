"""Text that stands for itself: Markdown, text, templates, and data files that are sent as they are."""

from __future__ import annotations

from promptslim.core.record import record
from promptslim.core.text import Document
from promptslim.edits.source.holder import indented


@record
class PlainText:
    """A whole document."""

    document: Document

    @property
    def start(self) -> int:
        """The beginning."""
        return 0

    @property
    def end(self) -> int:
        """The end."""
        return len(self.document.text)

    def end_of(self, offset: int, following: int) -> int:  # noqa: ARG002
        """One character further."""
        return offset + 1

    def written(self, start: int, end: int, text: str, lead: str, margin: str) -> str | None:  # noqa: ARG002
        """The text itself, where a text file can hold it."""
        return None if any(ord(char) < 32 and char not in "\t\n" for char in text) else indented(text, margin)


def plain_text(document: Document) -> PlainText:
    """The document as a holder."""
    return PlainText(document)
