"""Strings in YAML, TOML and JSON files: which one holds a character, and whether a changed file says what it should."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import lru_cache

from promptslim.core.record import record
from promptslim.core.text import Document
from promptslim.edits.source.holder import before_continuation, indented
from promptslim.extract.files.data import DataList, DataMap, DataNode, DataScalar, DataText, read_data

Escape = Callable[[str, str, str], str | None]
"""The text, the written scalar up to the change, and the written scalar after it -> the text as it is to be written."""


@record
class Scalar:
    """One string of a data file. ``style`` is how it is quoted, ``body`` the offsets between its quotes."""

    document: Document
    value: DataText
    style: str
    body: tuple[int, int]
    escape: Escape

    @property
    def start(self) -> int:
        """Where the body begins."""
        return self.body[0]

    @property
    def end(self) -> int:
        """Where the body ends."""
        return self.body[1]

    def end_of(self, offset: int, following: int) -> int:
        """The beginning of the next character, but for a line continuation or the indentation of a block."""
        text = self.document.text
        if text[offset] == "\n" and self.style in ("|", ">", "'''", '"""'):
            return offset + 1
        return before_continuation(text, offset + 2 if text[offset] == "\\" else offset + 1, max(following, offset + 1))

    def written(self, start: int, end: int, text: str, lead: str, margin: str) -> str | None:
        """The text escaped; None where the file read again has another structure, or another text than it should."""
        source = self.document.text
        content = self.escape(text, source[self.body[0] : start], source[end : self.body[1]])
        if content is None:
            return None
        content = lead + indented(content, margin)
        changed = Document(self.document.path, source[:start] + content + source[end:])
        expected = self._expected(start, end, text)
        if expected is None:
            return None
        before, after = contents(self.document), contents(changed)
        if before is None or after is None or len(before) != len(after):
            return None
        place = self.value.location.span.start
        wanted = [(path, expected if at == place else value) for path, value, at in before]
        return content if wanted == [(path, value) for path, value, _ in after] else None

    def _expected(self, start: int, end: int, text: str) -> str | None:
        """The whole string after the change."""
        places = self.value.source_map
        if places is None:
            return None
        kept = list(zip(places, self.value.text, strict=False))
        return "".join(
            (
                *(char for place, char in kept if place < start),
                text,
                *(char for place, char in kept if place >= end),
            )
        )


Entry = tuple[tuple[object, ...], object, int]
"""Where a value stands in the tree, the value, and the offset at which it is written."""


@lru_cache(maxsize=4)
def contents(document: Document) -> tuple[Entry, ...] | None:
    """All single values of a data file in order, with their paths; None for a file that is not valid."""
    trees, errors = read_data(document)
    if errors:
        return None
    return tuple(entry for number, tree in enumerate(trees) for entry in _contents(tree, (number,)))


def _contents(node: DataNode, path: tuple[object, ...]) -> Iterator[Entry]:
    match node:
        case DataText(text=text, location=place):
            yield path, text, place.span.start
        case DataScalar(value=value, location=place):
            yield path, repr(value), place.span.start
        case DataList(items=items, location=place):
            yield path, "list", place.span.start
            for index, item in enumerate(items):
                yield from _contents(item, (*path, index))
        case DataMap(entries=entries, location=place):
            yield path, "map", place.span.start
            for entry in entries:
                yield from _contents(entry.value, (*path, repr(entry.key)))


@lru_cache(maxsize=4)
def _texts(document: Document) -> tuple[tuple[int, ...], tuple[DataText, ...]]:
    found: dict[int, DataText] = {}
    pending: list[DataNode] = list(read_data(document)[0])
    while pending:
        match pending.pop():
            case DataText() as text:
                found[text.location.span.start] = text
            case DataList(items=items):
                pending.extend(items)
            case DataMap(entries=entries):
                pending.extend(entry.value for entry in entries)
            case DataScalar():
                pass
    order = sorted(found)
    return tuple(order), tuple(found[start] for start in order)


def text_at(document: Document, offset: int) -> DataText | None:
    """The string that is written around an offset, None where there is none."""
    starts, texts = _texts(document)
    index = bisect_right(starts, offset) - 1
    if index < 0 or offset > texts[index].location.span.end:
        return None
    return texts[index]
