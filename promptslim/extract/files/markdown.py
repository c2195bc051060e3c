"""Markdown prompt files, and the front matter before the text of these and other files."""

from __future__ import annotations

from promptslim.core.lazy_pattern import pattern
from promptslim.core.text import Document, Span
from promptslim.extract.files.mapped import Mapped, mapped

_FRONT = pattern(r"\s*---[ \t]*\n(?P<yaml>(?:.*\n)*?)(?:---|\.\.\.)[ \t]*(?:\n|$)")
_KEY = pattern(r"\s*(?:#.*\n\s*)*[\w.-]+[ \t]*:(?:\s|$)")
_MOST = 20_000
"""Characters of front matter that are looked through."""


def front_matter(document: Document) -> tuple[Mapped | None, Mapped]:
    """The front matter of a file (None where it has none) and the text after it. Two rules with text between them are
    front matter only where that text begins with a key."""
    text = document.text
    found = _FRONT.match(text, 0, _MOST)
    if found is None or (found["yaml"].strip() and not _KEY.match(found["yaml"])):
        return None, mapped(document)
    head = mapped(document, Span(*found.span("yaml")))
    return head, mapped(document, Span(found.end(), len(text)))
