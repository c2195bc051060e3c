"""cost: the call costs at most ``threshold`` dollars."""

from __future__ import annotations

from decimal import Decimal

from promptslim.verify.answer import Answer, Check, Grade, ungradeable, verdict

KINDS = ("cost",)
GRADED = False


def check(check: Check) -> str | None:
    """A threshold is needed."""
    return None if check.threshold is not None else "needs a threshold in dollars"


def grade(answer: Answer, check: Check) -> Grade:
    """Whether the price is low enough."""
    if answer.usd is None:
        return ungradeable("no price is known for the model")
    return verdict(answer.usd <= Decimal(str(check.threshold)), f"${answer.usd}, at most ${check.threshold:g} allowed")
