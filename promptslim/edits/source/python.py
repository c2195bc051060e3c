"""Text in Python string literals, of a module or a notebook cell."""

from __future__ import annotations

import re
import warnings
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache

from promptslim.core.record import record
from promptslim.core.text import Document
from promptslim.edits.source.holder import indented
from promptslim.extract.notebook import without_magics
from promptslim.extract.python.literals import Field, Piece, StringToken, closing, string_token

_TOKEN = re.compile(r"#[^\n]*|(?:(?<!\w)(?:[rR][bBfF]?|[bBfF][rR]?|[uU]))?(?:'''|\"\"\"|'|\")")
_NAMED = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


@record
class StringHolder:
    """One string token. ``nested``: it stands in the field of an f-string."""

    source: str
    token: StringToken
    nested: bool = False

    @property
    def start(self) -> int:
        """After the opening quote."""
        return self.token.body_start

    @property
    def end(self) -> int:
        """Before the closing quote."""
        return self.token.body_end

    def end_of(self, offset: int, following: int) -> int:  # noqa: ARG002 (the token knows its escapes)
        """The end of the character: of its escape where it is written as one."""
        return _ends(self.token).get(offset, offset + 1)

    def written(self, start: int, end: int, text: str, lead: str, margin: str) -> str | None:
        """The text escaped for prefix and quotes; None where the token read again does not say what it should."""
        content = lead + indented(text, margin)
        written = self._escaped(content, start, end)
        if written is None or (self.nested and written != text):
            return None
        changed = self.source[self.token.start : start] + written + self.source[end : self.token.end]
        again = string_token(changed, 0, len(changed))
        if again is None or again.end != len(changed):
            return None
        before = [one for place, one in _values(self.token, self.source) if place < start]
        after = [one for place, one in _values(self.token, self.source) if place >= end]
        found = [one for _, one in _values(again, changed)]
        return written if found == [*before, *content, *after] and _compiles(changed) else None

    def characters(self) -> Iterator[tuple[int, str]]:
        """The characters of the string with their places; a field of an f-string counts as one."""
        return _values(self.token, self.source)

    def expressions(self) -> Iterator[tuple[int, int]]:
        """The ranges of the expressions in the fields of an f-string."""
        for piece in self.token.pieces:
            if isinstance(piece, Field):
                yield piece.expression_start, piece.expression_end

    def _escaped(self, text: str, start: int, end: int) -> str | None:
        token = self.token
        quote = token.quote[0]
        if token.raw:
            multi = len(token.quote) == 3
            if any(ord(char) < 32 and char not in ("\n\t" if multi else "\t") for char in text):
                return None
            return _doubled(text) if token.formatted else text
        multi = len(token.quote) == 3
        ascii_only = self.source.isascii()
        written: list[str] = []
        for index, char in enumerate(text):
            if char == quote and multi:
                around = (
                    (text[index - 1] if index else self.source[start - 1]),
                    (text[index + 1] if index + 1 < len(text) else self.source[end]),
                )
                written.append("\\" + char if quote in around else char)
            elif char == quote:
                written.append("\\" + char)
            elif char in "\n\t" and multi:
                written.append(char)
            elif char in _NAMED:
                written.append(_NAMED[char])
            elif not char.isprintable() or (ascii_only and ord(char) > 126):
                written.append(_code(char))
            else:
                written.append(char * 2 if token.formatted and char in "{}" else char)
        return "".join(written)


def _compiles(token: str) -> bool:
    """False for escapes that Python does not read, such as a backslash that meets a new character."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(token, "string", "eval", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


def _doubled(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _code(char: str) -> str:
    number = ord(char)
    return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}" if number < 65536 else f"\\U{number:08x}"


def _values(token: StringToken, source: str) -> Iterator[tuple[int, str]]:
    """The characters of a token with their places; a field counts as one."""
    for piece in token.pieces:
        if isinstance(piece, Field):
            yield piece.start, source[piece.start : piece.end]
        else:
            yield from zip(piece.source_map, piece.text, strict=False)


def _ends(token: StringToken) -> dict[int, int]:
    """Ends of the characters of a token that are written with more than one."""
    return _ends_of(token.body, token.body_start, token.raw, token.pieces)


@lru_cache(maxsize=64)
def _ends_of(body: str, base: int, raw: bool, pieces: tuple[Piece, ...]) -> dict[int, int]:
    ends: dict[int, int] = {}
    for piece in pieces:
        if isinstance(piece, Field) or isinstance(piece.source_map, range):
            continue
        places = piece.source_map
        for index, place in enumerate(places[:-1]):
            end = places[index + 1]
            if end > place + 1 and not (raw and body[place - base] == "\\"):
                ends[place] = _without_continuation(body, place - base, end - base) + base
    return ends


def _without_continuation(body: str, start: int, end: int) -> int:
    """The end of a character between whose beginning and the next one there may be line continuations."""
    position = start + 2 if body[start] == "\\" else start + 1
    found = body.find("\\\n", position, end)
    return end if found < 0 else found


@lru_cache(maxsize=16)
def _tokens(source: str) -> tuple[tuple[int, ...], tuple[StringHolder, ...]]:
    """All string tokens of a source in the order in which they begin, those inside f-strings included."""
    holders = list(_scan(source, 0, len(source), nested=False))
    return tuple(holder.token.start for holder in holders), tuple(holders)


def _scan(source: str, position: int, end: int, *, nested: bool) -> Iterator[StringHolder]:
    while match := _TOKEN.search(source, position, end):
        if match[0][0] == "#":
            position = match.end()
            continue
        token = string_token(source, match.start(), end)
        if token is None:
            position = closing(source, match.start(), end) or match.end()
            continue
        yield StringHolder(source, token, nested)
        for piece in token.pieces:
            if isinstance(piece, Field):
                yield from _scan(source, piece.expression_start, piece.expression_end, nested=True)
        position = token.end


def string_holder(document: Document, offset: int) -> StringHolder | None:
    """The innermost string literal that holds the character at an offset, None where there is none."""
    source = document.text if document.cell is None else without_magics(document.text)
    starts, holders = _tokens(source)
    index = bisect_right(starts, offset) - 1
    while index >= 0:
        holder = holders[index]
        if holder.start <= offset <= holder.end:
            return holder
        if not holder.nested:
            return None
        index -= 1
    return None


def string_holders(document: Document) -> Sequence[StringHolder]:
    """All string literals of a module or cell."""
    return _tokens(document.text if document.cell is None else without_magics(document.text))[1]
