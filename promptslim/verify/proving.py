"""From a run to its proof: the claim, the rows of evidence, the entry of the lock, the report."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from promptslim.catalog.model_facts import Rates
from promptslim.core.prompt import Hole, Literal, Prompt
from promptslim.core.record import record, replace
from promptslim.core.values import Known
from promptslim.core.verification import (
    ChangedItem,
    NoiseFigures,
    SideFigures,
    SliceFigures,
    Spend,
    Verification,
)
from promptslim.pricing.cost import Usage
from promptslim.pricing.rates import provenance
from promptslim.proof.canonical import digest, prompt_hash
from promptslim.proof.evidence import Row
from promptslim.proof.lock import Claim, Lock, made_entry, terms_of
from promptslim.proof.proportions import wilson
from promptslim.proof.split import serves_proof, split_name
from promptslim.proof.verdict import Outcome, judged, more_items, wants_items
from promptslim.verify.claims import proof_pairs, proof_sources, proof_terms
from promptslim.verify.compared import Compared
from promptslim.verify.history import TRIED, History, history_of
from promptslim.verify.request import tier_of
from promptslim.verify.runner import Job, Outputs, Ran, in_order, inputs_of
from promptslim.verify.side_prices import SidePrices, side_prices
from promptslim.verify.suite import Item, Model, Read, Suite, SuiteError

EVIDENCE = "promptslim-evidence"
"""Folder of the evidence files, beside the lock."""

_SLUG = re.compile(r"[^A-Za-z0-9]+")


@record
class Prepared:
    """A run before it is started: the job, the claim without the judge's errors, and what earlier looks left."""

    job: Job
    claim: Claim
    history: History
    items: tuple[Item, ...]


@record
class Proved:
    """What a run comes to. ``lock`` with its entry and the ``evidence`` bytes by path, None and empty where no item
    was opened, so that nothing is to be written; ``gone`` are evidence files that no entry names any more."""

    report: Verification
    lock: Lock | None
    evidence: Mapping[str, bytes]
    gone: tuple[str, ...] = ()


def prepared(
    suite: Suite,
    compared: Compared,
    model: Model,
    resolve: Callable[[str], str],
    lock: Lock,
    read: Read,
    *,
    searched: int = 0,
    metadata: Mapping[str, str] | None = None,
) -> Prepared:
    """The run of a suite. ``resolve`` gives the model that an id stands for. ``searched``: how many candidates a search
    has tried on the other items of the suite (0: the candidate was not chosen on them). Raises SuiteError."""
    items = suite.items if not searched else tuple(i for i in suite.items if serves_proof(i.id, i.cluster))
    if not items:
        raise SuiteError(suite.path, None, "no test is left for the proof after the search; add more")
    terms = proof_terms(suite, items)
    eval_set, graders = proof_sources(suite, read)
    claim = Claim(
        before=prompt_hash(compared.before),
        after=prompt_hash(compared.after),
        model=model.id,
        resolved=resolve(model.id),
        terms=terms,
        parameters={**model.parameters, **({"repeat": suite.repeat} if suite.repeat > 1 else {})},
        tools=_tools(compared),
        code=_code(compared, model, resolve),
        eval_set=eval_set,
        graders=graders,
        candidates=max(1, searched),
        split=split_name() if searched else "",
    )
    past = history_of(lock, compared.id, claim, items, read)
    claim = replace(
        claim,
        spent=past.spent,
        candidates=claim.candidates + past.candidates,
        terms=replace(terms, looks=past.looks),
    )
    known = {row.pair.item for row in past.rows}
    job = Job(
        suite,
        compared,
        model,
        terms_of(claim, len(past.earlier) + 1),
        in_order([item for item in items if item.id not in known]),
        tuple(row.pair for row in past.rows),
        metadata,
    )
    return Prepared(job, claim, past, items)


def _code(compared: Compared, model: Model, resolve: Callable[[str], str]) -> Mapping[str, Sequence[Any]]:
    """What the project's calls say. Their models are left out where none of them is the one that is run: the proof is
    then none for them."""
    if compared.code is None:
        return {}
    found = compared.code.recorded
    if resolve(model.id) not in {resolve(one) for one in compared.code.model if one is not None}:
        found["model"] = ()
    return found


def _tools(compared: Compared) -> str | None:
    for call in compared.calls:
        match call.tools.only:
            case Known(value=tools):
                return prompt_hash(tools)
    return None


