"""Values in the tree of a suite, with errors that name file, line and nearest key."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from promptslim.config.error import suggestion
from promptslim.core.text import Location
from promptslim.extract.files.data import DataEntry, DataList, DataMap, DataNode, DataScalar, DataText
from promptslim.verify.suite import SuiteError


def error(node: DataNode, message: str) -> SuiteError:
    """What is wrong at a node."""
    return SuiteError(node.location.path, node.location.start[0], message)


def known(
    node: DataMap, keys: Sequence[str], what: str, foreign: Mapping[str, str] | None = None, passed_over: str = ""
) -> list[str]:
    """The keys of a mapping that are promptfoo's own and change no answer and no grade (``passed_over``, with spaces
    between). Raises SuiteError for any key that is neither known nor one of these; ``foreign`` says what to do instead
    of those that promptfoo has and a proof cannot have."""
    found = []
    for entry in node.entries:
        key = str(entry.key)
        if key in passed_over.split():
            found.append(key)
        elif key not in keys:
            raise SuiteError(entry.place.path, entry.place.start[0], _unknown(key, keys, what, foreign or {}))
    return found


def _unknown(key: str, keys: Sequence[str], what: str, foreign: Mapping[str, str]) -> str:
    if key in foreign:
        return f"promptfoo's {key} is not known here: {foreign[key]}"
    choices = [one for one in keys if one != "$schema"]
    hint = suggestion(key, choices, f"{what} has {', '.join(choices)}")
    return f"unknown key {key!r}; {hint}"


def texts(node: DataMap, key: str) -> tuple[str, ...]:
    """A text or a list of texts; none where the key is missing. Raises SuiteError."""
    match node.get(key):
        case None | DataScalar(value=None):
            return ()
        case DataText(text=text):
            return (text,)
        case DataList(items=items):
            for item in items:
                if not isinstance(item, DataText):
                    raise error(item, f"{key} takes texts")
            return tuple(item.text for item in items if isinstance(item, DataText))
        case found:
            raise error(found, f"{key} takes a text or a list of texts")


def text(node: DataMap, key: str) -> str:
    """A text, empty where there is none. Raises SuiteError."""
    match node.get(key):
        case None | DataScalar(value=None):
            return ""
        case DataText(text=found):
            return found
        case found:
            raise error(found, f"{key} takes a text")


def one_text(node: DataMap, key: str, message: str) -> str:
    """The one text that has to stand at a key. Raises SuiteError with ``message``."""
    found = texts(node, key)
    if len(found) != 1 or not found[0]:
        raise error(node, message)
    return found[0]


def number(node: DataMap, key: str) -> float | None:
    """A number, None where there is none. Raises SuiteError."""
    match node.get(key):
        case None | DataScalar(value=None):
            return None
        case DataScalar(value=int() | float() as value) if not isinstance(value, bool) and abs(value) < float("inf"):
            return float(value)
        case found:
            raise error(found, f"{key} has to be a number")


def share(node: DataMap, key: str) -> float | None:
    """A number between 0 and 1. Raises SuiteError."""
    value = number(node, key)
    found = node.get(key)
    if value is not None and found is not None and not 0 < value < 1:
        raise error(found, f"{key} has to lie between 0 and 1 (0.05 is 5 points)")
    return value


def whole(node: DataMap, key: str, default: int) -> int:
    """A whole number from 1. Raises SuiteError."""
    value = number(node, key)
    found = node.get(key)
    if value is None or found is None:
        return default
    if not value.is_integer() or value < 1:
        raise error(found, f"{key} has to be a whole number from 1")
    return int(value)


def mapping(node: DataMap, key: str) -> dict[str, Any]:
    """A mapping as data; empty where there is none. Raises SuiteError."""
    match node.get(key):
        case None | DataScalar(value=None):
            return {}
        case DataMap() as found:
            return {str(entry.key): plain(entry.value) for entry in found.entries}
        case found:
            raise error(found, f"{key} has to be a mapping")


def listed(node: DataNode | None) -> tuple[DataNode, ...]:
    """The items of a list, a single value as a list of itself, none for nothing."""
    match node:
        case None | DataScalar(value=None):
            return ()
        case DataList(items=items):
            return items
        case _:
            return (node,)


def plain(node: DataNode | None) -> Any:  # noqa: ANN401 (data of any form)
    """A node as data. Raises SuiteError for a number that is none, or infinite."""
    match node:
        case None:
            return None
        case DataText(text=text):
            return text
        case DataScalar(value=float() as value) if not math.isfinite(value):
            raise error(node, f"{value} is no number that can be sent or compared")
        case DataScalar(value=bool() | int() | float() as value):
            written = node.location.text
            return written if _is_text(written) else value
        case DataScalar(value=value):
            return value
        case DataList(items=items):
            return [plain(item) for item in items]
        case DataMap(entries=entries):
            return {str(entry.key): plain(entry.value) for entry in entries}


def _is_text(written: str) -> bool:
    """Whether a value that YAML 1.1 takes for a truth value or a number, as ``yes`` and ``12:30``, is a text in YAML
    1.2, which promptfoo reads."""
    return written.lower() in ("yes", "no", "on", "off", "y", "n") or ":" in written or "_" in written


class Verbatim(str):
    """A text that is data: what stands in braces in it is no name of a variable."""

    __slots__ = ()


def as_node(value: Any, location: Location) -> DataNode:  # noqa: ANN401 (data of any form)
    """Data as a tree whose nodes all stand at one place: a line of a file."""
    match value:
        case Verbatim():
            return DataScalar(str(value), location)
        case str():
            return DataText(value, None, location)
        case list():
            return DataList(tuple(as_node(one, location) for one in value), location)
        case dict():
            entries = tuple(DataEntry(key, location, as_node(one, location)) for key, one in value.items())
            return DataMap(entries, location)
        case _:
            return DataScalar(value, location)
