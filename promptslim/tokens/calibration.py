"""How far the estimates of a tokenizer lie from what a service counts."""

from __future__ import annotations

import math
from collections.abc import Sequence

from promptslim.core.record import record
from promptslim.tokens.estimate import estimate

LEAST_TOKENS = 500
"""Tokens, as the service counts them, below which no factor is given: the estimate of a few words is off by chance."""

LETTER = "a"
"""A text of one token in every tokenizer here: what it counts beyond 1 is the frame of a message."""


class TooLittleTextError(Exception):
    """There are too few tokens to calibrate by. The message is one line."""


@record
class Calibration:
    """``estimated`` and ``counted`` tokens of each text, the frame of its message left out. ``factor`` is what makes
    the sums agree, ``lowest`` and ``highest`` what the single texts would need, and ``frame`` the tokens of a message
    around its text."""

    estimated: tuple[int, ...]
    counted: tuple[int, ...]
    factor: float
    lowest: float
    highest: float
    frame: int


def calibration(texts: Sequence[str], counted: Sequence[int], framed_token: int, key: str) -> Calibration:
    """The factor of the tokenizer ``key``, by what a service counted for messages of the ``texts``, and of
    ``LETTER`` (``framed_token``). Raises TooLittleTextError.
    """
    frame = framed_token - 1
    true = tuple(max(1, n - frame) for n in counted)
    if sum(true) < LEAST_TOKENS:
        raise TooLittleTextError(f"the texts have {sum(true):,} tokens; a calibration takes {LEAST_TOKENS} or more")
    rough = tuple(max(1, estimate(text, key).n) for text in texts)
    ratios = [one / other for one, other in zip(true, rough, strict=True)]
    return Calibration(rough, true, round(math.fsum(true) / math.fsum(rough), 3), min(ratios), max(ratios), frame)
