"""What a suite can show, and what showing it costs, before anything is spent."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal

from promptslim.core.record import replace
from promptslim.core.verify_plan import VerifyPlan
from promptslim.pricing.cost import Usage
from promptslim.proof.betting import graded_items_needed, graded_smallest_margin
from promptslim.proof.power import ASSUMED_DISCORDANCE, POWER, items_needed_exact, pass_chance, smallest_margin
from promptslim.tokens.counter import Counter
from promptslim.verify.claims import MOST_MARGIN, proof_margin, units_of
from promptslim.verify.filling import filled_prompt
from promptslim.verify.judge_cost import judge_cost
from promptslim.verify.judging import needs_judge
from promptslim.verify.proving import Prepared
from promptslim.verify.request import Request, most_input_tokens
from promptslim.verify.runner import AGAIN, requests_of
from promptslim.verify.suite import Suite
from promptslim.verify.tariff import Tariff

EXAMPLE = 0.1
"""Margin for which a plan is made where the tests are too few for any of sense."""


def with_example(suite: Suite) -> Suite:
    """The suite with a margin to plan for, where it states none and its tests are too few to prove one."""
    few = suite.margin is None and proof_margin(suite, suite.items) > MOST_MARGIN
    return replace(suite, margin=EXAMPLE) if few else suite


def planned(
    ready: Prepared,
    priced: Callable[[str], tuple[Tariff, str]],
    counter: Counter,
    discordance: float = ASSUMED_DISCORDANCE,
    *,
    example: bool = False,
) -> VerifyPlan:
    """The plan of a run. ``priced`` gives the tariff and the tokenizer of a model; ``example``: the margin is that of
    ``with_example``. Raises SuiteError for items that do not fill the prompts."""
    job = ready.job
    tariff, tokenizer = priced(job.model.id)
    terms, items = job.terms, ready.items
    units = units_of(items)
    level = _level(ready)
    requests = requests_of(job)
    binary = terms.method == "pass-fail"
    spread = math.sqrt(discordance)
    if binary:
        half = discordance / 2
        power = pass_chance(units, half, half, terms.margin, level) if level else 0.0
        least = smallest_margin(units, discordance, level=level) if level else 1.0
        needed = items_needed_exact(discordance, terms.margin, level=level) if level else None
        if power >= POWER:
            # The chance rises and falls with the number of tests: these are enough, whatever the general rule says.
            needed = min(units, needed or units)
    else:
        power = None
        least = graded_smallest_margin(units, spread, level=level) if level else 1.0
        needed = graded_items_needed((spread, -spread), terms.margin, level=level) if level else None
    tokens = {name: most_input_tokens(request, counter, tokenizer) for name, request in requests.items()}
    judge = job.suite.judge
    judging = judge_cost(job, counter, *priced(judge.model.id)) if judge else None
    own_least = _sum(requests, lambda one: tariff.cost(one, Usage(tokens[one.id])))
    own_most = _sum(requests, lambda one: tariff.most(one, tokens[one.id]))
    before, after = (_size(ready, old, counter, tokenizer) for old in (True, False))
    return VerifyPlan(
        suite=job.suite.path,
        model=job.model.id,
        method=terms.method,
        items=len(items),
        units=units,
        margin=terms.margin,
        margin_from="example" if example else "smallest" if job.suite.margin is None else "stated",
        alpha=terms.alpha,
        level=level,
        look=terms.look,
        discordance=discordance,
        power=power,
        smallest_margin=least,
        needed=needed,
        calls=len(requests),
        noise_calls=sum(f"/{AGAIN}/" in name for name in requests),
        judge=judge.model.id if judge else None,
        judge_calls=judging.calls if judging else 0,
        input_tokens=sum(tokens.values()),
        usd_least=own_least,
        usd_most=own_most,
        price=tariff.basis(),
        judge_usd_least=judging.usd_least if judging else None,
        judge_usd_most=judging.usd_most if judging else None,
        judge_price=priced(judge.model.id)[0].basis() if judge else "",
        tokens_before=before,
        tokens_after=after,
        notes=_notes(ready),
    )


def _level(ready: Prepared) -> float:
    from promptslim.proof.looks import level_of

    terms = ready.job.terms
    return level_of(terms.alpha, terms.look, terms.looks)


def _sum(requests: dict[str, Request], cost: Callable[[Request], Decimal | None]) -> Decimal | None:
    costs = [cost(request) for request in requests.values()]
    known = [one for one in costs if one is not None]
    return sum(known, Decimal(0)) if len(known) == len(costs) else None


def _size(ready: Prepared, old: bool, counter: Counter, tokenizer: str) -> int:
    compared = ready.job.compared
    prompt = compared.before if old else compared.after
    if not ready.job.items:
        return counter.count(prompt.static_text, tokenizer, precise=True).n
    return counter.count(filled_prompt(prompt, ready.job.items[0].variables), tokenizer, precise=True).n


def _notes(ready: Prepared) -> tuple[str, ...]:
    past = ready.history
    found = list(ready.job.suite.notes)
    if not ready.job.compared.changed:
        found.append("there is no shorter prompt yet: the original is planned in its place; run takes it by --after")
    if past.again is not None:
        found.append("these tests were run before: the run repeats that look")
    elif past.earlier:
        found.append(f"look {len(past.earlier) + 1}: {len(past.rows)} graded tests are kept, the others are run")
    if needs_judge(ready.items):
        found.append("a judge that errs needs more tests than this; the run measures its errors on the labels first")
    if past.spent:
        found.append(f"{past.spent} earlier looks at these tests count, which leaves less for this one")
    return tuple(found)
