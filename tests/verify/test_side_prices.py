"""Cached tokens are priced alike for both prompts, whichever calls of a run happened to write them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from asking_by_hand import tariff
from hypothesis import given
from hypothesis import strategies as st

from promptslim.pricing.cost import Usage, call_cost
from promptslim.verify.side_prices import side_prices

RATES = tariff("us.anthropic.claude-sonnet-4-6").rates
assert RATES is not None


def mean(usages: list[Usage], of: list[Usage]) -> Decimal:
    assert RATES is not None
    prices = side_prices(RATES, "standard", of)
    costs = [prices.cost(one) for one in usages]
    return sum((cost for cost in costs if cost is not None), Decimal(0)) / len(costs)


@pytest.mark.parametrize("field", ["write_5m", "write_1h"])
def test_a_prompt_is_not_dearer_for_being_asked_first(field: str) -> None:
    old = [Usage(20, 5, read=4000) for _ in range(10)]
    new = [Usage(20, 5, **{field: 3000}), *(Usage(20, 5, read=3000) for _ in range(9))]
    both = [*old, *new]
    assert mean(new, both) < mean(old, both)
    assert RATES is not None
    alone = sum((call_cost(one, RATES) or Decimal(0) for one in both), Decimal(0))
    same = [*old, *(Usage(20, 5, **{field: 4000}) for _ in range(2))]
    assert mean(same, same) * len(same) == sum((call_cost(one, RATES) or Decimal(0) for one in same), Decimal(0))
    assert alone > 0


@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 500)), min_size=1, max_size=9))
def test_without_a_cache_the_price_is_that_of_the_calls(sizes: list[tuple[int, int]]) -> None:
    assert RATES is not None
    usages = [Usage(fresh, output) for fresh, output in sizes]
    assert mean(usages, usages) * len(usages) == pytest.approx(sum(call_cost(one, RATES) or 0 for one in usages))
    assert side_prices(RATES, "standard", usages).note() == ""
