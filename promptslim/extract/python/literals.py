"""String literals with source maps: which source character each character of the value comes from.

``ast`` gives the value of a literal but not where its characters stand, and before Python 3.12 it
gives wrong places for the parts of an f-string. So string tokens are read again here.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from itertools import groupby

from promptslim.core.lazy_pattern import pattern
from promptslim.core.record import record

PREFIX = pattern(r"([A-Za-z]{0,2})('''|\"\"\"|'|\")")
SIMPLE = {
    "\n": "",
    "\\": "\\",
    "'": "'",
    '"': '"',
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
}
OCTAL = pattern(r"[0-7]{1,3}")
PLAIN = pattern(r"[^\\\r\"'{}]+")
"""Characters that stand for themselves in every kind of literal."""
SIZES = {"x": 2, "u": 4, "U": 8}


@record
class Fixed:
    """Literal text; ``source_map`` has one offset per character, plus the end."""

    text: str
    source_map: Sequence[int]


@record
class Field:
    """A replacement field of an f-string: the span of the braces and of the expression inside."""

    start: int
    end: int
    expression_start: int
    expression_end: int
    debug: bool
    spec: tuple[Fixed | Field, ...] = ()


Piece = Fixed | Field


@record
class StringToken:
    """One string token, ``source[start:end]``; ``prefix`` in lower case, ``body`` what stands between the quotes."""

    start: int
    end: int
    prefix: str
    quote: str
    body: str
    pieces: tuple[Piece, ...]

    @property
    def body_start(self) -> int:
        """Where the body begins."""
        return self.start + len(self.prefix) + len(self.quote)

    @property
    def body_end(self) -> int:
        """Where the body ends."""
        return self.end - len(self.quote)

    @property
    def raw(self) -> bool:
        """Whether backslashes stand for themselves."""
        return "r" in self.prefix

    @property
    def formatted(self) -> bool:
        """Whether it is an f-string."""
        return "f" in self.prefix


def string_token(source: str, start: int, end: int) -> StringToken | None:
    """The string token that begins at ``start``; None for bytes and where no token of a known syntax begins."""
    match = PREFIX.match(source, start, end)
    if match is None or {"b", "t"} & set(match[1].lower()):
        return None
    prefix, quote = match[1].lower(), match[2]
    found = _token(source, match.end(), end, quote, prefix)
    if found is None:
        return None
    pieces, after = found
    return StringToken(start, after, prefix, quote, source[match.end() : after - len(quote)], tuple(pieces))


def closing(source: str, start: int, end: int) -> int | None:
    """The end of a string token of any kind that begins at ``start``, escapes taken into account only."""
    match = PREFIX.match(source, start, end)
    return None if match is None else _skip_string(source, match.start(2), end)


def string_pieces(source: str, start: int, end: int) -> tuple[Piece, ...] | None:
    """The pieces of the string expression at ``source[start:end]``, implicit concatenation included.

    None where it is not made of string tokens alone (bytes, or a syntax this reader does not know):
    the caller then has a value without a map.
    """
    pieces: list[Piece] = []
    position = start
    while True:
        position = _skip_blank(source, position, end)
        if position >= end:
            break
        match = PREFIX.match(source, position, end)
        if match is None or "b" in match[1].lower() or "t" in match[1].lower():
            return None
        token = _token(source, match.end(), end, match[2], match[1].lower())
        if token is None:
            return None
        found, position = token
        pieces.extend(found)
    return _merged(pieces)


def _skip_blank(source: str, position: int, end: int) -> int:
    while position < end:
        character = source[position]
        if character in " \t\n\r\f":
            position += 1
        elif character == "\\" and source[position + 1 : position + 2] in ("\n", "\r"):
            position += 2
        elif character == "#":
            line_end = source.find("\n", position)
            position = end if line_end < 0 else line_end
        else:
            break
    return position


def _merged(pieces: list[Piece]) -> tuple[Piece, ...]:
    """The pieces with neighbouring texts joined, and empty ones left out where anything else remains."""
    merged: list[Piece] = []
    for is_text, group in groupby(pieces, key=lambda piece: isinstance(piece, Fixed)):
        if not is_text:
            merged.extend(group)
            continue
        texts = [piece for piece in group if isinstance(piece, Fixed)]
        merged.append(texts[0] if len(texts) == 1 else _joined(texts))
    if len(merged) > 1:
        merged = [piece for piece in merged if isinstance(piece, Field) or piece.text]
    return tuple(merged)


def _joined(texts: list[Fixed]) -> Fixed:
    offsets: list[int] = []
    for piece in texts:
        offsets.extend(piece.source_map[: len(piece.text)])
    offsets.append(texts[-1].source_map[-1])
    return Fixed("".join(piece.text for piece in texts), tuple(offsets))


def _token(source: str, start: int, end: int, quote: str, prefix: str) -> tuple[list[Piece], int] | None:
    plain = source.find(quote, start, end)
    if plain >= 0 and not ({"\\", "\r"} | (set("{}") if "f" in prefix else set())) & set(source[start:plain]):
        # Without escapes every character stands where it is written: a range is the whole map.
        return [Fixed(source[start:plain], range(start, plain + 1))], plain + len(quote)
    reader = _Reader(source, end, quote, raw="r" in prefix, formatted="f" in prefix)
    return reader.read(start)


class _Reader:
    """Reads one string token from just after its opening quote."""

    def __init__(self, source: str, end: int, quote: str, *, raw: bool, formatted: bool) -> None:
        self.source = source
        self.end = end
        self.quote = quote
        self.raw = raw
        self.formatted = formatted

    def read(self, position: int) -> tuple[list[Piece], int] | None:
        pieces: list[Piece] = []
        done = self._run(position, pieces, in_spec=False)
        if done is None or not self.source.startswith(self.quote, done):
            return None
        return pieces, done + len(self.quote)

    def _run(self, position: int, pieces: list[Piece], *, in_spec: bool) -> int | None:
        """Reads literal text and fields into ``pieces`` up to the closing quote, or the ``}`` of a spec."""
        source = self.source
        characters: list[str] = []
        offsets: list[int] = []

        def flush(at: int) -> None:
            pieces.append(Fixed("".join(characters), (*offsets, at)))
            characters.clear()
            offsets.clear()

        while position < self.end:
            if run := PLAIN.match(source, position, self.end):
                characters.append(run[0])
                offsets.extend(range(position, run.end()))
                position = run.end()
                continue
            character = source[position]
            if source.startswith(self.quote, position):
                flush(position)
                return position
            if self.formatted and character in "{}":
                if in_spec and character == "}":
                    flush(position)
                    return position
                if not in_spec and source[position + 1 : position + 2] == character:
                    characters.append(character)
                    offsets.append(position)
                    position += 2
                    continue
                if character == "}":
                    return None
                flush(position)
                found = self._field(position)
                if found is None:
                    return None
                pieces.append(found)
                position = found.end
                continue
            if character == "\\":
                step = self._escape(position)
                if step is None:
                    return None
                text, after = step
                characters.append(text)
                # A backslash that escapes nothing is a character of its own.
                offsets.extend(range(position, position + len(text)) if len(text) > 1 else [position] * len(text))
                position = after
                continue
            if character == "\r" and source[position + 1 : position + 2] == "\n":
                position += 1
                continue
            characters.append("\n" if character == "\r" else character)
            offsets.append(position)
            position += 1
        return None

    def _escape(self, position: int) -> tuple[str, int] | None:
        source = self.source
        following = source[position + 1 : position + 2]
        if not following:
            return None
        if self.raw:
            # In a raw f-string a backslash does not protect a brace.
            if self.formatted and following in "{}":
                return "\\", position + 1
            return "\\" + following, position + 2
        if following == "\r" and source[position + 2 : position + 3] == "\n":
            return "", position + 3
        if following in SIMPLE:
            return SIMPLE[following], position + 2
        if octal := OCTAL.match(source, position + 1):
            return chr(int(octal[0], 8)), octal.end()
        if following in SIZES:
            digits = source[position + 2 : position + 2 + SIZES[following]]
            try:
                return chr(int(digits, 16)), position + 2 + SIZES[following]
            except (ValueError, OverflowError):
                return None
        if following == "N" and source[position + 2 : position + 3] == "{":
            close = source.find("}", position)
            if close < 0:
                return None
            try:
                return unicodedata.lookup(source[position + 3 : close]), close + 1
            except KeyError:
                return None
        if self.formatted and following in "{}":
            return "\\", position + 1
        return "\\" + following, position + 2

    def _field(self, position: int) -> Field | None:
        """The replacement field whose ``{`` stands at ``position``."""
        start = position + 1
        stop = self._expression_end(start)
        if stop is None:
            return None
        source = self.source
        expression_end = stop
        debug = False
        position = stop
        if source[position] == "=":
            debug = True
            position = _skip_blank(source, position + 1, self.end)
        if source[position] == "!":
            position = _skip_blank(source, position + 1, self.end)
            while position < self.end and source[position].isalpha():
                position += 1
            position = _skip_blank(source, position, self.end)
        spec: list[Piece] = []
        if position < self.end and source[position] == ":":
            done = self._run(position + 1, spec, in_spec=True)
            if done is None:
                return None
            position = done
        if position >= self.end or source[position] != "}":
            return None
        return Field(start - 1, position + 1, start, expression_end, debug, tuple(spec))

    def _expression_end(self, position: int) -> int | None:
        """Where the expression ends: at the ``=``, ``!``, ``:`` or ``}`` on its own level."""
        source = self.source
        depth = 0
        while position < self.end:
            character = source[position]
            if character in "'\"":
                closed = _skip_string(source, position, self.end)
                if closed is None:
                    return None
                position = closed
                continue
            if character in "([{":
                depth += 1
            elif character in ")]}":
                if depth == 0:
                    return position if character == "}" else None
                depth -= 1
            elif depth == 0 and character in "!=:":
                following = source[position + 1 : position + 2]
                if character == ":":
                    return position
                if following == "=" or source[position - 1] in "<>=!":
                    position += 2 if following == "=" else 1
                    continue
                return position
            elif character == "#":
                line_end = source.find("\n", position)
                position = self.end if line_end < 0 else line_end
                continue
            position += 1
        return None


def _skip_string(source: str, position: int, end: int) -> int | None:
    """The end of the string token whose quote stands at ``position`` (inside an f-string expression)."""
    quote = source[position : position + 3] if source[position : position + 3] in ("'''", '"""') else source[position]
    position += len(quote)
    while position < end:
        if source[position] == "\\":
            position += 2
        elif source.startswith(quote, position):
            return position + len(quote)
        else:
            position += 1
    return None
