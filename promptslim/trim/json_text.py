"""JSON inside other text, lexically: where it stands, and what of it is blank space.

Nothing is parsed into values: duplicate keys, ``1.50`` and ``1e3`` stay as they are written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from promptslim.core.record import record
from promptslim.structure.flat import HOLE

_TOKEN = re.compile(
    r'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null|[][{}:,]|' + HOLE,
    re.DOTALL,
)
_BLANK = re.compile(r"[ \t\r\n]*")
_START = re.compile(r"[\[{]")
_CLOSES = {"}": "{", "]": "["}


@record
class JsonSpan:
    """A JSON object or list that holds at least one member: half-open offsets."""

    start: int
    end: int


@record
class _Open:
    sign: str
    start: int


def json_spans(text: str) -> tuple[JsonSpan, ...]:
    """The outermost JSON values with members in ``text``, in order. A placeholder may stand for a value; anything
    else that JSON does not know (comments, dots, bare words) makes what is around it no JSON. Linear."""
    found: list[JsonSpan] = []
    at = 0
    while start := _START.search(text, at):
        complete, end = _scan(text, start.start())
        found += complete
        at = max(end, start.end())
    return tuple(found)


def _scan(text: str, start: int) -> tuple[list[JsonSpan], int]:
    """The values that are complete from ``start`` on, and where reading stopped."""
    opened: list[_Open] = []
    complete: list[JsonSpan] = []
    with_member: set[int] = set()
    at, before = start, ""
    while match := _TOKEN.match(text, at):
        sign = match[0]
        if sign in "{[":
            opened.append(_Open(sign, at))
        elif sign == ":" and before.startswith('"'):
            with_member |= {one.start for one in opened[-1:]}
        elif sign in "}]":
            if not opened or opened[-1].sign != _CLOSES[sign]:
                break
            done = opened.pop()
            if done.start in with_member:
                complete = [one for one in complete if one.end <= done.start]
                complete.append(JsonSpan(done.start, match.end()))
                with_member |= {one.start for one in opened[-1:]}
        before, at = sign, match.end()
        if not opened:
            break
        at = _skip(text, at)
    return complete, at


def _skip(text: str, at: int) -> int:
    blank = _BLANK.match(text, at)
    return blank.end() if blank else at


def tokens(text: str, span: JsonSpan) -> Iterator[tuple[int, int]]:
    """The offsets of each token of a JSON value."""
    at = span.start
    while at < span.end and (match := _TOKEN.match(text, at)):
        yield match.span()
        at = _skip(text, match.end())
