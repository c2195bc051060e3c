"""Text in TOML strings: basic, literal, and those of several lines."""

from __future__ import annotations

from promptslim.core.text import Document
from promptslim.edits.source.data import Escape, Scalar, text_at

_NAMED = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def toml_string(document: Document, offset: int) -> Scalar | None:
    """The string that holds the character at an offset."""
    value = text_at(document, offset)
    if value is None:
        return None
    span = value.location.span
    opening = document.text[span.start : span.start + 3]
    style = opening if opening in ('"""', "'''") and span.end - span.start >= 6 else opening[:1]
    escapes: dict[str, Escape] = {'"': _basic, '"""': _basic_lines, "'": _literal, "'''": _literal_lines}
    if style not in escapes:
        return None
    body = (span.start + len(style), span.end - len(style))
    return Scalar(document, value, style, body, escapes[style])


def _basic(text: str, before: str, after: str) -> str | None:  # noqa: ARG001
    return "".join('\\"' if char == '"' else _escaped(char) for char in text)


def _basic_lines(text: str, before: str, after: str) -> str | None:
    written: list[str] = []
    for index, char in enumerate(text):
        around = (text[index - 1] if index else before[-1:], text[index + 1] if index + 1 < len(text) else after[:1])
        if char == '"':
            written.append('\\"' if '"' in around or "" in around else char)
        else:
            written.append(char if char == "\n" else _escaped(char))
    return "".join(written)


def _literal(text: str, before: str, after: str) -> str | None:  # noqa: ARG001
    return text if "'" not in text and _plain(text) else None


def _literal_lines(text: str, before: str, after: str) -> str | None:  # noqa: ARG001
    return text if _plain(text.replace("\n", "")) else None


def _escaped(char: str) -> str:
    return _NAMED.get(char) or (char if char.isprintable() else f"\\U{ord(char):08x}")


def _plain(text: str) -> bool:
    return all(char.isprintable() or char == "\t" for char in text)
