"""Paired pass/fail outcomes: bounds of the loss, and the gate that a shorter prompt has to pass.

Of ``n`` items, ``b`` are regressions (the old prompt passed, the new one failed) and ``c`` improvements (the other
way round). The true loss is L = p10 - p01, the rate of regressions less that of improvements.
"""

from __future__ import annotations

import math

from promptslim.proof.proportions import at_most, bisect, clopper_pearson_upper, z_score

SCORE_SHARE = 0.9
"""Share of the level at which the score bound is taken (95.5 % at 5 %): at the full level its exact rate of false
passes reaches 6.9 %, with this share and the guard below it stays under the level (tests/proof enumerate it)."""

FEW = 6
"""Discordant pairs below which the score bound is guarded by the exact bound of the regressions alone."""


def tango_z(b: int, c: int, n: int, loss: float) -> float:
    """The score statistic of H0: p10 - p01 = ``loss``; negative where the data show less loss.

    Tango, Statistics in Medicine 17 (1998), with the constrained maximum-likelihood estimate of p01.
    """
    half = -b - c + (2 * n - b + c) * loss
    root = math.sqrt(max(half * half + 8 * n * c * loss * (1 - loss), 0.0))
    p01 = (root - half) / (4 * n)
    variance = n * (2 * p01 + loss * (1 - loss))
    excess = b - c - n * loss
    if variance <= 1e-15:
        return 0.0 if abs(excess) < 1e-12 else math.copysign(math.inf, excess)
    return excess / math.sqrt(variance)


def tango_upper(b: int, c: int, n: int, confidence: float = 0.95) -> float:
    """One-sided upper score bound of the loss: the largest loss that ``tango_z`` does not reject."""
    if b == n:
        return 1.0
    z = z_score(confidence)
    return bisect(lambda loss: tango_z(b, c, n, loss) + z, (b - c) / n, 1.0 - 1e-12)


def upper_bound(b: int, c: int, n: int, level: float = 0.05) -> float:
    """The bound of the loss that the gate compares with the margin.

    Tango's at 1 - 0.9 ``level``. With fewer than six discordant pairs or no improvement, where it is too low, the
    larger of it and the exact bound of the regression rate, which holds because p10 - p01 <= p10. It is not
    monotone where that guard ends: 2 + 2 of 100 give 6.2 points, 3 + 3 give 4.9.
    """
    score = tango_upper(b, c, n, 1 - SCORE_SHARE * level)
    return max(score, clopper_pearson_upper(b, n, 1 - level)) if _guarded(b, c) else score


def lower_bound(b: int, c: int, n: int, level: float = 0.05) -> float:
    """One-sided lower score bound of the loss."""
    return -tango_upper(c, b, n, 1 - level)


def passes(b: int, c: int, n: int, margin: float, level: float = 0.05) -> bool:
    """Whether ``upper_bound`` is at most ``margin``, without searching for it."""
    if b == n or tango_z(b, c, n, margin) > -z_score(1 - SCORE_SHARE * level):
        return False
    return not _guarded(b, c) or at_most(b, n, margin) <= level


def _guarded(b: int, c: int) -> bool:
    return b + c < FEW or c == 0
