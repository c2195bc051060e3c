"""The statistics against published numbers, exact enumeration, and properties that hold for every input."""

from __future__ import annotations

import math
import random
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptslim.proof.betting import (
    EProcess,
    graded_items_needed,
    graded_lower,
    graded_passes,
    graded_upper,
    rejected_early,
)
from promptslim.proof.judge import JudgeErrors, judge_noise
from promptslim.proof.looks import level_of
from promptslim.proof.noise import noise_floor
from promptslim.proof.paired import lower_bound, passes, tango_upper, tango_z, upper_bound
from promptslim.proof.power import (
    accept_chance,
    items_needed,
    items_needed_exact,
    pass_chance,
    plan,
    smallest_margin,
)
from promptslim.proof.proportions import (
    at_most,
    clopper_pearson_lower,
    clopper_pearson_upper,
    mcnemar_exact,
    wilson,
    z_score,
)

LEVELS = (0.05, 0.04, 0.025, 0.0125, 0.00625)
CHURN = (0.0, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12)


def _tango_passes(b: int, c: int, n: int, margin: float) -> bool:
    return b < n and tango_z(b, c, n, margin) <= -z_score(0.95)


@pytest.mark.parametrize(
    ("found", "golden"),
    [
        (clopper_pearson_upper(0, 50), 0.058155),
        (clopper_pearson_upper(0, 59), 0.049508),
        (clopper_pearson_upper(0, 100), 0.029513),
        (clopper_pearson_upper(1, 100), 0.046560),
        (clopper_pearson_upper(2, 50), 0.120614),
        (clopper_pearson_upper(5, 200), 0.051843),
        (clopper_pearson_upper(3, 300), 0.025641),
        (wilson(45, 50)[0], 0.786398),
        (wilson(45, 50)[1], 0.956524),
        (wilson(50, 50)[0], 0.928652),
        (wilson(50, 50)[1], 1),
        (wilson(95, 100)[0], 0.888250),
        (wilson(95, 100)[1], 0.978456),
        (wilson(17, 20)[0], 0.639581),
        (wilson(17, 20)[1], 0.947631),
        (tango_upper(0, 0, 50), 0.051333),
        (tango_upper(0, 0, 52), 0.049456),
        (tango_upper(0, 0, 100), 0.026343),
        (tango_upper(1, 1, 100), 0.034741),
        (tango_upper(2, 2, 50), 0.080814),
        (tango_upper(5, 5, 100), 0.057086),
        (tango_upper(1, 0, 50), 0.084805),
        (tango_upper(1, 0, 100), 0.043582),
        (tango_upper(3, 1, 100), 0.064191),
        (tango_upper(5, 2, 200), 0.041823),
        (tango_upper(0, 2, 50), 0.013387),
        (tango_upper(10, 10, 200), 0.038666),
        (upper_bound(0, 0, 59), 0.049508),
        (upper_bound(1, 1, 100), 0.046560),
        (upper_bound(3, 3, 100), 0.049095),
        (upper_bound(4, 4, 200), 0.027558),
        (mcnemar_exact(0, 10), 0.001953),
        (mcnemar_exact(3, 8), 0.226563),
        (pass_chance(100, 0.02, 0.02, 0.05), 0.504127),
        (pass_chance(200, 0.02, 0.02, 0.05), 0.923712),
        (pass_chance(100, 0.07, 0.02, 0.05), 0.031824),
        (accept_chance(100, 0.07, 0.02, lambda b, c, n: passes(b, c, n, 0.05)), 0.031824),
        (accept_chance(100, 0.02, 0.02, lambda b, c, n: _tango_passes(b, c, n, 0.05)), 0.629099),
        (accept_chance(124, 0.025, 0.025, lambda b, c, n: _tango_passes(b, c, n, 0.05)), 0.714079),
        (accept_chance(52, 0.05, 0.0, lambda b, c, n: _tango_passes(b, c, n, 0.05)), 0.069443),
        (accept_chance(50, 0.08, 0.03, lambda b, c, n: b <= c), 0.191234),
        (accept_chance(100, 0.08, 0.03, lambda b, c, n: b <= c), 0.081139),
    ],
)
def test_golden_numbers(found: float, golden: float) -> None:
    assert found == pytest.approx(golden, abs=1e-6)


