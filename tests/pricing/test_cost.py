"""The cost of a call: golden figures, bands, tiers, and what has no price."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptslim.catalog import load
from promptslim.catalog.model_facts import Rates
from promptslim.pricing.cost import Usage, band, call_cost, usd_per_1k
from promptslim.pricing.rates import prices_age_days, provenance

D = Decimal
GOLDEN = Rates(
    D(2),
    D(10),
    D("0.10"),
    D("2.50"),
    None,
    None,
    None,
    (),
    "litellm price map 1.109.1",
    date(2026, 11, 23),
    "us profile",
)
TOKENS = st.integers(0, 2_000_000)


@pytest.mark.parametrize(
    ("usage", "dollars"),
    [
        (Usage(fresh=200, output=300, read=1500), "0.003550"),
        (Usage(fresh=200, output=300, write_5m=1500), "0.007150"),
        (Usage(fresh=200, output=300), "0.003400"),
        (Usage(fresh=1700, output=300, read=1500), "0.006550"),
        (Usage.of_inclusive(1700, output=300, read=1500), "0.003550"),
    ],
)
def test_golden_costs(usage, dollars):
    assert call_cost(usage, GOLDEN) == D(dollars)


def test_an_inclusive_count_cannot_be_smaller_than_its_parts():
    with pytest.raises(ValueError, match="100 input tokens cannot contain 101 cached ones"):
        Usage.of_inclusive(100, read=101)


def test_a_price_that_the_table_lacks_is_not_zero():
    assert call_cost(Usage(200, write_1h=1), GOLDEN) is None
    assert call_cost(Usage(200), GOLDEN, "batch") is None
    assert usd_per_1k(200, GOLDEN, tier="flex") is None


def test_a_dearer_band_counts_for_the_whole_request():
    haiku = load().model("global.anthropic.claude-haiku-5-5").rates
    assert call_cost(Usage(100_000), haiku) == D("0.01")
    assert call_cost(Usage(100_001), haiku) == D("0.0500005")
    assert call_cost(Usage(1, read=100_000), haiku) == D("0.0050005")
    assert usd_per_1k(1_000, haiku) == D("0.1")
    assert usd_per_1k(1_000, haiku, request_tokens=200_000) == D("0.5")
    assert call_cost(Usage(1, write_1h=100_000), haiku) is None


def test_tiers_have_the_rates_of_the_table():
    nova = load().model("us.amazon.nova-2-lite-v1:0").rates
    assert call_cost(Usage(1_000_000), nova, "batch") == D("0.165")
    assert call_cost(Usage(0, output=1_000_000), nova, "flex") == D("1.375")
    assert call_cost(Usage(0, read=1_000_000), nova, "flex") == D("0.0825") / 2
    assert band(nova, 0, "batch").read is None


def test_dollars_per_thousand_calls():
    assert usd_per_1k(500, GOLDEN) == D(1)
    assert usd_per_1k(500, GOLDEN, output_tokens=100) == D(2)


def test_writes_without_a_surcharge_cost_what_input_costs():
    nova = load().model("us.amazon.nova-lite-v1:0").rates
    assert nova.cache_write_5m == nova.input
    assert load().model("gpt-4o").rates.cache_write_5m == D("2.5")
    assert load().model("us.xai.grok-4.6").rates.cache_write_5m is None


PRICED = st.deferred(lambda: st.sampled_from([facts.rates for facts in load().models() if facts.rates]))


@given(PRICED, TOKENS, TOKENS, st.integers(0, 5000), st.integers(0, 5000))
def test_more_tokens_never_cost_less(rates, fresh, output, more_fresh, more_output):
    less = call_cost(Usage(fresh, output), rates)
    more = call_cost(Usage(fresh + more_fresh, output + more_output), rates)
    assert D(0) <= less <= more


@given(PRICED, TOKENS, st.integers(0, 100_000))
def test_a_cached_read_never_costs_more_than_fresh_input(rates, fresh, read):
    cached = call_cost(Usage(fresh, read=read), rates)
    assert cached is None or cached <= call_cost(Usage(fresh + read), rates)


@given(PRICED, st.integers(0, 100_000))
def test_a_thousand_calls_cost_a_thousand_times_one(rates, tokens):
    assert usd_per_1k(tokens, rates) == call_cost(Usage(tokens), rates) * 1000


def test_provenance_and_age():
    assert provenance(GOLDEN) == "litellm price map 1.109.1, 2026-11-23, us profile"
    assert provenance(load().model("gpt-4o").rates) == "litellm price map 1.109.1, 2026-11-23, list price"
    assert prices_age_days(date(2026, 11, 23), date(2027, 2, 21)) == 90
    assert prices_age_days(date(2026, 11, 23), date(2026, 11, 1)) == 0
