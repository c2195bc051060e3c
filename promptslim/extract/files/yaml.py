"""YAML with the places of its values: the events of PyYAML, and scalars read again for their characters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

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
from promptslim.extract.files.yaml_scalars import source_map

_FAST: Any = getattr(yaml, "CSafeLoader", None)
_MOST_TO_REPEAT = 200_000
"""Characters of a file that is read a second time, which takes PyYAML's own scanner a second."""
_PROPERTIES = pattern(r"(?:[&!][^\s,\[\]{}]*(?:\s+(?:#[^\n]*\s+)*|$))*")
_TEXT_TAG = "tag:yaml.org,2002:str"
_MERGE_TAG = "tag:yaml.org,2002:merge"


def read_yaml(document: Document) -> tuple[DataNode, ...]:
    """The trees of the documents of a YAML text. Tags of applications (``!include``) are passed over. Raises
    DataError where the text is not valid."""
    if _FAST is not None:
        try:
            return _read(document, _FAST)
        except yaml.YAMLError as error:
            # libyaml refuses some tabs that PyYAML's own scanner, which most programs use, lets pass.
            if len(document.text) > _MOST_TO_REPEAT:
                raise _invalid(error, document) from None
    try:
        return _read(document, yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise _invalid(error, document) from None


def _read(document: Document, loader: Any) -> tuple[DataNode, ...]:  # noqa: ANN401 (one of PyYAML's classes)
    try:
        return tuple(_Reader(document, loader).documents())
    except RecursionError:
        raise DataError(TOO_DEEP) from None


def _invalid(error: yaml.YAMLError, document: Document) -> DataError:
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        return DataError(f"invalid YAML: {error.problem or error.context}", mark.line + 1 if mark else None)
    if isinstance(error, yaml.reader.ReaderError):
        line = document.text.count("\n", 0, error.position) + 1
        code = error.character if isinstance(error.character, int) else ord(error.character)
        return DataError(f"invalid YAML: character {code:#x} is not allowed", line)
    return DataError(f"invalid YAML: {' '.join(str(error).split())}")


class _Reader:
    """Builds trees from events, without the recursion of PyYAML's own composer over aliases."""

    def __init__(self, document: Document, loader: Any) -> None:  # noqa: ANN401
        self.document = document
        self.events: Iterator[Any] = yaml.parse(document.text, loader)
        self.anchors: dict[str, DataNode | None] = {}
        self.nodes = 0
        self.resolver: Any = yaml.resolver.Resolver()
        self.constructor = yaml.constructor.SafeConstructor()

    def documents(self) -> Iterator[DataNode]:
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                self.anchors.clear()
                node = self.node(next(self.events), 0)
                if node is not None and not (isinstance(node, DataScalar) and node.value is None):
                    yield node

    def place(self, first: Any, last: Any) -> Location:  # noqa: ANN401 (events have no common type with marks)
        return Location(self.document, Span(first.start_mark.index, last.end_mark.index))

    def line(self, event: Any) -> int:  # noqa: ANN401
        return self.document.position(event.start_mark.index)[0]

    def node(self, event: Any, depth: int) -> DataNode | None:  # noqa: ANN401
        """The value that begins with an event; None for an alias of what it stands in."""
        self.nodes += 1
        if depth > MOST_DEPTH:
            raise DataError(TOO_DEEP, self.line(event))
        if self.nodes > MOST_NODES:
            raise DataError(TOO_MANY)
        if isinstance(event, yaml.AliasEvent):
            name = str(event.anchor)
            if name not in self.anchors:
                raise DataError(f"invalid YAML: undefined alias {name}", self.line(event))
            return self.anchors[name]
        if event.anchor:
            self.anchors[event.anchor] = None
        node: DataNode
        match event:
            case yaml.SequenceStartEvent():
                node = self.sequence(event, depth)
            case yaml.MappingStartEvent():
                node = self.mapping(event, depth)
            case _:
                node = self.scalar(event)
        if event.anchor:
            self.anchors[event.anchor] = node
        return node

    def sequence(self, start: Any, depth: int) -> DataList:  # noqa: ANN401
        items: list[DataNode] = []
        for event in self.events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            item = self.node(event, depth + 1)
            if item is not None:
                items.append(item)
        return DataList(tuple(items), self.place(start, event))

    def mapping(self, start: Any, depth: int) -> DataMap:  # noqa: ANN401
        own: dict[object, DataEntry] = {}
        merged: dict[object, DataEntry] = {}
        for event in self.events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self.node(event, depth + 1)
            merges = isinstance(event, yaml.ScalarEvent) and self.tag(event) == _MERGE_TAG
            value = self.node(next(self.events), depth + 1)
            if merges:
                self.merge(merged, value)
            elif isinstance(key, DataText | DataScalar) and value is not None:
                name = key.text if isinstance(key, DataText) else key.value
                own.pop(name, None)
                own[name] = DataEntry(name, key.location, value)
        entries = (*(entry for name, entry in merged.items() if name not in own), *own.values())
        self.nodes += len(merged)
        return DataMap(entries, self.place(start, event))

    def merge(self, merged: dict[object, DataEntry], value: DataNode | None) -> None:
        """Entries of merged mappings: the first of several that has a key gives its value."""
        for one in value.items if isinstance(value, DataList) else (value,):
            if isinstance(one, DataMap):
                for entry in one.entries:
                    merged.setdefault(entry.key, entry)

    def tag(self, event: Any) -> str:  # noqa: ANN401
        if event.tag and event.tag != "!":
            return str(event.tag)
        return str(self.resolver.resolve(yaml.ScalarNode, event.value, event.implicit))

    def scalar(self, event: Any) -> DataText | DataScalar:  # noqa: ANN401
        start, end = event.start_mark.index, event.end_mark.index
        if event.anchor or event.tag:
            start = _PROPERTIES.match(self.document.text, start, end).end()  # type: ignore[union-attr]
        place = Location(self.document, Span(start, end))
        tag = self.tag(event)
        if tag.startswith("tag:yaml.org,2002:") and tag not in (_TEXT_TAG, _MERGE_TAG):
            return DataScalar(self.constructed(tag, event.value), place)
        places = source_map(self.document.text, start, end, event.style or "", event.value)
        return DataText(sendable(event.value), places, place)

    def constructed(self, tag: str, value: str) -> object:
        """The number, date or other value of a plain scalar; the text itself where it is none."""
        construct: Mapping[str | None, Any] = self.constructor.yaml_constructors
        if tag not in construct:
            return value
        try:
            made: object = construct[tag](self.constructor, yaml.ScalarNode(tag, value))
        except (ValueError, KeyError, IndexError, AttributeError, TypeError, OverflowError, yaml.YAMLError):
            return value
        return made if isinstance(made, int | float | bool | None) else str(made)
