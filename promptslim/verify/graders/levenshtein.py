"""levenshtein: the value becomes the answer by at most ``threshold`` edits of one character, 5 by default."""

from __future__ import annotations

from promptslim.verify.answer import Answer, Check, Grade, verdict

KINDS = ("levenshtein",)
GRADED = False
MOST_EDITS = 5


def check(check: Check) -> str | None:
    """A text is needed."""
    return None if isinstance(check.value, str) else "needs a text as its value"


def grade(answer: Answer, check: Check) -> Grade:
    """How many edits there are (Levenshtein distance)."""
    from rapidfuzz.distance import Levenshtein

    edits = Levenshtein.distance(answer.text, check.value)
    most = MOST_EDITS if check.threshold is None else check.threshold
    return verdict(edits <= most, f"{edits} edits, at most {most:g} allowed")
