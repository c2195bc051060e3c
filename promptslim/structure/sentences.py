"""Sentences of running text."""

from __future__ import annotations

from collections.abc import Iterator

from promptslim.core.lazy_pattern import pattern

_END = pattern(r"(?<=[.!?。！？])[\"'”’)\]*_`]{0,3}(?:\s+(?=[\"'“‘(\[*_`]{0,3}[A-Z0-9À-Þ\ufffc])|(?<=[。！？]))")  # noqa: RUF001
_SHORT_FORM = pattern(
    r"(?:^|[\s(])(?:e\.g|i\.e|etc|vs|cf|approx|Dr|Mr|Mrs|Ms|No|Fig|[A-Z]|\d{1,3})\.[\"'”’)\]*_`]{0,3}$"  # noqa: RUF001
)


def sentence_ends(text: str, start: int, end: int) -> Iterator[int]:
    """Offsets after each sentence of ``text[start:end]`` but the last, blank space after it included."""
    begin = start
    for match in _END.finditer(text, start, end):
        if match.end() >= end:
            return
        head = text[max(begin, match.start() - 12) : match.start()]
        if _SHORT_FORM.search(head):
            continue
        yield match.end()
        begin = match.end()
