"""TOML with the places of its values: ``tomllib`` decides what is valid, and strings are read again here."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping

from promptslim.core.lazy_pattern import pattern
from promptslim.core.text import Document, Location, Span
from promptslim.extract.files.data import (
    MOST_DEPTH,
    TOO_DEEP,
    DataEntry,
    DataError,
    DataList,
    DataMap,
    DataNode,
    DataScalar,
    DataText,
)

_BLANK = pattern(r"(?:[ \t\n]|#[^\n]*)*")
_SPACES = pattern(r"[ \t]*")
_NAME = pattern(r"[A-Za-z0-9_-]+")
_BARE = pattern(r"[^,\]}#\n]+")
_QUOTES = pattern(r'"""|\'\'\'|"|\'')
_CONTINUED = pattern(r"\\[ \t]*\n[ \t\n]*")
_RUNS = {'"': re.compile(r'[^"\\]+'), "'": re.compile(r"[^']+")}
_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "e": "\x1b"}
_CODES = {"x": 2, "u": 4, "U": 8}
_PLACE = pattern(r"^(?P<what>.*?)\s*\(at (?:line (?P<line>\d+), column \d+|end of document)\)$", re.DOTALL)

Key = tuple[str, Location]


class _Table:
    """A table while it is read."""

    def __init__(self, place: Location) -> None:
        self.place = place
        self.entries: dict[str, tuple[Location, _Table | _Array | DataNode]] = {}


class _Array:
    """An array of tables, or of values."""

    def __init__(self, place: Location) -> None:
        self.place = place
        self.items: list[_Table | _Array | DataNode] = []


_Value = _Table | _Array | DataNode


def read_toml(document: Document) -> DataNode:
    """The tree of a TOML text. Raises DataError where the standard parser refuses it."""
    try:
        parsed = tomllib.loads(document.text)
    except tomllib.TOMLDecodeError as error:
        found = _PLACE.match(str(error))
        what = found["what"] if found else str(error)
        line = found["line"] if found else None
        last = document.text.count("\n") + 1
        raise DataError(
            f"invalid TOML: {what}", int(line) if line else min(last, len(document.line_starts()))
        ) from None
    except RecursionError:
        raise DataError(TOO_DEEP) from None
    except ValueError as error:
        raise DataError(f"invalid TOML: {error}") from None
    return _frozen(_Reader(document).read(), parsed)