def test_items_by_the_normal_formula() -> None:
    table = {
        0.02: ("1237/1713", "310/429", "138/191", "59/69", "29/29"),
        0.05: ("3092/4282", "773/1071", "344/476", "124/172", "31/43"),
        0.10: ("6183/8564", "1546/2141", "687/952", "248/343", "62/86"),
        0.20: ("12366/17128", "3092/4282", "1374/1904", "495/686", "124/172"),
    }
    for discordance, row in table.items():
        margins = (0.01, 0.02, 0.03, 0.05, 0.10)
        assert row == tuple(f"{items_needed(discordance, m)}/{items_needed(discordance, m, 0.9)}" for m in margins)


@pytest.mark.parametrize(
    ("discordance", "margin", "at_80", "at_90"),
    [
        (0.02, 0.05, 125, 153),
        (0.05, 0.05, 172, 216),
        (0.10, 0.05, 276, 377),
        (0.02, 0.10, 46, 46),
        (0.05, 0.10, 61, 77),
        (0.10, 0.10, 82, 106),
        (0.02, 0.03, 258, 303),
        (0.05, 0.03, 398, 540),
    ],
)
def test_items_by_enumeration(discordance: float, margin: float, at_80: int, at_90: int) -> None:
    assert (items_needed_exact(discordance, margin), items_needed_exact(discordance, margin, 0.9)) == (at_80, at_90)


@pytest.mark.parametrize("level", LEVELS)
def test_the_gate_passes_a_worse_prompt_at_most_as_often_as_its_level_says(level: float) -> None:
    """Exact, at a true loss of exactly the margin: sizes 30 to 300, churn up to 12 %."""
    sizes = [*range(30, 121, 3), 52, 59, 93, *range(122, 301, 14)] if level == 0.05 else range(30, 301, 15)
    for margin in (0.02, 0.03, 0.05, 0.10):
        for n in sizes:
            for churn in CHURN:
                chance = pass_chance(n, margin + churn, churn, margin, level)
                assert chance <= level, (margin, n, churn, chance)


def test_enumerations_agree() -> None:
    for n, p10, p01, margin in ((40, 0.1, 0.05, 0.1), (60, 0.0, 0.03, 0.06), (75, 0.2, 0.2, 0.12), (31, 0.05, 0, 0.1)):
        whole = accept_chance(n, p10, p01, lambda b, c, n, m=margin: passes(b, c, n, m))  # type: ignore[misc]
        assert pass_chance(n, p10, p01, margin) == pytest.approx(whole, abs=1e-10)


def test_the_smallest_margin_has_the_power() -> None:
    for n in (30, 50, 100, 300):
        margin = smallest_margin(n)
        assert pass_chance(n, 0.025, 0.025, margin) >= 0.8
        assert pass_chance(n, 0.025, 0.025, margin - 0.002) < 0.8
    assert smallest_margin(50) > 0.05, "50 examples cannot show 5 points"
    assert smallest_margin(59, discordance=0.0) == pytest.approx(0.05)


def test_plan() -> None:
    found = plan(100, 0.05, 0.04)
    assert found.power == pytest.approx(0.504127, abs=1e-6)
    assert found.items_needed is not None
    assert found.items_needed > 100
    assert found.smallest_margin > 0.05
    assert items_needed_exact(0.05, 0.05, loss=0.05) is None
    assert (items_needed_exact(0.05, 0.05, loss=0.02) or 0) > 172


counts = st.integers(1, 400).flatmap(
    lambda n: st.integers(0, n).flatmap(lambda b: st.tuples(st.just(n), st.just(b), st.integers(0, n - b)))
)
margins = st.floats(0.005, 0.5)
levels = st.sampled_from(LEVELS)
losses = st.lists(st.sampled_from([-1.0, -0.5, -0.25, 0.0, 0.0, 0.0, 0.1, 0.5, 1.0]), min_size=1, max_size=80)


