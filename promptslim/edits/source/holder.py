"""What the kinds of source have in common."""

from __future__ import annotations

import re
from typing import Protocol

_LINE_END = re.compile(r"\n(?!\n)")


class Holder(Protocol):
    """A stretch of a document in which text is written in one way: a string token, a scalar, a whole file."""

    @property
    def start(self) -> int:
        """Offset of the first character inside (after the opening quote)."""
        ...

    @property
    def end(self) -> int:
        """Offset just after the last character inside."""
        ...

    def end_of(self, offset: int, following: int) -> int:
        """Where the character written at ``offset`` ends. The next character that is sent stands at ``following``;
        between the two there may be a line continuation, which stays, or an indentation that is not sent."""
        ...

    def written(self, start: int, end: int, text: str, lead: str, margin: str) -> str | None:
        """What to write in place of ``start``..``end`` so that ``text`` is read there and nothing else changes.
        ``lead`` is written before it and ``margin`` after each of its line breaks: indentation that is not sent.
        None where that is not possible."""
        ...


def before_continuation(source: str, start: int, end: int) -> int:
    """``end``, or the place of the first line continuation (a backslash before a line end) after ``start``."""
    found = source.find("\\", start, end)
    while found >= 0:
        if source[found + 1 : end].lstrip(" \t").startswith("\n"):
            return found
        found = source.find("\\", found + 1, end)
    return end


def indented(text: str, margin: str) -> str:
    """The text with the indentation of its new lines; empty lines get none."""
    return _LINE_END.sub("\n" + margin, text) if margin else text