def proved(
    ready: Prepared,
    ran: Ran,
    lock: Lock,
    rates: Rates | None,
    spend: Spend,
    today: date,
    *,
    texts: bool = True,
    notes: Sequence[str] = (),
) -> Proved:
    """The proof of a run and its report."""
    job = ready.job
    claim = replace(ready.claim, terms=replace(ready.claim.terms, judge=ran.terms.judge))
    rows = _rows(ready, ran)
    if ran.refused:
        outcome = replace(judged((), ran.terms), reason=ran.refused, decision="INCONCLUSIVE")
        return Proved(_report(ready, ran, claim, outcome, rows, rates, spend, notes, texts), None, {})
    earlier, again = ready.history.earlier, ready.history.again
    if earlier and ready.history.judge != ran.terms.judge:
        # The earlier verdicts rest on other errors of the judge: their looks count, and are not repeated.
        claim = replace(claim, spent=claim.spent + len(earlier))
        rows, earlier = [replace(row, look=1) for row in rows], ()
    label = job.compared.id
    entry, evidence, outcome = made_entry(label, job.compared.path, claim, rows, today, "", earlier, texts)
    if again is not None and (again.result, again.looks) != (entry.result, entry.looks):
        # The same items were opened again and gave other grades: that is a look of its own.
        claim = replace(claim, spent=claim.spent + len(again.looks))
        rows = [replace(row, look=1) for row in rows]
        entry, evidence, outcome = made_entry(label, job.compared.path, claim, rows, today, "", (), texts)
    proof = _standing(lock, label, claim)
    if outcome.decision != "PASS" and proof:
        label += TRIED
    path = f"{EVIDENCE}/{_slug(job.compared.id)}-{digest(evidence)[:12]}.jsonl"
    entry = replace(entry, id=label, evidence_path=path)
    entry = replace(entry, recorded=entry.digest)
    others = lock.without([job.compared.id + TRIED]) if not (outcome.decision != "PASS" and proof) else lock
    changed = others.with_entry(entry)
    named = {one.evidence_path for one in changed.entries}
    gone = tuple(sorted({one.evidence_path for one in lock.entries} - named))
    report = _report(ready, ran, claim, outcome, rows, rates, spend, notes, texts)
    report = replace(report, evidence=path, look=claim.spent + len(entry.looks))
    return Proved(report, changed, {path: evidence}, gone)


def _standing(lock: Lock, label: str, claim: Claim) -> bool:
    """Whether the lock has a proof of the prompt as it is now, which an attempt at a shorter one must not replace."""
    return any(
        entry.id == label
        and entry.looks
        and entry.looks[-1].decision == "PASS"
        and (entry.claim.before, entry.claim.after) != (claim.before, claim.after)
        for entry in lock.entries
    )


def _rows(ready: Prepared, ran: Ran) -> list[Row]:
    look = len(ready.history.earlier) + 1
    done = [item for item in ready.job.items if item.id in ran.new]
    old = {name: one.grades for name, one in ran.old.items()}
    new = {name: one.grades for name, one in ran.new.items()}
    pairs = proof_pairs(done, old, new, ran.terms.method)
    fresh = [
        Row(
            pair,
            look,
            _tokens(ran.old[item.id]),
            _tokens(ran.new[item.id]),
            _text(ran.old[item.id]),
            _text(ran.new[item.id]),
            inputs_of(item),
        )
        for item, pair in zip(done, pairs, strict=True)
    ]
    return [*ready.history.rows, *fresh]


def _tokens(outputs: Outputs) -> tuple[int, int] | None:
    """Input and output tokens of all repeats together."""
    usages = [answer.usage for answer in outputs.answers]
    known = [usage for usage in usages if usage is not None]
    if len(known) < len(usages) or not known:
        return None
    return sum(usage.request for usage in known), sum(usage.output for usage in known)


def _text(outputs: Outputs) -> str | None:
    answers = [answer.text for answer in outputs.answers if not answer.error]
    return answers[0] if answers else None


def _slug(label: str) -> str:
    """The label as a name of a file; the hash keeps labels apart that look alike."""
    return f"{_SLUG.sub('-', label).strip('-')[-60:]}-{digest(label.encode('utf-8', 'surrogatepass'))[:6]}"


def _report(
    ready: Prepared,
    ran: Ran,
    claim: Claim,
    outcome: Outcome,
    rows: Sequence[Row],
    rates: Rates | None,
    spend: Spend,
    notes: Sequence[str],
    texts: bool,
) -> Verification:
    job = ready.job
    pairs = [row.pair for row in rows]
    repeat = job.suite.repeat
    more = None
    if not ran.refused and wants_items(outcome):
        more = more_items(outcome, pairs, replace(ran.terms, judge=claim.terms.judge))
    prices = _prices(ran, rates, job.model)
    notes = [*notes, prices.note()] if prices is not None and prices.note() else notes
    return Verification(
        decision=outcome.decision,
        reason=outcome.reason,
        prompt=job.compared.id,
        suite=job.suite.path,
        model=claim.model,
        resolved=claim.resolved,
        method=claim.terms.method,
        margin=claim.terms.margin,
        alpha=claim.terms.alpha,
        level=outcome.level,
        look=claim.spent + len(ready.history.earlier) + 1,
        looks=claim.terms.looks,
        declared=claim.terms.items,
        items=outcome.items,
        units=outcome.units,
        regressions=outcome.regressions,
        improvements=outcome.improvements,
        ungraded=outcome.ungraded,
        loss=outcome.loss,
        lower=_finite(outcome.lower),
        upper=_finite(outcome.upper),
        more=more,
        early=ran.early,
        before=_side(rows, ran.old, outcome.old_score, claim.terms.method, prices, repeat, old=True),
        after=_side(rows, ran.new, outcome.new_score, claim.terms.method, prices, repeat, old=False),
        before_text=_shown(job.compared.before),
        after_text=_shown(job.compared.after),
        critical=tuple(SliceFigures(one.name, one.items, one.worse, one.upper) for one in outcome.critical),
        noise=tuple(NoiseFigures(one.grader, one.items, one.discordance, one.too_noisy) for one in ran.noise),
        changed=tuple(_changed(rows, ran, texts)),
        spend=spend,
        price=provenance(rates) if rates else "",
        notes=tuple(notes),
    )


