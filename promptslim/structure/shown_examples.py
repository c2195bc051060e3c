"""The examples of a prompt by what they say, so that those that say the same can be told."""

from __future__ import annotations

import re
from collections.abc import Collection

from promptslim.core.lazy_pattern import pattern
from promptslim.core.record import record
from promptslim.structure.flat import HOLE, PLACEHOLDER
from promptslim.structure.repeats import Key, key_of, same_wording
from promptslim.structure.segment import Example, Structure

LEAST_WORDS = 4
"""Words that count in an example; shorter ones are labels."""

_NUMBERED = pattern(
    r"\A(?:</?[^<>\n]{1,80}>\s*)?(?:[#*_\s-]*(?:worked |good |bad )?example\b[^\n:]{0,40}(?::[*_]{0,2}|\n|\Z))?",
    re.IGNORECASE,
)
_NUMBERED_LABEL = pattern(r"^([ \t*_]*[A-Za-z]{1,12})[ \t]*#?\d{1,3}([*_]{0,2}:)", re.MULTILINE)


@record
class ShownExample:
    """An example: its words, the text as written, and its first words without the number or label."""

    key: Key
    example: Example
    text: str
    head: str


def shown_examples(structure: Structure, harmless: Collection[str]) -> tuple[ShownExample, ...]:
    """The single examples in order, but those with placeholders (what fills them decides whether two are the same)
    and those that are not sent with every request."""
    found: list[ShownExample] = []
    for example in structure.examples:
        text = structure.flat.text[example.start : example.end]
        if HOLE in text or PLACEHOLDER.search(text) or not structure.flat.certain(example.start):
            continue
        body = _NUMBERED_LABEL.sub(r"\1\2", _NUMBERED.sub("", text.strip(), count=1))
        key = key_of(body, harmless)
        if len(key) >= LEAST_WORDS:
            # Before and after the data an example may stand on purpose.
            key = (str(structure.flat.side(example.start)), *key)
            found.append(ShownExample(key, example, text, body.strip() or text.strip()))
    return tuple(found)


def repeated(shown: Collection[ShownExample], similarity: float) -> tuple[tuple[ShownExample, ShownExample], ...]:
    """Each example that says what an earlier one says, after that one; ``similarity`` as for ``same_wording``."""
    first_of: dict[Key, ShownExample] = {}
    again: list[tuple[ShownExample, ShownExample]] = []
    for one in shown:
        first = first_of.setdefault(one.key, one)
        if first is not one and same_wording(first.text, one.text, similarity):
            again.append((first, one))
    return tuple(again)
