"""Long forms of short words, and politeness."""

from __future__ import annotations

from collections.abc import Iterator

from promptslim.structure.filler import filler, shortened
from promptslim.trim.change import Change, Level, Range
from promptslim.trim.subject import Subject

TITLE = "say it shorter"
LEVEL: Level = "unsafe"


def changes(subject: Subject) -> Iterator[Change]:
    """Each phrase by itself."""
    for one in filler(subject.structure, subject.phrases["filler"]):
        if one.kind != "announcing":
            yield Change((Range(*shortened(subject.text, one)),))
