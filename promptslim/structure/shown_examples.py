"""The examples of a prompt by what they say, so that those that say the same can be told."""

from __future__ import annotations

import re
from bisect import bisect_right
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
_SHOWS = pattern(r"[\n:\"`“‘=→{(\[<|]|\d|->|(?<!\w)'")  # noqa: RUF001
"""What an example has that stands under a title or label alone: a quotation, code, a number, or a second line."""

_TO_FILL_IN = pattern(
    r":[ \t]*(?:\[[^\[\]\n\"']*[^\W\d_] [^\[\]\n\"']*\]|<[^<>\n]*[^\W\d_] [^<>\n]*>|\.{3}|…)[ \t]*$", re.MULTILINE
)
"""A value that only says what is to stand there: ``Input: [the input of the task]``."""

_DIGITS = pattern(r"\d+")
_NUMBERED_LABEL = pattern(r"^([ \t*_]*[A-Za-z]{1,12})[ \t]*#?\d{1,3}([*_]{0,2}:)", re.MULTILINE)


@record
class ShownExample:
    """An example: its words, the text as written, and its first words without the number or label."""

    key: Key
    example: Example
    text: str
    head: str


def shown_examples(structure: Structure, harmless: Collection[str]) -> tuple[ShownExample, ...]:
    """The single examples in order, but those with placeholders (what fills them decides whether two are the same),
    those that are not sent with every request, and sentences under a title that show nothing."""
    found: list[ShownExample] = []
    for example in structure.examples:
        text = structure.flat.text[example.start : example.end]
        if HOLE in text or PLACEHOLDER.search(text) or not structure.flat.certain(example.start):
            continue
        written = text.strip()
        untitled = _NUMBERED.sub("", written, count=1)
        body = _NUMBERED_LABEL.sub(r"\1\2", untitled)
        if _TO_FILL_IN.search(body) or not (written.startswith("<") or _SHOWS.search(body)):
            continue
        key = key_of(body, harmless)
        if len(key) >= LEAST_WORDS:
            # Before and after the data an example may stand on purpose, and a question with its answer in two
            # sections may be given in one and made in the other.
            section = _title(structure, example.start) if untitled == written else ""
            key = (str(structure.flat.side(example.start)), section, *key)
            found.append(ShownExample(key, example, text, body.strip() or text.strip()))
    return tuple(found)


def _title(structure: Structure, offset: int) -> str:
    """The title of the section that a place stands in, without its number."""
    at = bisect_right(structure.segments, offset, key=lambda segment: segment.start) - 1
    return _DIGITS.sub("", structure.sections[structure.segments[max(at, 0)].section].title)


def repeated(shown: Collection[ShownExample], similarity: float) -> tuple[tuple[ShownExample, ShownExample], ...]:
    """Each example that says what an earlier one says, after that one; ``similarity`` as for ``same_wording``."""
    first_of: dict[Key, ShownExample] = {}
    again: list[tuple[ShownExample, ShownExample]] = []
    for one in shown:
        first = first_of.setdefault(one.key, one)
        if first is not one and same_wording(first.text, one.text, similarity):
            again.append((first, one))
    return tuple(again)