@given(counts, margins, levels)
def test_the_gate_is_its_bound(found: tuple[int, int, int], margin: float, level: float) -> None:
    n, b, c = found
    bound = upper_bound(b, c, n, level)
    if abs(bound - margin) > 1e-9:
        assert passes(b, c, n, margin, level) == (bound <= margin)


@given(counts, margins, st.floats(0, 0.4))
def test_a_wider_margin_never_fails_what_a_narrower_passes(
    found: tuple[int, int, int], margin: float, more: float
) -> None:
    n, b, c = found
    assert passes(b, c, n, margin + more) or not passes(b, c, n, margin)


@given(counts)
def test_bounds_are_ordered_and_mirrored(found: tuple[int, int, int]) -> None:
    n, b, c = found
    loss = (b - c) / n
    assert -1 <= lower_bound(b, c, n) <= loss + 1e-9
    assert loss - 1e-9 <= upper_bound(b, c, n) <= 1
    assert lower_bound(b, c, n) == -tango_upper(c, b, n)
    assert upper_bound(b, c, n, 0.01) >= upper_bound(b, c, n, 0.05) - 1e-12
    if b + c < n:
        assert upper_bound(b, c + 1, n) <= upper_bound(b, c, n) + 1e-12


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))), st.floats(0.8, 0.999))
def test_exact_bounds_are_what_they_say(found: tuple[int, int], confidence: float) -> None:
    n, k = found
    upper = clopper_pearson_upper(k, n, confidence)
    assert clopper_pearson_lower(n - k, n, confidence) == pytest.approx(1 - upper)
    assert k == n or at_most(k, n, upper) == pytest.approx(1 - confidence, abs=1e-9)
    assert wilson(k, n)[0] <= k / n + 1e-12
    assert wilson(k, n)[1] >= k / n - 1e-12


def test_normal_quantiles() -> None:
    from statistics import NormalDist

    for confidence in (0.005, 0.5, 0.8, 0.9, 0.95, 0.955, 0.975, 0.9999):
        assert z_score(confidence) == pytest.approx(NormalDist().inv_cdf(confidence), abs=1e-9)


def test_sequential_test() -> None:
    def first(margin: float, loss: float, wanted: str) -> int:
        state = EProcess(margin)
        while state.verdict() != wanted:
            state = state.after(loss)
        return state.seen

    assert first(0.05, 0, "accept") == 93
    assert first(0.10, 0, "accept") == 45
    assert first(0.05, 1, "reject") == 7


def test_what_point_estimates_accept() -> None:
    """Exact chances that "the score did not fall", and "it fell by at most two points", let a worse prompt through."""
    fell = {
        20: (0.3585, 0.3758, 0.2185),
        50: (0.0769, 0.1912, 0.0689),
        100: (0.0059, 0.0811, 0.0134),
        200: (0.0000, 0.0184, 0.0007),
    }
    tolerated = {20: (0.3585, 0.3758), 50: (0.2794, 0.3373), 100: (0.1183, 0.2228), 200: (0.0264, 0.1159)}
    cases = ((0.05, 0.0), (0.05, 0.03), (0.10, 0.05))
    for n in fell:
        chances = [accept_chance(n, loss + churn, churn, lambda b, c, n: b <= c) for loss, churn in cases]
        assert chances == pytest.approx(fell[n], abs=5.1e-5)
        chances = [
            accept_chance(n, loss + churn, churn, lambda b, c, n: 50 * (b - c) <= n) for loss, churn in cases[:2]
        ]
        assert chances == pytest.approx(tolerated[n], abs=5.1e-5)


