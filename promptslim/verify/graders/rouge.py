"""rouge-n and rouge-l: the F-measure of shared word sequences, as summaries are compared.

Lin, "ROUGE: A Package for Automatic Evaluation of Summaries" (2004), equations 1 and 2 to 4 with beta = 1, on words in
lower case without stemming.
"""

from __future__ import annotations

import re
from collections import Counter

from promptslim.verify.answer import Answer, Check, Grade, scored

KINDS = ("rouge-n", "rouge-l")
GRADED = True
LEAST = 0.75
_WORD = re.compile(r"\w+")


def check(check: Check) -> str | None:
    """A text with words is needed, and ``n`` is at least 1."""
    if not isinstance(check.value, str) or not _WORD.search(check.value):
        return "needs a text as its value"
    n = check.options.get("n", 1)
    return None if isinstance(n, int) and n >= 1 else 'has an "n" that is no whole number from 1'


def grade(answer: Answer, check: Check) -> Grade:
    """The share of word sequences that both have."""
    found, wanted = _words(answer.text), _words(check.value)
    if check.kind == "rouge-l":
        from rapidfuzz.distance import LCSseq

        score = _f_measure(LCSseq.similarity(found, wanted), len(found), len(wanted))
    else:
        n = check.options.get("n", 1)
        first, second = _sequences(found, n), _sequences(wanted, n)
        score = _f_measure((first & second).total(), first.total(), second.total())
    return scored(score, LEAST if check.threshold is None else check.threshold, check.kind)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _sequences(words: list[str], n: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(words[start : start + n]) for start in range(len(words) - n + 1))


def _f_measure(shared: int, found: int, wanted: int) -> float:
    return 2 * shared / (found + wanted) if shared else 0.0
