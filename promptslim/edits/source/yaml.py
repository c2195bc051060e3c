"""Text in YAML scalars: plain, quoted, and blocks."""

from __future__ import annotations

import re

from promptslim.core.text import Document
from promptslim.edits.source.data import Scalar, text_at

_HEADER = re.compile(r"[|>][-+0-9]*[ \t]*(?:#[^\n]*)?\n")
_NAMED = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def yaml_scalar(document: Document, offset: int) -> Scalar | None:
    """The scalar that holds the character at an offset."""
    value = text_at(document, offset)
    if value is None:
        return None
    span = value.location.span
    style = document.text[span.start : span.start + 1]
    match style:
        case '"':
            return Scalar(document, value, style, (span.start + 1, span.end - 1), _double)
        case "'":
            return Scalar(document, value, style, (span.start + 1, span.end - 1), _single)
        case "|" | ">":
            header = _HEADER.match(document.text, span.start)
            if header is None:
                return None
            return Scalar(document, value, style, (header.end(), span.end), _block if style == "|" else _one_line)
        case _:
            return Scalar(document, value, "", (span.start, span.end), _one_line)


def _double(text: str, before: str, after: str) -> str | None:  # noqa: ARG001
    return "".join(_NAMED.get(char) or (char if char.isprintable() else f"\\U{ord(char):08x}") for char in text)


def _single(text: str, before: str, after: str) -> str | None:
    written = _one_line(text, before, after)
    return None if written is None else written.replace("'", "''")


def _one_line(text: str, before: str, after: str) -> str | None:  # noqa: ARG001
    """Text as it is; a line break would be folded."""
    return text if all(char.isprintable() for char in text) else None


def _block(text: str, before: str, after: str) -> str | None:  # noqa: ARG001
    return text if all(char.isprintable() or char == "\n" for char in text) else None
