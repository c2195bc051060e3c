"""Text in JSON strings."""

from __future__ import annotations

import json

from promptslim.core.text import Document
from promptslim.edits.source.data import Scalar, text_at


def json_string(document: Document, offset: int) -> Scalar | None:
    """The string that holds the character at an offset."""
    value = text_at(document, offset)
    if value is None:
        return None
    span = value.location.span
    escape = _ascii if document.text.isascii() else _unicode
    return Scalar(document, value, '"', (span.start + 1, span.end - 1), escape)


def _ascii(text: str, before: str, after: str) -> str | None:  # noqa: ARG001
    return json.dumps(text)[1:-1]


def _unicode(text: str, before: str, after: str) -> str | None:  # noqa: ARG001
    return json.dumps(text, ensure_ascii=False)[1:-1]
