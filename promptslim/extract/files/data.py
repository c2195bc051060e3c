"""YAML, TOML and JSON as one kind of tree, in which every text knows where its characters are written."""

from __future__ import annotations

from collections.abc import Sequence

from promptslim.core.record import field, record
from promptslim.core.result import FileError
from promptslim.core.text import Document, Location
from promptslim.extract.files.mapped import Mapped

MOST_DEPTH = 100
"""Levels of nesting that are followed; hand-written data has fewer than ten."""
MOST_NODES = 300_000
"""Values in one file that are followed."""


@record
class DataText:
    """A string. ``location`` is the value as written, quotes and indicators included; ``source_map`` as in
    ``core.prompt.Literal``."""

    text: str
    source_map: Sequence[int] | None = field(repr=False)
    location: Location = field(repr=False)

    @property
    def mapped(self) -> Mapped:
        """The text with its places."""
        return Mapped(self.text, self.location.document, self.source_map, self.location.span)


@record
class DataScalar:
    """Any other single value: a number, a boolean, None, a date."""

    value: object
    location: Location = field(repr=False)


@record
class DataList:
    """A sequence. An item that aliases give twice is the same object twice."""

    items: tuple[DataNode, ...] = field(repr=False)
    location: Location = field(repr=False)


@record
class DataEntry:
    """One key of a mapping, the place of the key, and its value."""

    key: object
    place: Location = field(repr=False)
    value: DataNode = field(repr=False)


@record
class DataMap:
    """A mapping as the usual parser reads it: of a key that stands twice the last value counts, merge keys
    (``<<``) are resolved. ``entries`` are in the order of the file, merged ones first."""

    entries: tuple[DataEntry, ...] = field(repr=False)
    location: Location = field(repr=False)

    def entry(self, key: object) -> DataEntry | None:
        """The entry of a key."""
        return next((entry for entry in self.entries if entry.key == key), None)

    def get(self, key: object) -> DataNode | None:
        """The value of a key, None where there is none."""
        entry = self.entry(key)
        return entry.value if entry else None


DataNode = DataMap | DataList | DataText | DataScalar


class DataError(ValueError):
    """A data file that is not valid. ``line`` is 1-based, None where no line can be named."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


TOO_DEEP = f"nested deeper than {MOST_DEPTH} levels"
TOO_MANY = f"more than {MOST_NODES:,} values"


def data_of(document: Document) -> DataNode | None:
    """The tree of a YAML, TOML or JSON file, by its suffix; None for a file that is not valid, empty, or of
    another kind. Of a YAML file with several documents it is the first."""
    trees = read_data(document)[0]
    return trees[0] if trees else None


def read_data(document: Document) -> tuple[tuple[DataNode, ...], tuple[FileError, ...]]:
    """The trees of a data file (YAML may have several documents) and what is wrong with it."""
    suffix = document.path[document.path.rfind(".") :].lower()
    try:
        match suffix:
            case ".yaml" | ".yml":
                from promptslim.extract.files.yaml import read_yaml

                return read_yaml(document), ()
            case ".toml":
                from promptslim.extract.files.toml import read_toml

                return (read_toml(document),), ()
            case ".json":
                from promptslim.extract.files.json import read_json

                return (read_json(document),), ()
            case _:
                return (), ()
    except DataError as error:
        return (), (FileError(document.path, error.line, str(error)),)


def sendable(text: str) -> str:
    """The text with lone surrogates, which no request can carry, replaced one by one."""
    if text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text):
        return text
    return "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text)
