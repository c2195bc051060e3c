"""Bounds of a single proportion, and the normal quantile that the other bounds use."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache


@lru_cache(256)
def z_score(confidence: float) -> float:
    """The standard normal quantile: z with P(Z <= z) = ``confidence``, which lies between 0 and 1.

    Found by bisection of the complementary error function: Phi(z) = erfc(-z / sqrt(2)) / 2.
    """
    if confidence < 0.5:
        return -z_score(1 - confidence)
    tail = 2 * (1 - confidence)
    return bisect(lambda z: math.erfc(z / math.sqrt(2)) - tail, 0.0, 40.0)


def bisect(falling: Callable[[float], float], low: float, high: float, precision: float = 1e-15) -> float:
    """The root of a falling function between ``low`` and ``high``."""
    for _ in range(200):
        middle = (low + high) / 2
        if falling(middle) > 0:
            low = middle
        else:
            high = middle
        if high - low < precision:
            break
    return (low + high) / 2


def at_most(k: int, n: int, p: float) -> float:
    """P(X <= k) for X ~ Binomial(n, p)."""
    if k < 0:
        return 0.0
    if k >= n or p <= 0:
        return 1.0
    if p >= 1:
        return 0.0
    log_p, log_q = math.log(p), math.log1p(-p)
    return min(1.0, math.fsum(math.exp(log_choose(n, i) + i * log_p + (n - i) * log_q) for i in range(k + 1)))


@lru_cache(65_536)
def log_choose(n: int, k: int) -> float:
    """The logarithm of n over k."""
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def clopper_pearson_upper(k: int, n: int, confidence: float = 0.95) -> float:
    """One-sided exact upper bound of a proportion of which k of n were seen: the p with P(X <= k) = 1 - confidence.

    Clopper and Pearson, Biometrika 26 (1934); for k = 0 it is 1 - (1 - confidence)^(1/n). 1 where k >= n.
    """
    if k >= n:
        return 1.0
    if k == 0:
        return -math.expm1(math.log(1 - confidence) / n)
    return bisect(lambda p: at_most(k, n, p) - (1 - confidence), k / n, 1.0)


def clopper_pearson_lower(k: int, n: int, confidence: float = 0.95) -> float:
    """One-sided exact lower bound of a proportion; 0 where k is 0."""
    return 0.0 if k == 0 else 1 - clopper_pearson_upper(n - k, n, confidence)


def wilson(k: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """The two-sided score interval of a proportion. Wilson, JASA 22 (1927). (0, 1) where n is 0."""
    if n == 0:
        return 0.0, 1.0
    z = z_score((1 + confidence) / 2)
    p, width = k / n, 1 + z * z / n
    middle = (p + z * z / (2 * n)) / width
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / width
    return max(0.0, middle - half), min(1.0, middle + half)


def mcnemar_exact(regressions: int, improvements: int) -> float:
    """Two-sided exact p-value that regressions and improvements are equally likely. McNemar, Psychometrika 12 (1947),
    in its binomial form."""
    discordant = regressions + improvements
    return min(1.0, 2 * at_most(min(regressions, improvements), discordant, 0.5)) if discordant else 1.0
