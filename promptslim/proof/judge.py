"""What the errors of a grader that is a model itself do to a verdict."""

from __future__ import annotations

from promptslim.core.record import record
from promptslim.proof.proportions import clopper_pearson_lower

LEAST_KAPPA = 0.6
"""Agreement beyond chance below which a judge's grades prove nothing; from 0.6 it is called substantial (Landis and
Koch, Biometrics 33 (1977))."""

JUDGE_SHARE = 0.2
"""Share of a look's level that the uncertainty of the judge's own error rates takes."""


@record
class JudgeErrors:
    """How a judge graded items whose right grade people had given: good items that it passed and failed, bad items
    that it failed and passed."""

    good_passed: int
    good_failed: int
    bad_failed: int
    bad_passed: int

    @property
    def accuracy(self) -> float:
        """Share of labelled items that the judge graded right; 0 without any."""
        items = self.items
        return (self.good_passed + self.bad_failed) / items if items else 0.0

    @property
    def items(self) -> int:
        """The number of labelled items."""
        return self.good_passed + self.good_failed + self.bad_failed + self.bad_passed

    @property
    def kappa(self) -> float:
        """Agreement with the labels beyond chance. Cohen, Educational and Psychological Measurement 20 (1960)."""
        n = self.items
        if not n:
            return 0.0
        passed, good = self.good_passed + self.bad_passed, self.good_passed + self.good_failed
        chance = (passed * good + (n - passed) * (n - good)) / (n * n)
        return (self.accuracy - chance) / (1 - chance) if chance < 1 else 0.0

    def shrinkage(self, level: float) -> float:
        """A lower bound, at ``level``, of the factor by which the judge shrinks a loss: its rate of passing good items
        plus its rate of failing bad ones, less 1 (Youden, Cancer 3 (1950)), each at its exact bound for half the level.

        With errors that hit both prompts alike, a true loss L is seen as L times the factor; 2q - 1 for a judge who is
        right with chance q in both directions. At most 0 where nothing is shown.
        """
        confidence = 1 - level / 2
        good = clopper_pearson_lower(self.good_passed, self.good_passed + self.good_failed, confidence)
        bad = clopper_pearson_lower(self.bad_failed, self.bad_failed + self.bad_passed, confidence)
        return good + bad - 1


def judge_noise(accuracy: float) -> tuple[float, float]:
    """What a judge who is right with chance ``accuracy`` does to two equally good prompts: the factor by which a loss
    shrinks, 2q - 1, and the share of items on which the grades differ by chance, 2q (1 - q)."""
    return 2 * accuracy - 1, 2 * accuracy * (1 - accuracy)
