"""The one place that decides how a text is counted."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from typing import Literal as Choice

from promptslim.core.result import TokenCount
from promptslim.tokens.estimate import estimate
from promptslim.tokens.generations import GENERATIONS, version

if TYPE_CHECKING:
    from promptslim.tokens.cache import CountCache


class Counter:
    """Counts of texts by tokenizer (ModelFacts.tokenizer), with the cheapest method that will do.

    With ``prefer="estimate"`` every count is the estimate, which loads nothing, unless ``precise=True``
    is asked for. ``prefer="exact"`` asks for it always. Precise means the reconstructed vocabulary for
    Claude; for other tokenizers it is still the estimate, since none of their vocabularies is shipped.
    ``cache`` keeps precise counts between runs; call its ``save`` at the end. ``calibration`` maps tokenizers to what
    their estimates are multiplied by (calibration.py).
    """

    def __init__(
        self,
        prefer: Choice["estimate", "exact"] = "estimate",
        cache: CountCache | None = None,
        calibration: Mapping[str, float] | None = None,
    ) -> None:
        self._precise = prefer == "exact"
        self._cache = cache
        self._calibration = calibration or {}
        self._memory: dict[tuple[str, str], int] = {}

    def count(self, text: str, key: str, *, precise: bool | None = None) -> TokenCount:
        """Tokens of ``text`` as content; the frame of its message comes on top (frames.py)."""
        return self.count_many([text], key, precise=precise)[0]

    def count_many(self, texts: Sequence[str], key: str, *, precise: bool | None = None) -> list[TokenCount]:
        """``count`` of each text; vocabularies encode them as one batch."""
        if key in GENERATIONS and (self._precise if precise is None else precise):
            return [TokenCount(n, n, n, "reconstructed") for n in self._reconstructed(texts, key)]
        return [self._estimated(text, key) for text in texts]

    def over(self, text: str, key: str, threshold: int) -> bool:
        """Whether ``text`` has more than ``threshold`` tokens: true only if the whole band of its count has.

        Decided by the length of the text where that settles it, else by the estimate. Only where the
        threshold lies within its band, and the tokenizer is Claude's, the text is counted precisely.
        """
        if most_tokens(text) <= threshold:
            return False
        rough = self._estimated(text, key)
        if rough.low > threshold or rough.high <= threshold or key not in GENERATIONS:
            return rough.low > threshold
        return self._reconstructed([text], key)[0] > threshold

    def _estimated(self, text: str, key: str) -> TokenCount:
        """The estimate, with the user's calibration of the tokenizer; its band stays as wide as it was."""
        rough, factor = estimate(text, key), self._calibration.get(key)
        if factor is None:
            return rough
        n, low, high = round(rough.n * factor), math.floor(rough.low * factor), math.ceil(rough.high * factor)
        return TokenCount(n, min(n, low), max(n, high), rough.method, True, factor)

    def _reconstructed(self, texts: Sequence[str], key: str) -> list[int]:
        """Precise counts, from the memory of this run, the cache, or the vocabulary."""
        missing = [text for text in dict.fromkeys(texts) if (text, key) not in self._memory]
        if missing and self._cache is not None:
            for text in missing:
                if (n := self._cache.get(text, key, version(key))) is not None:
                    self._memory[text, key] = n
            missing = [text for text in missing if (text, key) not in self._memory]
        if missing:
            from promptslim.tokens.claude import count_many

            for text, n in zip(missing, count_many(missing, key), strict=True):
                self._memory[text, key] = n
                if self._cache is not None:
                    self._cache.put(text, key, version(key), n)
        return [self._memory[text, key] for text in texts]


def most_tokens(text: str) -> int:
    """A number of tokens that ``text`` cannot exceed in any tokenizer here, from its length alone.

    No vocabulary gives more than a token per UTF-8 byte, NFC triples the bytes of a few characters
    (Unicode Standard Annex 15), and Claude's marks are at most three for a word.
    """
    return 4 * len(text.encode("utf-8", "surrogatepass")) + 1
