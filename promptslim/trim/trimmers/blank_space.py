"""Blanks at line ends, repeated blanks and blank lines, margins of text files."""

from __future__ import annotations

import re
from collections.abc import Iterator

from promptslim.structure.blank_space import blank_space
from promptslim.trim.change import Change, Level, Range
from promptslim.trim.subject import Subject

TITLE = "remove repeated blank space"
LEVEL: Level = "safe"

_EMPTY_LINES = re.compile(r"\n[ \t]*(?:\n[ \t]*)+\n(?=[^\n]|\Z)|\A\n{2,}|\n{2,}\Z")


def changes(subject: Subject) -> Iterator[Change]:
    """Each place by itself; the margin as one. In a program the margin is its author's layout and stays, and
    under a first line without one it is the indentation of a list. A blank at
    the very end stays too: the text may be joined with another."""
    text = subject.text
    margin: list[Range] = []
    for one in blank_space(subject.structure, templated=subject.templated):
        if one.kind == "margin":
            margin.append(Range(one.start, one.end))
        elif one.kind == "inner":
            yield Change((Range(one.start, one.end, one.instead),))
        elif one.kind == "line end":
            if one.end < len(text):
                yield Change((Range(one.start, one.end),))
            elif one.end - one.start > 1:
                yield Change((Range(one.start + 1, one.end),))
    if margin and not subject.in_program and text.lstrip("\n")[:1].isspace():
        yield Change(tuple(margin))
    for match in _EMPTY_LINES.finditer(text):
        at_an_end = match.start() == 0 or match.end() == len(text)
        keep = 1 if at_an_end else 2
        if match[0].count("\n") > keep and not subject.shown(match.start()):
            yield Change((Range(match.start() + keep, match.end()),))
