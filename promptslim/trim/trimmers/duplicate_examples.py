"""Examples that show again, letter for letter, what an earlier one shows."""

from __future__ import annotations

from collections.abc import Iterator

from promptslim.structure.shown_examples import repeated, shown_examples
from promptslim.trim.change import Change, Level
from promptslim.trim.stretches import without_stretch
from promptslim.trim.subject import Subject

TITLE = "drop the second copy of an example"
LEVEL: Level = "proof"


def changes(subject: Subject) -> Iterator[Change]:
    """Each second copy."""
    if subject.prompt.shape == "tools" or subject.prompt.role in ("tools", "tool", "assistant"):
        return
    harmless = frozenset(subject.phrases["repeated"]["harmless"])
    for first, again in repeated(shown_examples(subject.structure, harmless), 100):
        if " ".join(first.head.split()) == " ".join(again.head.split()):
            yield Change((without_stretch(subject.text, again.example.start, again.example.end),), copy=True)
