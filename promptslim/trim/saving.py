"""What a change of a prompt saves, in tokens of the model that it is sent to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from promptslim.core.levels import Basis
from promptslim.core.prompt import Literal, Part
from promptslim.core.record import record

if TYPE_CHECKING:
    from promptslim.tokens.counter import Counter

STAND_IN = "claude-3"
"""Whose vocabulary counts for models without one here: differences of a few tokens are below what an estimate from
the length of a text can tell, and this vocabulary was measured to save on blank space what o200k saves."""


@record
class Scale:
    """Counts texts by the vocabulary ``key``; ``basis`` says whether that is the model's own."""

    counter: Counter
    key: str
    basis: Basis

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text."""
        return [one.n for one in self.counter.count_many(list(texts), self.key, precise=True)]

    def saved(self, before: Sequence[Part], after: Sequence[Part]) -> int:
        """Tokens that a prompt has less. A hole counts as a word, so that the blanks around it stay apart."""
        first, second = self.count([shown(before), shown(after)])
        return first - second


def scale_for(counter: Counter, tokenizer: str | None) -> Scale:
    """The scale for a model's tokenizer (``ModelFacts.tokenizer``; None: no model is known)."""
    from promptslim.tokens.generations import GENERATIONS

    if tokenizer in GENERATIONS:
        return Scale(counter, str(tokenizer), "counted")
    if tokenizer is not None and counter.count("a", tokenizer, precise=True).method != "estimate":
        return Scale(counter, tokenizer, "counted")
    return Scale(counter, STAND_IN, "estimated")


def shown(parts: Sequence[Part]) -> str:
    """The text of a prompt with a letter for each hole."""
    return "".join(part.text if isinstance(part, Literal) else "x" for part in parts)
