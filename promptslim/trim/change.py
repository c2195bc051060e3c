"""A change of a prompt's text before it is written anywhere."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from promptslim.core.prompt import Literal, Part
from promptslim.core.record import record, replace
from promptslim.core.trimming import LEVELS, Level
from promptslim.structure.flat import FlatText

__all__ = ["LEVELS", "Change", "Level", "Placed", "Range", "at_an_edge", "changed", "only_blank_space", "placed"]


@record
class Range:
    """Characters ``start``..``end`` of the flat text that shall read ``instead``."""

    start: int
    end: int
    instead: str = ""


@record
class Change:
    """Ranges that make sense only together, in order. ``copy``: they drop the second copy of something."""

    ranges: tuple[Range, ...]
    copy: bool = False

    @property
    def start(self) -> int:
        """Where the first range begins."""
        return self.ranges[0].start

    @property
    def end(self) -> int:
        """Where the last range ends."""
        return self.ranges[-1].end


@record
class Placed:
    """A range inside one literal: the index of the part, offsets into its text."""

    part: int
    start: int
    end: int
    instead: str


def placed(flat: FlatText, change: Change) -> tuple[Placed, ...] | None:
    """Where the ranges of a change stand in the parts; None where one of them is not inside one literal."""
    found: list[Placed] = []
    for one in change.ranges:
        piece = flat.piece(one.start)
        if piece is None or not isinstance(piece.part, Literal) or one.end > piece.end:
            return None
        found.append(Placed(piece.index, one.start - piece.start, one.end - piece.start, one.instead))
    return tuple(found)


def changed(parts: Sequence[Part], places: Iterable[Placed]) -> tuple[Part, ...]:
    """The parts with their texts changed; ranges may come in any order and must not overlap."""
    by_part: dict[int, list[Placed]] = {}
    for one in places:
        by_part.setdefault(one.part, []).append(one)
    return tuple(_with(part, by_part.get(index, [])) for index, part in enumerate(parts))


def _with(part: Part, places: Sequence[Placed]) -> Part:
    if not places or not isinstance(part, Literal):
        return part
    pieces: list[str] = []
    at = 0
    for one in sorted(places, key=lambda one: (one.start, one.end)):
        pieces += (part.text[at : one.start], one.instead)
        at = one.end
    return replace(part, text="".join((*pieces, part.text[at:])), source_map=None)


def at_an_edge(part: Part, one: Placed) -> bool:
    """True for a range that touches an end of its literal, next to which a template may have a statement."""
    return isinstance(part, Literal) and (one.start == 0 or one.end == len(part.text))


_RUN = re.compile(r"[ \t]+")
_EMPTY = re.compile(r"\n{3,}")


def only_blank_space(before: str, after: str) -> bool:
    """Whether two texts differ in nothing but trailing and repeated blank space and a shared margin."""
    return _squeezed(before) == _squeezed(after)


def _squeezed(text: str) -> str:
    lines = text.split("\n")
    margin = min((len(line) - len(line.lstrip(" \t")) for line in lines if line.strip()), default=0)
    shifted = (line[min(margin, len(line) - len(line.lstrip(" \t"))) :] for line in lines)
    tight = (_indented(line.rstrip(" \t")) for line in shifted)
    return _EMPTY.sub("\n\n", "\n".join(tight)).strip("\n")


def _indented(line: str) -> str:
    body = line.lstrip(" \t")
    return line[: len(line) - len(body)] + _RUN.sub(" ", body)
