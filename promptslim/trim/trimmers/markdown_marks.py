"""Marks of bold print in running text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from promptslim.trim.change import Change, Level, Range
from promptslim.trim.subject import Subject

TITLE = "take bold marks out of sentences"
LEVEL: Level = "proof"

_BOLD = re.compile(r"(?<![*\w])\*\*(?=[^\s*])([^*\n]{1,200}?)(?<=[^\s*])\*\*(?![*\w])")


def changes(subject: Subject) -> Iterator[Change]:
    """Each pair of marks by itself. Titles keep theirs, and so do examples: they show a form."""
    for segment in subject.structure.segments:
        if segment.kind != "sentence" or segment.example or segment.tool:
            continue
        for match in _BOLD.finditer(subject.text, segment.start, segment.end):
            first, last = match.span()
            yield Change((Range(first, first + 2), Range(last - 2, last)))