@pytest.mark.parametrize(("n", "lost"), [(50, (3.0, 6.0, 11.6, 22)), (100, (2.0, 3.8, 7.6, 14))])
def test_cuts_chosen_on_the_items_that_judge_them_add_up(n: int, lost: tuple[float, ...]) -> None:
    """5, 10, 20 and 40 cuts that each cost a point, kept where the score does not fall: the simulated loss in points,
    to a tenth, is that of cuts that are kept or not by themselves. New items show it."""
    kept = accept_chance(n, 0.015, 0.005, lambda b, c, n: b <= c)
    assert [cuts * kept for cuts in (5, 10, 20, 40)] == pytest.approx(lost, rel=0.1)
    assert pass_chance(n, lost[-1] / 100, 0.0, 0.05) < 1e-3


def sequential(margin: float, p10: float, p01: float, cap: int) -> tuple[float, float, float]:
    """Exact: the chances that the sequential test accepts and rejects within ``cap`` items, and the mean number of
    items it takes, by the distribution of its state, which the order of the items does not change."""

    @cache
    def state(worse: int, better: int, equal: int) -> EProcess:
        if worse:
            return state(worse - 1, better, equal).after(1)
        if better:
            return state(worse, better - 1, equal).after(-1)
        return state(worse, better, equal - 1).after(0) if equal else EProcess(margin)

    live, ended, items = {(0, 0): 1.0}, {"accept": 0.0, "reject": 0.0}, 0.0
    for n in range(1, cap + 1):
        items += math.fsum(live.values())
        following: dict[tuple[int, int], float] = {}
        for (worse, better), chance in live.items():
            steps = ((1, 0, p10), (0, 1, p01), (0, 0, 1 - p10 - p01))
            for w, b, share in steps:
                if chance * share > 1e-8:
                    at = worse + w, better + b
                    following[at] = following.get(at, 0.0) + chance * share
        live = {}
        for (worse, better), chance in following.items():
            verdict = state(worse, better, n - worse - better).verdict()
            if verdict is None:
                live[worse, better] = chance
            else:
                ended[verdict] += chance
    return ended["accept"], ended["reject"], items


@pytest.mark.parametrize(
    ("margin", "p10", "p01", "cap", "accepts", "items"),
    [
        (0.05, 0.0, 0.0, 200, 1.0, 93),
        (0.05, 0.01, 0.01, 200, 0.90, 120),
        (0.05, 0.03, 0.03, 200, 0.55, 151),
        (0.05, 0.06, 0.01, 200, 0.019, None),
        (0.05, 0.15, 0.0, 200, 0.0, 82),
        (0.05, 0.30, 0.0, 200, 0.0, 30),
        (0.10, 0.0, 0.0, 100, 1.0, 45),
        (0.10, 0.01, 0.01, 100, 0.98, 52),
        (0.10, 0.03, 0.03, 100, 0.81, 64),
    ],
)
def test_how_long_the_sequential_test_takes(
    margin: float, p10: float, p01: float, cap: int, accepts: float, items: float | None
) -> None:
    """The simulated figures, within what their simulation leaves open."""
    accepted, rejected, mean = sequential(margin, p10, p01, cap)
    assert accepted == pytest.approx(accepts, abs=0.015 if accepts > 0.05 else 0.002)
    if items is not None:
        assert mean == pytest.approx(items, abs=0.6)
    if p10 - p01 >= margin:
        assert accepted <= 0.05
    if p10 - p01 <= margin:
        assert rejected <= 0.05


@given(losses, st.floats(0.02, 0.3))
def test_rejecting_early_does_not_depend_on_the_order(found: list[float], margin: float) -> None:
    state = EProcess(margin)
    for loss in found:
        state = state.after(loss)
    assert rejected_early(found, margin) == (state.verdict() == "reject")
    assert rejected_early(reversed(found), margin) == rejected_early(found, margin)


@given(losses, st.floats(0.02, 0.5), levels, st.integers(0, 79))
def test_a_better_item_never_takes_a_pass_away(found: list[float], margin: float, level: float, which: int) -> None:
    better = [*found]
    better[which % len(found)] -= 0.5
    assert graded_passes([max(-1, loss) for loss in better], margin, level) or not graded_passes(found, margin, level)


