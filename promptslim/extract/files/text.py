"""Plain text and Markdown files: what stands in them is what is sent."""

from __future__ import annotations

from promptslim.core.prompt import Part
from promptslim.core.text import Document
from promptslim.extract.files.mapped import mapped


def plain_parts(document: Document) -> tuple[Part, ...]:
    """The whole file as one literal, each character at its own place; nothing for an empty file."""
    return (mapped(document).literal(0, len(document.text)),) if document.text else ()
