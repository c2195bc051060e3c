"""A plan for the terminal and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator

from promptslim.core.verify_plan import VerifyPlan
from promptslim.report import escape
from promptslim.report.verify.words import money, points


def as_text(plan: VerifyPlan) -> Iterator[str]:
    """The lines of a plan."""
    yield f"{escape.one_line(plan.suite)} on {escape.one_line(plan.model)}\n"
    for name, value in _facts(plan):
        yield f"  {name:<8} {escape.one_line(value)}\n"


def _facts(plan: VerifyPlan) -> Iterator[tuple[str, str]]:
    groups = "" if plan.units == plan.items else f" in {plan.units} independent groups"
    yield "tests", f"{plan.items}{groups}, graded {'pass or fail' if plan.method == 'pass-fail' else 'by score'}"
    why = "stated in the suite" if plan.stated else "the smallest that so many tests can prove"
    yield "margin", f"{points(plan.margin)} points ({why})"
    assumed = f"if two equally good prompts differ on {100 * plan.discordance:g} % of the tests (assumed)"
    if plan.power is not None:
        yield "power", f"{100 * plan.power:.0f} % chance of PASS {assumed}"
    yield "shows", f"{points(plan.smallest_margin)} points with 80 % power {assumed}"
    needed = "more than 20,000" if plan.needed is None else f"{plan.needed:,}"
    yield "needs", f"{needed} independent tests for {points(plan.margin)} points with 80 % power"
    yield "look", f"{plan.look}, level {plan.level:.4g} of alpha {plan.alpha:g}"
    yield "prompt", f"{plan.tokens_before:,} tokens now, {plan.tokens_after:,} after (first test filled in)"
    judge = f", and {plan.judge_calls:,} of the judge" if plan.judge_calls else ""
    yield "calls", f"{plan.calls:,}, {plan.noise_calls} of them for the noise floor{judge}"
    if plan.usd_least is None and plan.usd_most is None:
        yield "dollars", f"not known: {plan.price}"
    else:
        most = "no bound, since no max_tokens is set" if plan.usd_most is None else f"at most {money(plan.usd_most)}"
        yield "dollars", f"{money(plan.usd_least)} for the input alone, {most} ({plan.price}; without retries)"
    if plan.judge_calls:
        yield "note", "the dollars do not include the judge"
    for note in plan.notes:
        yield "note", note


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
        "margin_stated": plan.stated,
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
        "usd": None
        if plan.usd_least is None
        else {"input_alone": str(plan.usd_least), "at_most": None if plan.usd_most is None else str(plan.usd_most)},
        "prices": plan.price,
        "prompt_tokens": {"before": plan.tokens_before, "after": plan.tokens_after},
        "notes": list(plan.notes),
    }
    return json.dumps(data, indent=2) + "\n"
