"""JSON with the places of its values."""

from __future__ import annotations

import json

from promptslim.core.lazy_pattern import pattern
from promptslim.core.text import Document, Location, Span
from promptslim.extract.files.data import (
    MOST_DEPTH,
    MOST_NODES,
    TOO_DEEP,
    TOO_MANY,
    DataEntry,
    DataError,
    DataList,
    DataMap,
    DataNode,
    DataScalar,
    DataText,
    sendable,
)

_BLANK = pattern(r"[ \t\n\r]*")
_BARE = pattern(r"[^\s,\]}]+")
_PIECE = pattern(r'(?P<plain>[^"\\]+)|\\u(?P<hex>[0-9a-fA-F]{4})|\\(?P<simple>.)')
_SIMPLE = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def read_json(document: Document) -> DataNode:
    """The tree of a JSON text. Raises DataError where the standard parser refuses it."""
    try:
        json.loads(document.text)
    except json.JSONDecodeError as error:
        raise DataError(f"invalid JSON: {error.msg}", error.lineno) from None
    except RecursionError:
        raise DataError(TOO_DEEP) from None
    except ValueError as error:
        raise DataError(f"invalid JSON: {error}") from None
    return _Reader(document).value(_BLANK.match(document.text).end(), 0)[0]  # type: ignore[union-attr]


class _Reader:
    """Reads a text that is known to be valid."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.text = document.text
        self.nodes = 0

    def value(self, position: int, depth: int) -> tuple[DataNode, int]:
        self.nodes += 1
        if depth > MOST_DEPTH:
            raise DataError(TOO_DEEP, self.document.position(position)[0])
        if self.nodes > MOST_NODES:
            raise DataError(TOO_MANY)
        match self.text[position]:
            case '"':
                return self.string(position)
            case "{":
                return self.object(position, depth)
            case "[":
                return self.array(position, depth)
        end = _BARE.match(self.text, position).end()  # type: ignore[union-attr]
        return DataScalar(json.loads(self.text[position:end]), self.place(position, end)), end

    def place(self, start: int, end: int) -> Location:
        return Location(self.document, Span(start, end))

    def after_blank(self, position: int) -> int:
        return _BLANK.match(self.text, position).end()  # type: ignore[union-attr]

    def object(self, start: int, depth: int) -> tuple[DataNode, int]:
        entries: dict[str, DataEntry] = {}
        position = self.after_blank(start + 1)
        while self.text[position] != "}":
            key, position = self.string(position)
            position = self.after_blank(self.after_blank(position) + 1)
            value, position = self.value(position, depth + 1)
            entries.pop(key.text, None)
            entries[key.text] = DataEntry(key.text, key.location, value)
            position = self.after_blank(position)
            if self.text[position] == ",":
                position = self.after_blank(position + 1)
        return DataMap(tuple(entries.values()), self.place(start, position + 1)), position + 1

    def array(self, start: int, depth: int) -> tuple[DataNode, int]:
        items: list[DataNode] = []
        position = self.after_blank(start + 1)
        while self.text[position] != "]":
            item, position = self.value(position, depth + 1)
            items.append(item)
            position = self.after_blank(position)
            if self.text[position] == ",":
                position = self.after_blank(position + 1)
        return DataList(tuple(items), self.place(start, position + 1)), position + 1

    def string(self, start: int) -> tuple[DataText, int]:
        text = self.text
        end = text.index('"', start + 1)
        if text.find("\\", start, end) < 0:
            found = DataText(text[start + 1 : end], range(start + 1, end + 1), self.place(start, end + 1))
            return found, end + 1
        characters: list[str] = []
        offsets: list[int] = []
        position = start + 1
        while text[position] != '"':
            piece = _PIECE.match(text, position)
            assert piece is not None  # noqa: S101 (the parser has accepted the text)
            if plain := piece["plain"]:
                characters.append(plain)
                offsets.extend(range(position, piece.end()))
            elif piece["hex"]:
                unit = int(piece["hex"], 16)
                low = _PIECE.match(text, piece.end()) if 0xD800 <= unit < 0xDC00 else None
                if low is not None and low["hex"] and 0xDC00 <= int(low["hex"], 16) < 0xE000:
                    unit = 0x10000 + ((unit - 0xD800) << 10) + int(low["hex"], 16) - 0xDC00
                    piece = low
                characters.append(chr(unit))
                offsets.append(position)
            else:
                characters.append(_SIMPLE.get(piece["simple"], piece["simple"]))
                offsets.append(position)
            position = piece.end()
        value = sendable("".join(characters))
        return DataText(value, (*offsets, position), self.place(start, position + 1)), position + 1
