"""The token counter of a run, as the settings ask for it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from typing import Literal as Choice

if TYPE_CHECKING:
    from promptslim.config.settings import Settings
    from promptslim.tokens.cache import CountCache
    from promptslim.tokens.counter import Counter


class Counting:
    """Token counts of a run: made when first asked for, kept between runs where the settings allow."""

    def __init__(self, settings: Settings, cwd: str, precise: bool) -> None:
        """``precise``: count with vocabularies where there are any, instead of estimating."""
        self._settings = settings
        self._cwd = cwd
        self._precise = precise
        self._counter: Counter | None = None
        self._cache: CountCache | None = None

    def counter(self) -> Counter:
        """The counter of the run. Raises VocabularyError where the user's vocabulary cannot be read."""
        if self._counter is None:
            from promptslim.tokens.cache import CountCache
            from promptslim.tokens.counter import Counter

            prefer: Choice["estimate", "exact"] = "exact" if self._precise else "estimate"
            calibration = self._settings.calibration
            self._cache = CountCache() if self._settings.cache else None
            if self._settings.tokenizer is None:
                self._counter = Counter(prefer, self._cache, calibration)
            else:
                from promptslim.pipeline.user_counter import UserCounter

                file = os.path.join(self._cwd, self._settings.tokenizer)  # noqa: PTH118 (as everywhere on this path)
                self._counter = UserCounter(file, prefer, self._cache, calibration)
        return self._counter

    def save(self) -> None:
        """Keep what was counted."""
        if self._cache is not None:
            self._cache.save()
