"""Readers of single TOML values: each gives the value in the type of the option, or says what it expected.

The values are what ``tomllib`` makes of a file, so that strings, booleans, lists and dicts are all there is
to tell apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from promptslim.core.record import record

T = TypeVar("T")
Reader = Callable[[object], T]


class MismatchError(Exception):
    """A value of another type. ``inner`` leads from the option to the value at fault (keys of tables)."""

    def __init__(self, expected: str, found: object, inner: tuple[str, ...] = ()) -> None:
        super().__init__(expected)
        self.expected = expected
        self.found = found
        self.inner = inner


def describe(value: object) -> str:
    """The kind of a TOML value in words; a string is quoted, with control characters escaped."""
    match value:
        case bool():
            return "a boolean"
        case str():
            return repr(value if len(value) <= 40 else value[:39] + "…")
        case int():
            return f"the integer {value}"
        case float():
            return f"the number {value}"
        case list():
            return "a list"
        case dict():
            return "a table"
        case _:
            return "a date or time"


def string(value: object) -> str:
    """A string, as it is."""
    if not isinstance(value, str):
        raise MismatchError("a string", value)
    return value


def boolean(value: object) -> bool:
    """``true`` or ``false``; the integers 0 and 1 are neither."""
    if not isinstance(value, bool):
        raise MismatchError("true or false", value)
    return value


def tokens(value: object) -> int:
    """A number of tokens, 1 or more."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise MismatchError("a number of tokens, 1 or more", value)
    return value


LEAST_FACTOR, LARGEST_FACTOR = 0.2, 5.0


def factor(value: object) -> float:
    """What an estimate is multiplied by: a number from 0.2 to 5."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not LEAST_FACTOR <= value <= LARGEST_FACTOR:
        raise MismatchError(f"a number from {LEAST_FACTOR:g} to {LARGEST_FACTOR:g}", value)
    return float(value)


def strings(value: object) -> tuple[str, ...]:
    """A list of strings, which may be empty."""
    if not isinstance(value, list):
        raise MismatchError("a list of strings", value)
    for item in value:
        if not isinstance(item, str):
            raise MismatchError("a list of strings only", item)
    return tuple(value)


def plain_table(value: object) -> Mapping[str, object]:
    """A table whose content someone else checks."""
    if not isinstance(value, dict):
        raise MismatchError("a table", value)
    return value


@record
class OneOf:
    """A reader of a string that must be one of the choices."""

    choices: tuple[str, ...]

    def __call__(self, value: object) -> str:
        """The string. Raises MismatchError."""
        if value not in self.choices:
            raise MismatchError(f"one of {', '.join(self.choices)}", value)
        return str(value)


@record
class TableOf:
    """A reader of a table whose values are all read alike."""

    item: Reader[object]

    def __call__(self, value: object) -> Mapping[str, object]:
        """The table with its values read. Raises MismatchError."""
        result: dict[str, object] = {}
        for key, inner in plain_table(value).items():
            try:
                result[key] = self.item(inner)
            except MismatchError as error:
                raise MismatchError(error.expected, error.found, (key, *error.inner)) from None
        return result
