"""rouge-n and rouge-l: the F-measure of shared word sequences, as summaries are compared, by the package rouge-score.

Lin, "ROUGE: A Package for Automatic Evaluation of Summaries" (2004). Words are letters and digits of any script in
lower case, without stemming; rouge-score's own tokenizer would drop everything but ASCII.
"""

from __future__ import annotations

import importlib.util
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from promptslim.verify.answer import Answer, Check, Grade, scored

if TYPE_CHECKING:
    from rouge_score.rouge_scorer import RougeScorer

KINDS = ("rouge-n", "rouge-l")
GRADED = True
LEAST = 0.75
_WORD = re.compile(r"\w+")


class _Words:
    """A tokenizer as rouge-score takes one."""

    def tokenize(self, text: str) -> list[str]:
        """The words of a text."""
        return _WORD.findall(text.lower())


def check(check: Check) -> str | None:
    """A text with words is needed, ``n`` is from 1 to 9, and the package is there."""
    if not isinstance(check.value, str) or not _WORD.search(check.value):
        return "needs a text as its value"
    n = check.options.get("n", 1)
    if not isinstance(n, int) or isinstance(n, bool) or not 1 <= n <= 9:
        return 'has an "n" that is no whole number from 1 to 9'
    if importlib.util.find_spec("rouge_score") is None:
        return "needs rouge-score: pip install 'promptslim-lint[rouge]', or the package rouge-score"
    return None


def grade(answer: Answer, check: Check) -> Grade:
    """The share of word sequences that both have."""
    kind = "rougeL" if check.kind == "rouge-l" else f"rouge{check.options.get('n', 1)}"
    score = float(_scorer(kind).score(check.value, answer.text)[kind].fmeasure)
    return scored(score, LEAST if check.threshold is None else check.threshold, check.kind)


@lru_cache(16)
def _scorer(kind: str) -> RougeScorer:
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer([kind], tokenizer=_Words())
