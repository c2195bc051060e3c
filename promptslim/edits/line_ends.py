"""Line ends of files that mix several kinds."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from promptslim.edits.same_ends import same_ends

_LINE_END = re.compile("\r\n|\r|\n")


def with_line_ends(original: str, text: str) -> str:
    """``text``, whose lines end with ``\\n``, with the line ends of ``original``: lines that stay keep theirs, new
    lines get that of the line before them."""
    ends = _LINE_END.findall(original)
    old = _LINE_END.split(original)
    new = text.split("\n")
    first, last = same_ends(old, new)
    middle = SequenceMatcher(None, old[first : len(old) - last], new[first : len(new) - last], autojunk=False)
    source: list[int | None] = [*range(first), *[None] * (len(new) - first - last)]
    for one, other, size in middle.get_matching_blocks():
        for step in range(size):
            source[first + other + step] = first + one + step
    source += range(len(old) - last, len(old))
    written: list[str] = []
    end = ends[0] if ends else "\n"
    for number, line in enumerate(new):
        place = source[number]
        if place is not None and place < len(ends):
            end = ends[place]
        written += (line, end) if number < len(new) - 1 else (line,)
    return "".join(written)
