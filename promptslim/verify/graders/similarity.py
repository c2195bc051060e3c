"""similarity: a share of equal characters, 1 - edits / length of the longer text, of at least ``threshold`` (0.8)."""

from __future__ import annotations

from promptslim.verify.answer import Answer, Check, Grade, scored

KINDS = ("similarity",)
GRADED = True
LEAST_SIMILARITY = 0.8


def check(check: Check) -> str | None:
    """A text is needed."""
    return None if isinstance(check.value, str) else "needs a text as its value"


def grade(answer: Answer, check: Check) -> Grade:
    """How like the answer is to the value (normalised Levenshtein similarity)."""
    from rapidfuzz.distance import Levenshtein

    score = Levenshtein.normalized_similarity(answer.text, check.value)
    return scored(score, LEAST_SIMILARITY if check.threshold is None else check.threshold, "similarity")
