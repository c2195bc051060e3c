"""The noise floor: the original prompt against itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from promptslim.core.record import record
from promptslim.proof.proportions import clopper_pearson_upper

MOST_NOISE = 0.10
"""Discordance of a prompt with itself above which the graders are to be looked at before anything is spent."""


@record
class Noise:
    """How far the grades of one grader differ between two runs of the same prompt: ``discordance`` is the mean
    difference (for pass/fail the share of items that changed), ``upper`` the exact 95 % bound of the share of items
    that change at all."""

    grader: str
    items: int
    discordance: float
    upper: float

    @property
    def too_noisy(self) -> bool:
        """Whether the grader is to be named and the run stopped."""
        return self.discordance > MOST_NOISE


def noise_floor(grades: Mapping[str, Sequence[tuple[float | None, float | None]]]) -> tuple[Noise, ...]:
    """The noise of each grader from its grades of two runs, noisiest first. Items that could not be graded in both
    runs do not count; a grader without any item is left out."""
    found = []
    for grader, pairs in grades.items():
        both = [abs(first - second) for first, second in pairs if first is not None and second is not None]
        if both:
            changed = sum(difference > 0 for difference in both)
            upper = clopper_pearson_upper(changed, len(both))
            found.append(Noise(grader, len(both), sum(both) / len(both), upper))
    return tuple(sorted(found, key=lambda noise: (-noise.discordance, noise.grader)))
