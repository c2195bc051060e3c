"""What a suite can show, and what showing it costs, before anything is spent."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal

from promptslim.core.verify_plan import VerifyPlan
from promptslim.pricing.cost import Usage
from promptslim.proof.betting import graded_items_needed, graded_smallest_margin
from promptslim.proof.power import ASSUMED_DISCORDANCE, items_needed_exact, pass_chance, smallest_margin
from promptslim.tokens.counter import Counter
from promptslim.verify.claims import units_of
from promptslim.verify.filling import filled_prompt
from promptslim.verify.grading import asks_judge, compares_answers
from promptslim.verify.proving import Prepared
from promptslim.verify.request import Request, most_input_tokens
from promptslim.verify.runner import AGAIN, NOISE_ITEMS, requests_of
from promptslim.verify.tariff import Tariff


def planned(
    ready: Prepared,
    tariff: Tariff,
    counter: Counter,
    tokenizer: str,
    discordance: float = ASSUMED_DISCORDANCE,
) -> VerifyPlan:
    """The plan of a run. Raises SuiteError for items that do not fill the prompts."""
    job = ready.job
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
    else:
        power = None
        least = graded_smallest_margin(units, spread, level=level) if level else 1.0
        needed = graded_items_needed((spread, -spread), terms.margin, level=level) if level else None
    tokens = {name: most_input_tokens(request, counter, tokenizer) for name, request in requests.items()}
    before, after = (_size(ready, old, counter, tokenizer) for old in (True, False))
    return VerifyPlan(
        suite=job.suite.path,
        model=job.model.id,
        method=terms.method,
        items=len(items),
        units=units,
        margin=terms.margin,
        stated=job.suite.margin is not None,
        alpha=terms.alpha,
        level=level,
        look=terms.look,
        discordance=discordance,
        power=power,
        smallest_margin=least,
        needed=needed,
        calls=len(requests),
        noise_calls=sum(f"/{AGAIN}/" in name for name in requests),
        judge_calls=_judge_calls(ready),
        input_tokens=sum(tokens.values()),
        usd_least=_sum(requests, lambda one: tariff.cost(one, Usage(tokens[one.id]))),
        usd_most=_sum(requests, lambda one: tariff.most(one, tokens[one.id])),
        price=tariff.basis(),
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


def _judge_calls(ready: Prepared) -> int:
    """Calls of the judge: both answers of every repeat, the noise floor, the labelled answers."""
    suite = ready.job.suite
    if suite.judge is None:
        return 0
    runs = suite.repeat + 0.0
    total = 0.0
    for number, item in enumerate(ready.job.items):
        judged = sum(asks_judge(one) or compares_answers(one) for one in item.checks)
        total += 2 * judged * (runs + (1 if number < NOISE_ITEMS else 0))
    by_id = {item.id: item for item in suite.items}
    for label in suite.judge.labels:
        checks = by_id[label.test].checks
        both = any(compares_answers(check) for check in checks)
        total += sum((1 + both) * asks_judge(one) + 2 * compares_answers(one) for one in checks)
    return int(total)


def _size(ready: Prepared, old: bool, counter: Counter, tokenizer: str) -> int:
    compared = ready.job.compared
    prompt = compared.before if old else compared.after
    if not ready.job.items:
        return counter.count(prompt.static_text, tokenizer, precise=True).n
    return counter.count(filled_prompt(prompt, ready.job.items[0].variables), tokenizer, precise=True).n


def _notes(ready: Prepared) -> tuple[str, ...]:
    past = ready.history
    found = []
    if past.again is not None:
        found.append("these tests were run before: the run repeats that look")
    elif past.earlier:
        found.append(f"look {len(past.earlier) + 1}: {len(past.rows)} graded tests are kept, the others are run")
    if past.spent:
        found.append(f"{past.spent} earlier looks at these tests count, which leaves less for this one")
    return tuple(found)
