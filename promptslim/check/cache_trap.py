"""The trap of trimming: a prefix that was cached falls under the cache minimum, and the call becomes dearer.

With a share h of hits, reads at r and writes at w of the input price, cutting T tokens to T2 uncached ones is dearer
where h > (w - T2 / T) / (w - r); see ``pricing/cache_economics.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from promptslim.check.call_models import certain_models
from promptslim.check.request_order import Request, requests
from promptslim.check.stable_prefix import MARKED_VENDORS
from promptslim.core.levels import Basis
from promptslim.core.prompt import CachePoint, Hole, Literal, Prompt
from promptslim.core.record import record, replace
from promptslim.core.trimming import Trap
from promptslim.core.values import Known, Present
from promptslim.pricing.cache_economics import multipliers, relative_price, trim_trap_hit_rate
from promptslim.pricing.cost import usd_per_1k
from promptslim.pricing.rates import provenance
from promptslim.trim.saving import scale_for

if TYPE_CHECKING:
    from promptslim.catalog.model_facts import ModelFacts
    from promptslim.check.rule_context import RuleContext
    from promptslim.core.call import LlmCall

HitRate = Callable[[str, int], "Decimal | None"]
"""The share of cache hits of a call, by its id and the seconds that a cached prefix lives; None where not known."""

HOUR = 3600
FIVE_MINUTES = 300
"""Seconds that a cached prefix lives after its last use."""


@record
class _Prefix:
    text: str
    whole: bool
    hour: bool
    prompts: tuple[Prompt, ...]


@record
class _Sizes:
    before: int
    after: int
    basis: Basis


def traps(
    before: Mapping[str, LlmCall], after: Mapping[str, LlmCall], rule: RuleContext, hit_rate: HitRate | None = None
) -> tuple[Trap, ...]:
    """The calls that fall into the trap, by their ids before and after a trim; each at its worst model and branch."""
    found: list[Trap] = []
    for call_id, call in before.items():
        now = after.get(call_id)
        if now is None or not _marked(call):
            continue
        candidates = [
            trap
            for first, second in zip(requests(call), requests(now), strict=False)
            for trap in _of_request(call, first, second, rule, hit_rate)
        ]
        if candidates:
            found.append(min(candidates, key=lambda one: (one.pays, not one.visible, one.hit_rate)))
    return tuple(found)


def threatened(prompt: Prompt, saves: int, rule: RuleContext) -> Trap | None:
    """The trap into which a call of ``prompt`` falls where the prompt loses ``saves`` tokens; None where none does."""
    for call in rule.users(prompt):
        for request in requests(call) if _marked(call) else ():
            old = _prefix(request)
            if old is None or not old.whole or prompt not in old.prompts:
                continue
            for model in _marked_models(call, rule):
                # A token is a character at least: spares loading vocabularies for short prefixes.
                if model.cache is not None and len(old.text) >= model.cache.min_certain:
                    sizes = _sizes(old, None, model, rule)
                    sizes = replace(sizes, after=sizes.before - saves)
                    if (trap := _trap(call, old, sizes, model, None)) is not None:
                        return trap
    return None


def _marked(call: LlmCall) -> bool:
    """Whether a cache marker is within reach of the call."""
    return (
        any(isinstance(case.value, Known | Present) for case in call.caching)
        or any(call.cache_points.known())
        or any(isinstance(part, CachePoint) for request in requests(call) for _, part in request.parts())
    )


def _of_request(
    call: LlmCall, before: Request, after: Request, rule: RuleContext, hit_rate: HitRate | None
) -> Iterator[Trap]:
    old, new = _prefix(before), _prefix(after)
    if old is None or new is None or old.text == new.text:
        return
    for model in _marked_models(call, rule):
        trap = _trap(call, old, _sizes(old, new, model, rule), model, hit_rate)
        if trap is not None:
            yield trap


def _marked_models(call: LlmCall, rule: RuleContext) -> Iterator[ModelFacts]:
    """The models of a call that cache what a marker ends."""
    for model in certain_models(call, rule, fallbacks=True):
        if model.vendor in MARKED_VENDORS and model.cache is not None and model.rates is not None:
            yield model


def _sizes(old: _Prefix, new: _Prefix | None, model: ModelFacts, rule: RuleContext) -> _Sizes:
    """The tokens of a prefix before and after, as a trim gives them: what goes is always counted by a vocabulary."""
    scale = scale_for(rule.run.counter(), model.tokenizer)
    first, second = scale.count([old.text, (new or old).text])
    if scale.basis == "counted":
        return _Sizes(first, second, scale.basis)
    estimate = rule.count(old.text, model).n
    return _Sizes(estimate, max(estimate - (first - second), 0), scale.basis)


def _trap(call: LlmCall, old: _Prefix, sizes: _Sizes, model: ModelFacts, hit_rate: HitRate | None) -> Trap | None:
    cache, rates = model.cache, model.rates
    prices = multipliers(rates) if rates else None
    if prices is None or cache is None or rates is None:
        return None
    if sizes.before < cache.min_certain or sizes.after >= cache.min_certain:
        return None
    write = prices.write_1h if old.hour and prices.write_1h is not None else prices.write_5m
    rate = trim_trap_hit_rate(sizes.before, sizes.after, prices.read, write)
    if rate is None:
        return None
    uncached = usd_per_1k(sizes.before, rates)
    share = hit_rate(call.id, HOUR if old.hour else FIVE_MINUTES) if hit_rate is not None else None
    return Trap(
        call=call,
        model=model.family,
        before=sizes.before,
        after=sizes.after,
        minimum=cache.min_certain,
        hit_rate=max(rate, Decimal(0)),
        visible=old.whole,
        basis=sizes.basis,
        usd_hit=None if uncached is None else uncached * relative_price(Decimal(1), prices.read, write),
        usd_after=usd_per_1k(sizes.after, rates),
        source=provenance(rates),
        prompts=frozenset(place_of(prompt) for prompt in old.prompts),
        observed=share,
        usd_now=None if uncached is None or share is None else uncached * relative_price(share, prices.read, write),
    )


def _prefix(request: Request) -> _Prefix | None:
    """The literal text up to the last cache marker of a request; None without one. ``whole`` is false where a part of
    it is not known."""
    pieces: list[str] = []
    prompts: list[Prompt] = []
    whole = request.visible
    found: _Prefix | None = None
    for prompt, part in request.parts():
        if prompt not in prompts:
            prompts.append(prompt)
        match part:
            case Literal(text=text, maybe=maybe):
                pieces.append(text)
                whole = whole and not maybe
            case Hole():
                whole = False
            case CachePoint(ttl=ttl):
                found = _Prefix("".join(pieces), whole, ttl == "1h", tuple(prompts))
    if found is None and not any(isinstance(part, CachePoint) for _, part in request.parts()):
        fixed = [prompt for prompt in request.prompts if prompt.role in ("tools", "system")]
        if fixed:  # the marker is set elsewhere: at the earliest after tools and system prompt
            text = "".join(prompt.static_text for prompt in fixed)
            found = _Prefix(text, request.visible and not any(one.holes for one in fixed), False, tuple(fixed))
    return found


def place_of(prompt: Prompt) -> tuple[str, int | None, int]:
    """Where a prompt is defined: path, cell and offset."""
    return prompt.location.path, prompt.location.cell, prompt.location.span.start


def by_id(calls: Iterable[LlmCall]) -> dict[str, LlmCall]:
    """Calls by their ids."""
    return {call.id: call for call in calls}
