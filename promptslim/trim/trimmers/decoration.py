"""Long rulers, and typographic signs that cost more than those on the keyboard."""

from __future__ import annotations

import re
from collections.abc import Iterator

from promptslim.structure.blank_space import blank_space
from promptslim.trim.change import Change, Level, Range
from promptslim.trim.subject import Subject

TITLE = "shorten rulers and use plain signs"
LEVEL: Level = "unsafe"

_SIGNS = re.compile("(?<=[^\\W\\d_])\u2019(?=[^\\W\\d_])|\u00a0|[\u200b\u2060\ufeff]")
_MARKS = "#~_"
"""Three of these make a title, a fence, or a gap to be filled in."""
_PLAIN = {"\u2019": "'", "\u00a0": " "}


def changes(subject: Subject) -> Iterator[Change]:
    """Each ruler and each sign by itself, never inside an example."""
    for one in blank_space(subject.structure, templated=subject.templated):
        if one.kind == "ruler" and one.instead[0] not in _MARKS and _alone(subject.text, one.start, one.end):
            yield Change((Range(one.start, one.end, one.instead),))
    for match in _SIGNS.finditer(subject.text):
        if not subject.shown(match.start()):
            yield Change((Range(*match.span(), _PLAIN.get(match[0], "")),))


def _alone(text: str, start: int, end: int) -> bool:
    """Whether nothing else stands on the line."""
    line_end = text.find("\n", end)
    before = text[text.rfind("\n", 0, start) + 1 : start]
    return not before.strip() and not text[end : len(text) if line_end < 0 else line_end].strip()