class _Reader:
    """Reads a text that is known to be valid."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.text = document.text

    def place(self, start: int, end: int) -> Location:
        return Location(self.document, Span(start, end))

    def after(self, pattern: re.Pattern[str], position: int) -> int:
        match = pattern.match(self.text, position)
        return match.end() if match else position

    def read(self) -> _Table:
        root = table = _Table(self.place(0, len(self.text)))
        position = self.after(_BLANK, 0)
        while position < len(self.text):
            if self.text[position] == "[":
                table, position = self.header(root, position)
            else:
                position = self.pair(table, position, 0)
            position = self.after(_BLANK, position)
        return root

    def header(self, root: _Table, start: int) -> tuple[_Table, int]:
        several = self.text.startswith("[[", start)
        keys, position = self.keys(start + 1 + several)
        position += 1 + several
        place = self.place(start, position)
        table = _inner(root, keys[:-1], place)
        name, key_place = keys[-1]
        if several:
            array = table.entries.setdefault(name, (key_place, _Array(place)))[1]
            assert isinstance(array, _Array)  # noqa: S101 (the parser has accepted the text)
            array.items.append(_Table(place))
            return array.items[-1], position  # type: ignore[return-value]
        return _inner(table, keys[-1:], place), position

    def keys(self, position: int) -> tuple[list[Key], int]:
        """A dotted key with the place of each part, and where it ends (blank space taken)."""
        found: list[Key] = []
        while True:
            position = self.after(_SPACES, position)
            start = position
            if self.text[position] in "\"'":
                name, position = self.string(position)
                found.append((name.text, self.place(start, position)))
            else:
                position = self.after(_NAME, position)
                found.append((self.text[start:position], self.place(start, position)))
            position = self.after(_SPACES, position)
            if self.text[position] != ".":
                return found, position
            position += 1

    def pair(self, table: _Table, position: int, depth: int) -> int:
        keys, position = self.keys(position)
        inner = _inner(table, keys[:-1], keys[0][1])
        value, position = self.value(self.after(_SPACES, position + 1), depth + 1)
        inner.entries[keys[-1][0]] = keys[-1][1], value
        return position

    def value(self, position: int, depth: int) -> tuple[_Value, int]:
        if depth > MOST_DEPTH:
            raise DataError(TOO_DEEP, self.document.position(position)[0])
        match self.text[position]:
            case '"' | "'":
                return self.string(position)
            case "[":
                return self.array(position, depth)
            case "{":
                return self.inline(position, depth)
        end = position + len(_BARE.match(self.text, position)[0].rstrip())  # type: ignore[index]
        return DataScalar(None, self.place(position, end)), end

    def array(self, start: int, depth: int) -> tuple[_Value, int]:
        array = _Array(self.place(start, start + 1))
        position = self.after(_BLANK, start + 1)
        while self.text[position] != "]":
            item, position = self.value(position, depth + 1)
            array.items.append(item)
            position = self.after(_BLANK, position)
            if self.text[position] == ",":
                position = self.after(_BLANK, position + 1)
        array.place = self.place(start, position + 1)
        return array, position + 1

    def inline(self, start: int, depth: int) -> tuple[_Value, int]:
        table = _Table(self.place(start, start + 1))
        position = self.after(_BLANK, start + 1)
        while self.text[position] != "}":
            position = self.after(_BLANK, self.pair(table, position, depth))
            if self.text[position] == ",":
                position = self.after(_BLANK, position + 1)
        table.place = self.place(start, position + 1)
        return table, position + 1

    def string(self, start: int) -> tuple[DataText, int]:
        quote = _QUOTES.match(self.text, start)[0]  # type: ignore[index]
        position = start + len(quote)
        if len(quote) == 3 and self.text[position] == "\n":
            position += 1
        raw = quote[0] == "'"
        characters: list[str] = []
        offsets: list[int] = []
        run = _RUNS[quote[0]]
        while not self.closes(position, quote):
            if plain := run.match(self.text, position):
                characters.append(plain[0])
                offsets.extend(range(position, plain.end()))
                position = plain.end()
            elif raw or self.text[position] == '"':
                characters.append(self.text[position])
                offsets.append(position)
                position += 1
            elif gap := _CONTINUED.match(self.text, position):
                position = gap.end()
            else:
                char, after = self.escape(position)
                characters.append(char)
                offsets.append(position)
                position = after
        end = position + len(quote)
        text = "".join(characters)
        straight = offsets and position - offsets[0] == len(offsets)
        places = range(offsets[0], position + 1) if straight else (*offsets, position)
        return DataText(text, places, self.place(start, end)), end

    def closes(self, position: int, quote: str) -> bool:
        """Whether the string ends here; one or two quotes may stand directly before three that close it."""
        return self.text.startswith(quote, position) and (
            len(quote) == 1 or not self.text.startswith(quote, position + 1)
        )

    def escape(self, position: int) -> tuple[str, int]:
        mark = self.text[position + 1]
        if mark in _CODES:
            end = position + 2 + _CODES[mark]
            return chr(int(self.text[position + 2 : end], 16)), end
        return _ESCAPES.get(mark, mark), position + 2


def _inner(table: _Table, keys: list[Key], place: Location) -> _Table:
    """The table that dotted keys lead to, made where there is none; of an array its last table."""
    for name, key_place in keys:
        value = table.entries.setdefault(name, (key_place, _Table(place)))[1]
        if isinstance(value, _Array):
            value = value.items[-1]
        assert isinstance(value, _Table)  # noqa: S101 (the parser has accepted the text)
        table = value
    return table


def _frozen(value: _Value, parsed: object) -> DataNode:
    """The tree as records; numbers and dates are those of the parser, and so is a text read otherwise here."""
    match value:
        case _Table(entries=entries, place=place):
            values: Mapping[str, object] = parsed if isinstance(parsed, dict) else {}
            return DataMap(
                tuple(DataEntry(name, at, _frozen(inner, values.get(name))) for name, (at, inner) in entries.items()),
                place,
            )
        case _Array(items=items, place=place):
            several = parsed if isinstance(parsed, list) else []
            return DataList(tuple(map(_frozen, items, several)), place)
        case DataText(text=text, location=place) if text != parsed:
            return DataText(str(parsed), None, place)
        case DataScalar(location=place):
            return DataScalar(parsed, place)
        case _:
            return value
