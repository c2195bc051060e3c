"""A plan for the terminal and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal

from promptslim.core.verify_plan import VerifyPlan
from promptslim.report import escape
from promptslim.report.verify.words import fact, money, points

_WHY = {
    "stated": "stated in the suite",
    "smallest": "the smallest that so many tests can prove",
    "example": "as an example: so few tests can prove no margin of sense; add tests, or state margin",
}


def as_text(plan: VerifyPlan, width: int | None = None) -> Iterator[str]:
    """The lines of a plan; ``width`` as for reports."""
    yield f"{escape.one_line(plan.suite)} on {escape.one_line(plan.model)}\n"
    for name, value in _facts(plan):
        yield fact(name, value, 8, width)


def _facts(plan: VerifyPlan) -> Iterator[tuple[str, str]]:
    groups = "" if plan.units == plan.items else f" in {plan.units} independent groups"
    yield "tests", f"{plan.items}{groups}, graded {'pass or fail' if plan.method == 'pass-fail' else 'by score'}"
    yield "margin", f"{points(plan.margin)} points ({_WHY[plan.margin_from]})"
    assumed = f"if two equally good prompts differ on {100 * plan.discordance:g} % of the tests (assumed)"
    if plan.power is not None:
        yield "power", f"{100 * plan.power:.0f} % chance of PASS {assumed}"
    if plan.margin_from != "example":
        yield "shows", f"{points(plan.smallest_margin)} points with 80 % power {assumed}"
    else:
        yield "shows", f"nothing of sense with 80 % power {assumed}"
    needed = "more than 20,000" if plan.needed is None else f"{plan.needed:,}"
    yield "needs", f"{needed} independent tests for {points(plan.margin)} points with 80 % power"
    yield "look", f"{plan.look}, level {plan.level:.4g} of alpha {plan.alpha:g}"
    yield "prompt", f"{plan.tokens_before:,} tokens now, {plan.tokens_after:,} after (first test filled in)"
    judge = f", and {plan.judge_calls:,} of the judge" if plan.judge_calls else ""
    yield "calls", f"{plan.calls:,}, {plan.noise_calls} of them for the noise floor{judge}"
    yield "dollars", _dollars(plan.usd_least, plan.usd_most, plan.price)
    if plan.judge_calls:
        judging = _dollars(plan.judge_usd_least, plan.judge_usd_most, plan.judge_price)
        yield "judge", f"{judging}, besides: {plan.judge}, about answers up to their max_tokens"
        least, most = _sum(plan.usd_least, plan.judge_usd_least), _sum(plan.usd_most, plan.judge_usd_most)
        if least is not None:
            yield "sum", f"{money(least)} for the input alone, {_at_most(most)}"
    for note in plan.notes:
        yield "note", note


def _dollars(least: Decimal | None, most: Decimal | None, price: str) -> str:
    if least is None and most is None:
        return f"not known: {price}"
    return f"{money(least)} for the input alone, {_at_most(most)} ({price}; without retries)"


def _at_most(most: Decimal | None) -> str:
    return "no bound, since no max_tokens is set" if most is None else f"at most {money(most)}"


def _sum(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else one + other


def _range(least: Decimal | None, most: Decimal | None) -> dict[str, str | None] | None:
    return None if least is None else {"input_alone": str(least), "at_most": None if most is None else str(most)}


def as_json(plan: VerifyPlan) -> str:
    """One object, version 1."""
    data = {
        "version": 1,
        "suite": plan.suite,
        "model": plan.model,
        "method": plan.method,
        "tests": plan.items,
        "units": plan.units,
        "margin": plan.margin,
        "margin_stated": plan.margin_from == "stated",
        "margin_from": plan.margin_from,
        "alpha": plan.alpha,
        "level": plan.level,
        "look": plan.look,
        "assumed_discordance": plan.discordance,
        "power": plan.power,
        "smallest_margin": plan.smallest_margin,
        "tests_needed": plan.needed,
        "calls": plan.calls,
        "noise_calls": plan.noise_calls,
        "judge_calls": plan.judge_calls,
        "input_tokens_at_most": plan.input_tokens,
        "usd": _range(plan.usd_least, plan.usd_most),
        "prices": plan.price,
        "judge": plan.judge,
        "judge_usd": _range(plan.judge_usd_least, plan.judge_usd_most),
        "judge_prices": plan.judge_price or None,
        "prompt_tokens": {"before": plan.tokens_before, "after": plan.tokens_after},
        "notes": list(plan.notes),
    }
    return json.dumps(data, indent=2) + "\n"
