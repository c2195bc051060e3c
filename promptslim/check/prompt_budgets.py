"""Budgets that the configuration sets for single prompts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from promptslim.check.prompt_cost import model_of, users_with_prices, waste
from promptslim.check.wording import code
from promptslim.core.finding import Finding

if TYPE_CHECKING:
    from promptslim.check.rule_context import RuleContext
    from promptslim.core.prompt import Prompt


def over_own_budget(prompt: Prompt, text: str, budget: int, rule: RuleContext) -> Iterator[Finding]:
    """A finding where the fixed ``text`` of a prompt has more tokens than the budget of this very prompt.

    The budget was measured by the same counter, so that its point counts and not its band.
    """
    count = rule.count(text, model_of(prompt, rule))
    if count.n > budget:
        basis = "estimated" if count.method == "estimate" else "counted"
        yield rule.finding(
            f"{code(prompt.id, 120)} has {count.n:,} tokens ({basis}), {count.n - budget:,} over its budget of "
            f"{budget:,}",
            prompt.primary,
            prompt=prompt,
            evidence=prompt.id,
            confidence="high",
            related=users_with_prices(prompt, count.n, rule),
            impact=waste(prompt, count, count.n - budget, rule),
            size=count.n,
        )
