"""Bounds of the mean loss by betting: for graded scores, for clusters, and for stopping early.

A bet against "the mean loss is at least m" multiplies its wealth by 1 + l (m - loss) for each independent unit, with
a loss in [-1, 1] and l below 1 / (1 - m). Under that hypothesis no factor has a mean above 1, so that wealth reaches
1 / level with a chance of at most ``level``, at whatever moment one stops (Ville 1939; Waudby-Smith and Ramdas, JRSS B
86 (2024)). Wealth is averaged over fixed bets: it does not depend on the order of the units, and a unit that does
better never makes it smaller.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from promptslim.core.record import record
from promptslim.proof.proportions import bisect, z_score

SAFE = 0.999
"""Share of the largest bet that keeps every factor positive."""

EARLY: tuple[tuple[float, float], ...] = tuple((share, 1 / 6) for share in (0.1, 0.2, 0.35, 0.5, 0.7, 0.9))
"""Bets (share of the largest, weight) of the sequential test: no one of them is far from the best."""

AT_THE_END: tuple[tuple[float, float], ...] = ((0.1, 0.15), (0.25, 0.15), (0.5, 0.2), (1.0, 0.5))
"""Bets of the gate for graded scores. Half goes on the largest, which is best where most losses are near 0; in
simulations it needs a quarter fewer items there than even weights, and as many for large spreads."""

Counts = Sequence[tuple[float, int]]


@record
class EProcess:
    """The sequential test of pairs as they come: ``accept`` and ``reject`` are the logarithms of the wealth of each
    bet against "the loss is at least the margin" and "the loss is at most the margin"."""

    margin: float
    accept: tuple[float, ...] = (0.0,) * len(EARLY)
    reject: tuple[float, ...] = (0.0,) * len(EARLY)
    seen: int = 0

    def after(self, loss: float) -> EProcess:
        """The state after one more independent pair; 1 is a regression, 0 no change, -1 an improvement."""
        gain = self.margin - loss
        return EProcess(
            self.margin,
            tuple(w + math.log1p(bet * gain) for w, bet in zip(self.accept, _against_high(self.margin), strict=True)),
            tuple(w + math.log1p(-bet * gain) for w, bet in zip(self.reject, _against_low(self.margin), strict=True)),
            self.seen + 1,
        )

    def verdict(self, level: float = 0.05) -> str | None:
        """``accept`` or ``reject`` where one is shown at ``level``, else None."""
        bar = -math.log(level)
        if _mixed(self.accept, EARLY) >= bar:
            return "accept"
        return "reject" if _mixed(self.reject, EARLY) >= bar else None


def rejected_early(losses: Iterable[float], margin: float, level: float = 0.05) -> bool:
    """Whether the losses seen so far, in whatever order, show a mean loss above the margin; valid at any moment."""
    return _log_wealth_low(_counts(losses), margin, EARLY) >= -math.log(level)


def graded_passes(losses: Iterable[float], margin: float, level: float = 0.05) -> bool:
    """Whether the losses of independent units, each in [-1, 1], show a mean loss below ``margin``."""
    return _log_wealth_high(_counts(losses), margin, AT_THE_END) >= -math.log(level)


def graded_upper(losses: Iterable[float], level: float = 0.05) -> float:
    """One-sided upper bound of the mean loss, to 1e-9: the smallest margin that passes; 1 where none does."""
    counts, bar = _counts(losses), -math.log(level)
    low, high = -1.0 + 1e-9, 1.0 - 1e-9
    if _log_wealth_high(counts, high, AT_THE_END) < bar:
        return 1.0
    return bisect(lambda margin: bar - _log_wealth_high(counts, margin, AT_THE_END), low, high, 1e-9) + 1e-9


def graded_lower(losses: Iterable[float], level: float = 0.05) -> float:
    """One-sided lower bound of the mean loss; -1 where nothing is shown."""
    return -graded_upper([-loss for loss in losses], level)


def graded_items_needed(losses: Sequence[float], margin: float, power: float = 0.8, level: float = 0.05) -> int | None:
    """Units from which the graded gate passes with ``power`` if the next are like ``losses``; None where none would.

    For each bet the wealth's logarithm grows by its observed mean per unit, with the observed spread: n g - z s
    sqrt(n) has to reach ln(1 / (level weight)).
    """
    found: list[float] = []
    for share, weight in AT_THE_END:
        bet = SAFE * share / (1 - margin)
        steps = [math.log1p(bet * (margin - loss)) for loss in losses]
        growth = math.fsum(steps) / len(steps) if steps else 0.0
        if growth <= 0:
            continue
        spread = math.sqrt(math.fsum((step - growth) ** 2 for step in steps) / len(steps))
        z, goal = z_score(power), -math.log(level * weight)
        found.append(((z * spread + math.sqrt((z * spread) ** 2 + 4 * growth * goal)) / (2 * growth)) ** 2)
    return math.ceil(min(found)) if found else None


def graded_smallest_margin(units: int, spread: float, power: float = 0.8, level: float = 0.05) -> float:
    """The smallest margin, rounded up to a tenth of a point, that ``units`` independent units show with ``power`` at
    true loss 0, if their losses have the standard deviation ``spread``; by ``graded_items_needed``. 1 where none."""
    losses = (spread, -spread)

    def lacking(margin: float) -> float:
        needed = graded_items_needed(losses, margin, power, level)
        return 1.0 if needed is None else needed - units - 0.5

    if units < 1 or lacking(0.9995) > 0:
        return 1.0
    return math.ceil(round(1000 * bisect(lacking, 0.0005, 0.9995, 1e-6), 2)) / 1000


def _against_high(margin: float, bets: Sequence[tuple[float, float]] = EARLY) -> tuple[float, ...]:
    return tuple(SAFE * share / (1 - margin) for share, _ in bets)


def _against_low(margin: float, bets: Sequence[tuple[float, float]] = EARLY) -> tuple[float, ...]:
    return tuple(SAFE * share / (1 + margin) for share, _ in bets)


def _log_wealth_high(counts: Counts, margin: float, bets: Sequence[tuple[float, float]]) -> float:
    return _mixed([_grown(counts, margin, bet) for bet in _against_high(margin, bets)], bets)


def _log_wealth_low(counts: Counts, margin: float, bets: Sequence[tuple[float, float]]) -> float:
    return _mixed([_grown(counts, margin, -bet) for bet in _against_low(margin, bets)], bets)


def _grown(counts: Counts, margin: float, bet: float) -> float:
    return math.fsum(times * math.log1p(bet * (margin - loss)) for loss, times in counts)


def _mixed(logs: Sequence[float], bets: Sequence[tuple[float, float]]) -> float:
    """The logarithm of the weighted mean of the wealth of all bets."""
    top = max(logs)
    return top + math.log(math.fsum(weight * math.exp(log - top) for log, (_, weight) in zip(logs, bets, strict=True)))


def _counts(losses: Iterable[float]) -> Counts:
    """Equal losses together, in order, so that the sums are the same for every order of the units."""
    times: dict[float, int] = {}
    for loss in losses:
        times[loss] = times.get(loss, 0) + 1
    return sorted(times.items())
