"""levenshtein (at most ``threshold`` edits, default 5) and similarity (a share of equal characters of at least
``threshold``, default 0.8)."""

from __future__ import annotations

from promptslim.verify.answer import Answer, Check, Grade, scored, verdict

KINDS = ("levenshtein", "similarity")
GRADED = True
MOST_EDITS = 5
LEAST_SIMILARITY = 0.8


def check(check: Check) -> str | None:
    """A text is needed."""
    return None if isinstance(check.value, str) else "needs a text as its value"


def grade(answer: Answer, check: Check) -> Grade:
    """How like the answer is to the value."""
    from rapidfuzz.distance import Levenshtein

    if check.kind == "similarity":
        score = Levenshtein.normalized_similarity(answer.text, check.value)
        return scored(score, LEAST_SIMILARITY if check.threshold is None else check.threshold, "similarity")
    edits = Levenshtein.distance(answer.text, check.value)
    most = MOST_EDITS if check.threshold is None else check.threshold
    return verdict(edits <= most, f"{edits} edits, at most {most:g} allowed")
