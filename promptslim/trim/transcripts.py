"""Shown runs of an agent: its thoughts, actions and what came back, which have to look as they do when it runs."""

from __future__ import annotations

import re

_STEP = re.compile(
    r"^[ \t]*[*_]{0,2}(thought|action|act|observation|obs)(?: ?\d+)?[*_]{0,2}:", re.IGNORECASE | re.MULTILINE
)
_BLANK_LINE = re.compile(r"\n[ \t]*\n")
_LEAST = 2
"""Observations; one stands in the description of the form."""


def transcript(text: str) -> tuple[int, int] | None:
    """Where the shown runs begin and end, with the paragraphs around them; None where none is shown."""
    steps = list(_STEP.finditer(text))
    kinds = [step[1].lower()[:3] for step in steps]
    if kinds.count("obs") < _LEAST or kinds.count("act") < _LEAST:
        return None
    first, last = steps[0].start(), steps[-1].end()
    blank = [match.end() for match in _BLANK_LINE.finditer(text, 0, first)]
    # Where the run begins after a blank line, what stands before it is mostly the question that it answers.
    touching = bool(blank) and not text[blank[-1] : first].strip()
    start = (blank[-2] if len(blank) > 1 else 0) if touching else blank[-1] if blank else 0
    end = _BLANK_LINE.search(text, last)
    return start, end.start() if end else len(text)
