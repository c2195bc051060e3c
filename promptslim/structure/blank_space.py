"""Blank space and ruler lines of a prompt that say nothing: what can go without changing a word."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Literal as Choice

from promptslim.core.lazy_pattern import pattern
from promptslim.core.record import record
from promptslim.structure.flat import HOLE
from promptslim.structure.segment import Structure

BlankKind = Choice["line end", "margin", "inner", "ruler"]
"""line end: blanks before a line break. margin: the indentation that all lines share. inner: several blanks between
two words. ruler: a long line of dashes or the like."""

LEAST_RULER = 10
"""Signs in a row; a shorter ruler costs a token in every measured tokenizer, as a ruler of three signs does."""

_LINE = pattern(r"[^\n]*\n|[^\n]+\Z")
_LINE_END = pattern(r"[ \t]+(?=\n|\Z)")
_INNER = pattern(r"(?<=[\w,)'\"])[ ]{2,}(?=[\w(\"'])|(?<=[.!?]) {3,}(?=[\w(\"'])")
_CODE_LINE = pattern(r"[ \t]*(?:\d+[ \t]*[:|]|//|/\*|[$>]{1,3}[ \t])|[^\n]*[{};\\][ \t]*$")
_RULER = pattern(rf"([-=_*#~─═━])\1{{{LEAST_RULER - 1},}}")
_CODE = pattern(
    r"^[ \t]*(?:(?:async )?def \w+\(|class \w+[(:]|import \w+|from [\w.]+ import |return\b|elif .*:$"
    r"|@@ |\+\+\+ |--- [ab]/|[<=>]{7})",
    re.MULTILINE,
)
_RUN = pattern(r"(?<=\S) {2,}(?=\S)")
LONG_RUN = 4
"""Blanks that are layout where the line has a run of another length, or the next line has any; in a long line they are
what is left of the indentation of a line that a program continues."""
LONG_LINE = 120
"""Characters without repeated blanks from which a line is running text."""
COLUMN_WIDTH = 20
"""Characters; a line with a run of blanks for each so many, on average, is a row of columns."""


@record
class Blank:
    """A range of the flat text that can be replaced by the shorter ``instead``."""

    kind: BlankKind
    start: int
    end: int
    instead: str


def blank_space(structure: Structure, *, templated: bool) -> tuple[Blank, ...]:
    """What can go, in order. Fences, data, tables and examples are left alone; the shared margin is too where the
    text holds code. ``templated``: lines with a placeholder are left alone, since the template engine decides on
    the blank space around it."""
    text = structure.flat.text
    kept = _kept(structure)
    margin = (
        _margin(text) if not any(one.kind == "code" for one in structure.segments) and not _CODE.search(text) else 0
    )
    found: list[Blank] = []
    columns, spaced = _aligned(text), _spaced(text)
    for number, match in enumerate(_LINE.finditer(text)):
        start, end = match.span()
        line = match[0]
        if templated and HOLE in line:
            continue
        if margin and line[:margin].isspace() and line.strip():
            found.append(Blank("margin", start, start + margin, ""))
        if _within(kept, start, end):
            continue
        for ruler in _RULER.finditer(line):
            found.append(Blank("ruler", start + ruler.start(), start + ruler.end(), ruler[1] * 3))
        if number not in columns and not _is_row(line) and not _is_code(line):
            alone = number not in spaced and len(set(_RUN.findall(line.strip()))) < 2
            running = alone or len(_RUN.sub(" ", line.strip())) >= LONG_LINE
            found += (
                Blank("inner", start + one.start(), start + one.end(), " ")
                for one in _INNER.finditer(line)
                if running or one.end() - one.start() < LONG_RUN
            )
        if ending := _LINE_END.search(line):
            found.append(Blank("line end", start + ending.start(), start + ending.end(), ""))
    return tuple(found)


def tightened(text: str, found: Sequence[Blank]) -> str:
    """``text`` with every range replaced."""
    pieces: list[str] = []
    at = 0
    for one in found:
        pieces += (text[at : one.start], one.instead)
        at = one.end
    return "".join((*pieces, text[at:]))


def _kept(structure: Structure) -> tuple[tuple[int, int], ...]:
    """What is laid out on purpose, as ranges in order that do not overlap."""
    kinds = ("code", "data", "row")
    ranges = [(one.start, one.end) for one in structure.segments if one.kind in kinds or one.example]
    merged: list[tuple[int, int]] = []
    for start, end in sorted([*ranges, *((one.start, one.end) for one in structure.examples)]):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return tuple(merged)


def _within(ranges: Sequence[tuple[int, int]], start: int, end: int) -> bool:
    at = bisect_right(ranges, start, key=lambda one: one[1])
    return at < len(ranges) and ranges[at][0] < end


def _margin(text: str) -> int:
    """The blanks that every line begins with; the first line may begin right after the opening quotes."""
    lines = [line for line in text.split("\n") if line.strip()]
    rest = lines[1:] if lines and not lines[0][0].isspace() else lines
    if len(rest) < 2:
        return 0
    return min(len(line) - len(line.lstrip(" ")) for line in rest)


def _aligned(text: str) -> set[int]:
    """Numbers of lines that stand in columns: a run of blanks ends where it does in the line before or after."""
    ends = [set(_ends(line)) for line in text.split("\n")]
    found: set[int] = set()
    for number in range(1, len(ends)):
        if ends[number] & ends[number - 1]:
            found |= {number - 1, number}
    return found


def _spaced(text: str) -> set[int]:
    """Numbers of lines next to one that has repeated blanks between its words."""
    has = [_RUN.search(line.strip()) is not None for line in text.split("\n")]
    return {
        number for number in range(len(has)) if any(has[max(number - 1, 0) : number] + has[number + 1 : number + 2])
    }


def _ends(line: str) -> Iterator[int]:
    return (match.end() for match in _RUN.finditer(line))


def _is_code(line: str) -> bool:
    """Code and data, whatever stands before it on the line: queries, markup and lists of addresses too."""
    return (
        _CODE_LINE.match(line) is not None
        or "</" in line
        or line.count("://") > 1
        or ("SELECT " in line and (" FROM " in line or " WHERE " in line))
    )


def _is_row(line: str) -> bool:
    runs = len(_RUN.findall(line))
    return "|" in line or "\t" in line or (runs > 1 and runs * COLUMN_WIDTH > len(line.strip()))
