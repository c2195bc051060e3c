"""What a number of items can show: exact chances of a verdict, the items a margin needs, the margin items allow."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import lru_cache

from promptslim.core.record import record
from promptslim.proof.paired import FEW, passes
from promptslim.proof.proportions import bisect, z_score

ASSUMED_DISCORDANCE = 0.05
"""Share of items on which two equally good prompts are taken to differ, where none was measured."""

POWER = 0.8
"""Chance of a PASS for a prompt that is exactly as good, which a suite is planned for."""

MOST_ITEMS = 20_000
"""Items beyond which nobody is advised to go."""

Accepts = Callable[[int, int, int], bool]


@record
class Plan:
    """What a suite can show before anything is spent.

    ``margin`` is what is to be shown, ``power`` the chance that a prompt which is exactly as good passes with
    ``items``, given that the two differ on a share of ``discordance`` of them. ``smallest_margin`` is what
    ``items`` can show with 80 % power, ``items_needed`` how many ``margin`` needs for it (None: more than 20,000).
    """

    items: int
    margin: float
    level: float
    discordance: float
    power: float
    smallest_margin: float
    items_needed: int | None


def plan(items: int, margin: float, discordance: float = ASSUMED_DISCORDANCE, level: float = 0.05) -> Plan:
    """The plan of a pass/fail suite of ``items`` independent items for one look at ``level``."""
    return Plan(
        items=items,
        margin=margin,
        level=level,
        discordance=discordance,
        power=pass_chance(items, discordance / 2, discordance / 2, margin, level),
        smallest_margin=smallest_margin(items, discordance, level=level),
        items_needed=items_needed_exact(discordance, margin, level=level),
    )


def accept_chance(n: int, p10: float, p01: float, accepts: Accepts) -> float:
    """P(accepts(b, c, n)) for any rule, by enumeration of the trinomial distribution: for tests and tables."""
    rest = 1 - p10 - p01
    return math.fsum(
        _trinomial(n, b, c, p10, p01, rest) for b in range(n + 1) for c in range(n + 1 - b) if accepts(b, c, n)
    )


def _trinomial(n: int, b: int, c: int, p10: float, p01: float, rest: float) -> float:
    equal = n - b - c
    if (b and p10 <= 0) or (c and p01 <= 0) or (equal and rest <= 0):
        return 0.0
    log = math.lgamma(n + 1) - math.lgamma(b + 1) - math.lgamma(c + 1) - math.lgamma(equal + 1)
    log += (b * math.log(p10) if b else 0) + (c * math.log(p01) if c else 0)
    return math.exp(log + (equal * math.log(rest) if equal else 0))


def pass_chance(n: int, p10: float, p01: float, margin: float, level: float = 0.05) -> float:
    """The exact chance that the gate passes ``n`` items, at given rates of regressions and improvements.

    The sum over the gate's acceptance region, improvements being binomial and regressions binomial given them; tails
    below 1e-12 are left out.
    """
    if p01 >= 1:
        return 0.0
    chances: list[float] = []
    share = min(1.0, p10 / (1 - p01))
    for c, chance in _likely(n, p01):
        few, most = _region(n, c, margin, level)
        total = n - c
        inside = _binomial_at_most(most, total, share) if most >= 0 else 0.0
        for b in range(max(0, FEW - c) if c else 0):
            accepted = b in few
            if accepted != (b <= most):
                inside += (1 if accepted else -1) * _binomial(b, total, share)
        chances.append(chance * inside)
    return min(1.0, max(0.0, math.fsum(chances)))


@lru_cache(65_536)
def _region(n: int, c: int, margin: float, level: float) -> tuple[frozenset[int], int]:
    """With ``c`` improvements: the small numbers of regressions that are guarded and pass, and the largest number
    that passes where the gate is monotone (-1: none)."""
    start = max(0, FEW - c) if c else 0
    few = frozenset(b for b in range(min(start, n - c + 1)) if passes(b, c, n, margin, level))
    low, high = start - 1, n - c
    while low < high:
        middle = (low + high + 1) // 2
        if passes(middle, c, n, margin, level):
            low = middle
        else:
            high = middle - 1
    return few, low if low >= start else -1


def _likely(n: int, p: float) -> Iterator[tuple[int, float]]:
    """The counts of a binomial that matter, with their chances."""
    spread = 8 * math.sqrt(n * p * (1 - p)) + 12
    for k in range(max(0, int(n * p - spread)), min(n, int(n * p + spread)) + 1):
        chance = _binomial(k, n, p)
        if chance > 1e-15:
            yield k, chance


def _binomial(k: int, n: int, p: float) -> float:
    if k < 0 or k > n:
        return 0.0
    if p <= 0:
        return 1.0 if k == 0 else 0.0
    if p >= 1:
        return 1.0 if k == n else 0.0
    log = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return math.exp(log + k * math.log(p) + (n - k) * math.log1p(-p))


def _binomial_at_most(k: int, n: int, p: float) -> float:
    """P(X <= k), summed from k away from the middle until nothing more is added."""
    if k >= n or p <= 0:
        return 1.0
    if p >= 1:
        return 0.0
    odds = p / (1 - p)
    below = k <= n * p
    i = k if below else k + 1
    term = _binomial(i, n, p)
    total = 0.0
    while term > 1e-17 * max(total, 1e-30) and 0 <= i <= n:
        total += term
        if below:
            term *= i / ((n - i + 1) * odds)
            i -= 1
        else:
            term *= (n - i) * odds / (i + 1)
            i += 1
    return total if below else 1 - total


def items_needed(discordance: float, margin: float, power: float = POWER, level: float = 0.05) -> int:
    """Items for ``power`` at true loss 0 by the normal formula: (z_a + z_b)^2 d / m^2, at least
    ln(level) / ln(1 - m). Optimistic: 71 % instead of 80 % at 124 items; see ``items_needed_exact``."""
    z = z_score(1 - level) + z_score(power)
    floor = math.log(level) / math.log1p(-margin)
    return max(math.ceil(z * z * discordance / margin**2), math.ceil(floor))


def items_needed_exact(
    discordance: float, margin: float, power: float = POWER, level: float = 0.05, loss: float = 0.0
) -> int | None:
    """The smallest number of items (in steps of two, from ten below the normal formula) from which the gate keeps
    ``power`` by exact enumeration, at the numbers 0, 3 and 6 above it too, since the chance falls by little steps.

    ``loss`` is the true loss; None where it is not below the margin or takes more than 20,000 items.
    """
    if loss >= margin:
        return None
    p10, p01 = _rates(discordance, loss)
    n = max(20, items_needed(max(p10 + p01 - loss * loss, 0.0), margin - loss, power, level) - 10)
    while n <= MOST_ITEMS:
        chances = (pass_chance(n + more, p10, p01, margin, level) for more in (0, 3, 6))
        if all(chance >= power for chance in chances):
            return n
        n += max(2, n // 500)
    return None


def _rates(discordance: float, loss: float) -> tuple[float, float]:
    discordance = max(discordance, abs(loss))
    return (discordance + loss) / 2, (discordance - loss) / 2


def smallest_margin(
    n: int, discordance: float = ASSUMED_DISCORDANCE, power: float = POWER, level: float = 0.05
) -> float:
    """The smallest margin, rounded up to a tenth of a point, that ``n`` items show with ``power`` at true loss 0."""
    if n < 1:
        return 1.0
    half = discordance / 2
    margin = bisect(lambda m: power - pass_chance(n, half, half, round(m, 4), level), 0.0005, 0.9995)
    margin = math.ceil(round(margin * 1000, 1)) / 1000
    while margin < 1 and pass_chance(n, half, half, margin, level) < power:
        margin = round(margin + 0.001, 3)
    return margin
