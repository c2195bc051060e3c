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
_PLAIN = {"\u2019": "'", "\u00a0": " "}


def changes(subject: Subject) -> Iterator[Change]:
    """Each ruler and each sign by itself, never inside an example."""
    for one in blank_space(subject.structure, templated=subject.templated):
        if one.kind == "ruler":
            yield Change((Range(one.start, one.end, one.instead),))
    for match in _SIGNS.finditer(subject.text):
        if not subject.shown(match.start()):
            yield Change((Range(*match.span(), _PLAIN.get(match[0], "")),))
