"""How much of alpha each look at the proof items may spend."""

from __future__ import annotations


def level_of(alpha: float, look: int, planned: int | None = 1) -> float:
    """The level of look number ``look`` (from 1); the levels of all looks together are at most ``alpha``.

    A look is every opening of the proof items for a verdict: with more items than before, or with a further
    candidate. ``planned`` is how many were declared before the first. One look has all of alpha. Of more, look k has
    alpha / 2^k and the last what is left; None declares any number. A look beyond the declared number has
    nothing left to spend (0), and cannot pass. The sum is the bound of Bonferroni and Boole, so that it holds
    however the looks depend on each other.

    Raises ValueError for a look or number below 1.
    """
    if look < 1 or (planned is not None and planned < 1):
        raise ValueError("looks are counted from 1")
    if planned is None:
        return float(alpha * 0.5**look)
    if look > planned:
        return 0.0
    return float(alpha * 0.5 ** min(look, planned - 1))
