"""Titles and descriptions in tool definitions that repeat a name or the values of an enum."""

from __future__ import annotations

from collections.abc import Iterator

from promptslim.structure.tool_padding import REPEATS_ENUM, REPEATS_NAME, REPEATS_TITLE, padding_in
from promptslim.trim.change import Change, Level, Range
from promptslim.trim.subject import Subject

TITLE = "drop descriptions that only repeat a name"
LEVEL: Level = "unsafe"

_CERTAIN = (REPEATS_NAME, REPEATS_TITLE, REPEATS_ENUM)
"""What also stands in the tool's own description, or in several tools, may carry weight where it stands."""


def changes(subject: Subject) -> Iterator[Change]:
    """Each member or clause by itself."""
    if subject.prompt.shape == "tools":
        for one in padding_in(subject.text, subject.phrases["tool_wording"]):
            if one.why in _CERTAIN:
                yield Change((Range(one.start, one.end),))
