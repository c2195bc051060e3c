"""Sentences and blocks that say again, letter for letter, what stands on the same side of the data."""

from __future__ import annotations

import re
from collections.abc import Iterator

from promptslim.structure.repeats import repeated_instructions
from promptslim.trim.change import Change, Level
from promptslim.trim.stretches import without_stretch
from promptslim.trim.subject import Subject

TITLE = "drop the second copy of an instruction"
LEVEL: Level = "proof"

LEAST_WORDS = 5
"""Words that count in a sentence; shorter ones repeat by chance (as in duplicate-instructions)."""

_SENTENCE_END = re.compile(r"[.!?。][\"')\]*_]*\s*\Z")
"""Lines of code and data repeat as well, and do not end like a sentence."""


def changes(subject: Subject) -> Iterator[Change]:
    """Each second copy. Near copies stay: a rule for another field looks like one."""
    structure = subject.structure
    if subject.prompt.shape == "tools" or subject.prompt.role in ("tools", "tool", "assistant"):
        return
    for block in repeated_instructions(structure, subject.phrases["repeated"], LEAST_WORDS, 100):
        first, last = structure.segments[block.start], structure.segments[block.end - 1]
        after = structure.segments[block.end] if block.end < len(structure.segments) else None
        cuts_item = after is not None and after.item is not None and after.item == last.item
        ends = _SENTENCE_END.search(subject.text[first.start : last.end])
        if block.same_side and block.exact and ends and not cuts_item:
            yield Change((without_stretch(subject.text, first.start, last.end),), copy=True)