def _finite(value: float) -> float | None:
    return None if value in (float("inf"), float("-inf")) else value


def _shown(prompt: Prompt) -> str:
    """The text with its holes as ``{name}``."""
    names = {id(hole): hole.name or " ".join(hole.expression.split()) for hole in prompt.holes}
    return "".join(
        part.text if isinstance(part, Literal) else f"{{{names[id(part)]}}}" if isinstance(part, Hole) else ""
        for part in prompt.parts
    )


def _side(
    rows: Sequence[Row],
    outputs: Mapping[str, Outputs],
    score: float,
    method: str,
    prices: SidePrices | None,
    repeat: int,
    *,
    old: bool,
) -> SideFigures:
    grades = [row.pair.old if old else row.pair.new for row in rows if None not in row.pair.old]
    known = [one for item in grades for one in item if one is not None]
    low, high = wilson(sum(g > 0 for g in known), len(known), 0.95) if known and method == "pass-fail" else (None, None)
    tokens = [found for row in rows if (found := row.old_tokens if old else row.new_tokens) is not None]
    calls = len(tokens) * repeat
    mean = None
    if prices is not None and tokens:
        costs = [_cost(row, outputs, prices, old) for row in rows]
        priced = [cost for cost in costs if cost is not None]
        mean = sum(priced, Decimal(0)) / (len(priced) * repeat) if priced else None
    success = Decimal(str(round(score, 9)))
    return SideFigures(
        score=score,
        low=low,
        high=high,
        input_tokens=sum(one for one, _ in tokens) / calls if calls else None,
        output_tokens=sum(one for _, one in tokens) / calls if calls else None,
        usd_per_1k=None if mean is None else 1000 * mean,
        usd_per_success=None if mean is None or not success else mean / success,
    )


def _prices(ran: Ran, rates: Rates | None, model: Model) -> SidePrices | None:
    """None where no price is known."""
    outputs = [*ran.old.values(), *ran.new.values()]
    usages = [answer.usage for one in outputs for answer in one.answers if answer.usage is not None]
    return None if rates is None else side_prices(rates, tier_of(model.parameters.get("serviceTier")), usages)


def _cost(row: Row, outputs: Mapping[str, Outputs], prices: SidePrices, old: bool) -> Decimal | None:
    """What all repeats of an item cost: with their cached tokens where the run tells them."""
    found = outputs.get(row.pair.item)
    usages = [answer.usage for answer in found.answers] if found is not None else []
    costs = [None if usage is None else prices.cost(usage) for usage in usages]
    if costs and None not in costs:
        return sum((cost for cost in costs if cost is not None), Decimal(0))
    tokens = row.old_tokens if old else row.new_tokens
    return None if tokens is None else prices.cost(Usage(*tokens))


def _changed(rows: Sequence[Row], ran: Ran, texts: bool) -> Sequence[ChangedItem]:
    found = []
    for row in sorted(rows, key=lambda row: row.pair.item):
        old, new = _mean(row.pair.old), _mean(row.pair.new)
        if old == new and old is not None:
            continue
        kind = "ungraded" if old is None or new is None else "regression" if new < old else "improvement"
        found.append(
            ChangedItem(
                row.pair.item,
                kind,  # type: ignore[arg-type]
                old,
                new,
                _reason(ran.new.get(row.pair.item), kind) or _reason(ran.old.get(row.pair.item), "regression"),
                row.old_text if texts else None,
                row.new_text if texts else None,
            )
        )
    return found


def _mean(grades: Sequence[float | None]) -> float | None:
    known = [grade for grade in grades if grade is not None]
    return sum(known) / len(known) if known and len(known) == len(grades) else None


def _reason(outputs: Outputs | None, kind: str) -> str:
    """What the graders say of an answer that is not good."""
    if outputs is None or kind == "improvement":
        return ""
    errors = [f"no answer ({answer.error})" for answer in outputs.answers if answer.error]
    parts = [part for grade in outputs.grades for part in grade.parts if part.passed is not True]
    return "; ".join(dict.fromkeys([*errors, *(part.reason for part in parts)]))