@given(losses, levels)
def test_graded_bounds(found: list[float], level: float) -> None:
    upper, lower = graded_upper(found, level), graded_lower(found, level)
    mean = sum(found) / len(found)
    assert lower <= mean <= upper
    assert graded_upper([-loss for loss in found], level) == pytest.approx(-lower)
    assert graded_upper(found[::-1], level) == upper
    if upper < 1:
        assert graded_passes(found, upper, level)
        assert not graded_passes(found, upper - 1e-6, level)


@pytest.mark.slow
@pytest.mark.parametrize("spread", [0.05, 0.2, 0.5])
def test_the_graded_gate_passes_a_worse_prompt_at_most_as_often_as_its_level_says(spread: float) -> None:
    """10,000 simulations at a mean loss of exactly the margin, scores that move a little and scores that jump."""
    rng = random.Random(20261127)
    runs, margin, found = 10_000, 0.1, 0
    for _ in range(runs):
        found += graded_passes([margin + spread * rng.choice((-1, -1, 0.5, 0.5, 0.5, 0.5)) for _ in range(100)], margin)
    assert found / runs <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)


def test_graded_items() -> None:
    same = [0.0] * 20
    needed = graded_items_needed(same, 0.05)
    assert needed is not None
    assert graded_passes([0.0] * needed, 0.05)
    assert needed < 93, "fewer than the sequential test"
    assert graded_items_needed([0.2] * 20, 0.05) is None
    assert (graded_items_needed([0.1, -0.1] * 10, 0.05) or 0) > needed


def test_looks_share_alpha() -> None:
    assert level_of(0.05, 1) == 0.05
    assert level_of(0.05, 2) == 0
    assert [level_of(0.08, look, 3) for look in (1, 2, 3, 4)] == [0.04, 0.02, 0.02, 0]
    assert [level_of(0.08, look, None) for look in (1, 2, 3)] == [0.04, 0.02, 0.01]
    with pytest.raises(ValueError, match="from 1"):
        level_of(0.05, 0)


@given(st.integers(1, 12), st.floats(0.001, 0.2))
def test_looks_never_spend_more_than_alpha(planned: int, alpha: float) -> None:
    assert math.fsum(level_of(alpha, look, planned) for look in range(1, 20)) <= alpha * (1 + 1e-12)
    assert math.fsum(level_of(alpha, look, None) for look in range(1, 60)) <= alpha * (1 + 1e-12)


def test_judge_errors() -> None:
    factor, discordance = judge_noise(0.95)
    assert (factor, discordance) == (pytest.approx(0.9), pytest.approx(0.095))
    table = {1.0: 59, 0.98: 106, 0.95: 291, 0.90: 696, 0.85: 1287, 0.80: 2199}
    for accuracy, items in table.items():
        factor, discordance = judge_noise(accuracy)
        assert items_needed(discordance, 0.05 * factor) == items
    good = JudgeErrors(95, 5, 48, 2)
    assert good.accuracy == pytest.approx(143 / 150)
    assert good.kappa == pytest.approx(0.896, abs=0.005)
    assert 0.65 < good.shrinkage(0.01) < 0.91
    assert JudgeErrors(0, 0, 0, 0).shrinkage(0.05) == -1
    assert JudgeErrors(50, 50, 50, 50).kappa == pytest.approx(0)


def test_noise_floor_names_the_noisy_grader() -> None:
    steady = [(1.0, 1.0)] * 20
    shaky = [(1.0, 0.0)] * 3 + [(1.0, 1.0)] * 17
    first, second = noise_floor({"equals": steady, "llm-rubric": shaky, "none": [(None, 1.0)]})
    assert (first.grader, first.discordance, first.too_noisy) == ("llm-rubric", pytest.approx(0.15), True)
    assert (second.grader, second.too_noisy, second.upper) == ("equals", False, clopper_pearson_upper(0, 20))
