"""Counts with the vocabulary file that the user gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal as Choice

from promptslim.core.result import TokenCount
from promptslim.tokens.cache import CountCache
from promptslim.tokens.counter import Counter
from promptslim.tokens.generations import GENERATIONS
from promptslim.tokens.vocabulary import Vocabulary


class UserCounter(Counter):
    """A counter that takes the user's vocabulary for every tokenizer but Claude's, which are built in."""

    def __init__(
        self,
        file: str,
        prefer: Choice["estimate", "exact"],
        cache: CountCache | None,
        calibration: Mapping[str, float] | None = None,
    ) -> None:
        """Reads ``file``, a tokenizer.json. Raises VocabularyError."""
        super().__init__(prefer, cache, calibration)
        self._vocabulary = Vocabulary(file)

    def count_many(self, texts: Sequence[str], key: str, *, precise: bool | None = None) -> list[TokenCount]:
        """As in Counter; the method is "vocabulary" where the file counted."""
        if key in GENERATIONS:
            return super().count_many(texts, key, precise=precise)
        return self._vocabulary.count_many(texts)

    def over(self, text: str, key: str, threshold: int) -> bool:
        """As in Counter."""
        if key in GENERATIONS:
            return super().over(text, key, threshold)
        return self._vocabulary.count(text).low > threshold
