"""Break-even of prompt caching and the trap of trimming below a minimum: golden tables."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptslim.catalog import load
from promptslim.pricing.cache_economics import (
    break_even_burst,
    break_even_calls_per_lifetime,
    break_even_hit_rate,
    effective_tokens,
    multipliers,
    poisson_hit_rate,
    poisson_saving,
    relative_price,
    trim_trap_hit_rate,
)

D = Decimal
READ = st.decimals("0.01", "0.5", places=3)
WRITE = st.decimals("1", "2", places=3)


@pytest.mark.parametrize(
    ("write", "read", "hit_rate", "burst", "calls"),
    [
        ("1.25", "0.10", "0.217", 2, "0.245"),
        ("1.25", "0.05", "0.208", 2, "0.234"),
        ("1.25", "0.025", "0.204", 2, "0.228"),
        ("2", "0.10", "0.526", 3, "0.747"),
        ("2", "0.05", "0.513", 3, "0.719"),
        ("2", "0.025", "0.506", 3, "0.706"),
        ("1", "0.25", "0.000", 2, "0.000"),
    ],
)
def test_break_even(write, read, hit_rate, burst, calls):
    write, read = D(write), D(read)
    assert round(break_even_hit_rate(read, write), 3) == D(hit_rate)
    assert break_even_burst(read, write) == burst
    assert round(break_even_calls_per_lifetime(read, write), 3) == D(calls)


@pytest.mark.parametrize(
    ("per_hour", "short", "long"),
    [(1, "-15.8", "20.1"), (3, "0.4", "80.5"), (6, "20.2", "89.5"), (12, "47.7", "90.0"), (60, "89.2", "90.0")],
)
def test_savings_under_poisson_traffic(per_hour, short, long):
    assert round(100 * poisson_saving(D(per_hour), 300, D("0.10"), D("1.25")), 1) == D(short)
    assert round(100 * poisson_saving(D(per_hour), 3600, D("0.10"), D(2)), 1) == D(long)


def test_the_long_life_wins_from_half_a_call_an_hour():
    def better(per_hour):
        short = poisson_saving(D(per_hour), 300, D("0.10"), D("1.25"))
        return poisson_saving(D(per_hour), 3600, D("0.10"), D(2)) > short

    assert not better("0.54")
    assert better("0.56")


@pytest.mark.parametrize(
    ("before", "after", "rates"),
    [
        (1500, 300, {"0.10": "0.913", "0.05": "0.875", "0.025": "0.857"}),
        (4000, 1000, {"0.10": "0.870", "0.05": "0.833", "0.025": "0.816"}),
        (6000, 600, {"0.10": None, "0.05": "0.958", "0.025": "0.939"}),
    ],
)
def test_the_trim_trap(before, after, rates):
    for read, expected in rates.items():
        rate = trim_trap_hit_rate(before, after, D(read), D("1.25"))
        assert (None if rate is None else round(rate, 3)) == (None if expected is None else D(expected))
    assert trim_trap_hit_rate(before, after, D("0.25"), D(1)) is None, "Nova writes carry no premium"


@pytest.mark.parametrize(
    ("hit_rate", "tokens", "change"),
    [("0.5", "1012.5", -70), ("0.8", "495", -39), ("0.95", "236.25", 27), ("0.99", "167.25", 79)],
)
def test_effective_tokens_of_a_cached_prefix(hit_rate, tokens, change):
    cached = effective_tokens(1500, D(hit_rate), D("0.10"), D("1.25"))
    assert cached == D(tokens)
    assert round(100 * (300 / cached - 1)) == change


@given(READ, WRITE, st.decimals("0", "1", places=3))
def test_caching_pays_exactly_above_the_break_even(read, write, hit_rate):
    cheaper = relative_price(hit_rate, read, write) < 1
    assert cheaper == (hit_rate > break_even_hit_rate(read, write))


@given(READ, WRITE, st.integers(1, 50))
def test_a_burst_pays_exactly_from_the_break_even(read, write, calls):
    cost = write + read * (calls - 1)
    assert (cost < calls) == (calls >= break_even_burst(read, write))


@given(READ, WRITE, st.integers(1, 20_000), st.integers(1, 20_000), st.decimals("0", "1", places=3))
def test_the_trap_is_where_the_trimmed_prompt_costs_more(read, write, one, other, hit_rate):
    before, after = max(one, other), min(one, other)
    trap = trim_trap_hit_rate(before, after, read, write)
    dearer = after > effective_tokens(before, hit_rate, read, write)
    assert dearer == (trap is not None and hit_rate > trap)


@given(st.decimals("0", "1000", places=2), st.sampled_from([300, 3600]))
def test_a_hit_rate_is_a_share(per_hour, lifetime):
    assert 0 <= poisson_hit_rate(per_hour, lifetime) <= 1


def test_multipliers_come_from_the_rates():
    claude = multipliers(load().model("us.anthropic.claude-opus-5-5").rates)
    assert (claude.read, claude.write_5m, claude.write_1h) == (D("0.05"), D("1.25"), D(2))
    nova = multipliers(load().model("us.amazon.nova-pro-v1:0").rates)
    assert (nova.read, nova.write_5m, nova.write_1h) == (D("0.25"), D(1), None)
    assert multipliers(load().model("us.meta.llama3-3-70b-instruct-v1:0").rates) is None
