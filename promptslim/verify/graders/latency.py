"""latency: the answer took at most ``threshold`` milliseconds."""

from __future__ import annotations

from promptslim.verify.answer import Answer, Check, Grade, ungradeable, verdict

KINDS = ("latency",)
GRADED = False


def check(check: Check) -> str | None:
    """A threshold is needed."""
    return None if check.threshold is not None else "needs a threshold in milliseconds"


def grade(answer: Answer, check: Check) -> Grade:
    """Whether the answer came soon enough; one that was replayed has no time."""
    if answer.seconds is None or check.threshold is None:
        return ungradeable("the time was not measured")
    taken = 1000 * answer.seconds
    return verdict(taken <= check.threshold, f"{taken:.0f} ms, at most {check.threshold:g} allowed")
