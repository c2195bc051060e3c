"""What a prompt costs the calls that send it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

from promptslim.check.call_models import certain_models
from promptslim.check.wording import dollars
from promptslim.core.finding import Basis, Impact, Related
from promptslim.core.record import record

if TYPE_CHECKING:
    from promptslim.catalog.model_facts import ModelFacts
    from promptslim.check.rule_context import RuleContext
    from promptslim.core.call import LlmCall
    from promptslim.core.prompt import Prompt
    from promptslim.core.result import TokenCount

MOST_CALLS = 8
"""Calls that are listed with a finding."""

_CENT = Decimal("0.01")


@record
class PricedUse:
    """A call that sends a prompt, with a model of it that has a price."""

    call: LlmCall
    model: ModelFacts


def priced_uses(prompt: Prompt, rule: RuleContext) -> tuple[PricedUse, ...]:
    """The calls that send a prompt, once for each of their models with a price; the dearest input first."""
    found = [
        (model.rates.input, index, PricedUse(call, model))
        for index, call in enumerate(rule.users(prompt))
        for model in certain_models(call, rule, fallbacks=True)
        if model.rates is not None
    ]
    return tuple(use for _, _, use in sorted(found, key=lambda one: (-one[0], one[1])))


def model_of(prompt: Prompt, rule: RuleContext) -> ModelFacts | None:
    """The model by which a prompt is counted: the first that a call of it names."""
    return next((model for call in rule.users(prompt) for model in certain_models(call, rule, fallbacks=True)), None)


def waste(prompt: Prompt, tokens: TokenCount, excess: int, rule: RuleContext) -> Impact:
    """``excess`` input tokens per call, priced for the dearest of the known models; ``tokens`` is the count they
    come from. Nothing is claimed for an excess of 0."""
    from promptslim.pricing.cost import usd_per_1k
    from promptslim.pricing.rates import provenance

    basis: Basis = "estimated" if tokens.method == "estimate" else "counted"
    if excess <= 0:
        return Impact()
    for use in priced_uses(prompt, rule)[:1]:
        if use.model.rates is not None:
            usd = usd_per_1k(excess, use.model.rates)
            return Impact(
                input_tokens_per_call=excess, usd_per_1k_calls=usd, basis=basis, source=provenance(use.model.rates)
            )
    return Impact(input_tokens_per_call=excess, basis=basis)


def users_with_prices(prompt: Prompt, tokens: int, rule: RuleContext) -> Iterator[Related]:
    """The calls that send a prompt, each with what ``tokens`` of it cost per 1,000 calls where that is known."""
    priced = {use.call.id: use.model for use in reversed(priced_uses(prompt, rule))}
    for call in rule.users(prompt)[:MOST_CALLS]:
        model = priced.get(call.id)
        yield Related(call.primary, f"sent here{f' with {price(tokens, model)}' if model else ''}")


def price(tokens: int, model: ModelFacts) -> str:
    """``claude-haiku-4-5: $7.40 per 1,000 calls uncached, $0.74 read from cache``; the model alone without prices."""
    from promptslim.pricing.cost import band

    rates = model.rates
    prices = band(rates, tokens) if rates else None
    if prices is None:
        return model.family
    text = f"{model.family}: {_amount(prices.input * tokens / 1000)} per 1,000 calls uncached"
    cacheable = model.cache is not None and tokens >= model.cache.min_certain
    return text + (f", {_amount(prices.read * tokens / 1000)} read from cache" if prices.read and cacheable else "")


def about(count: TokenCount) -> str:
    """``about 7,400 tokens (estimated, 6,600 to 8,100)`` or ``7,412 tokens (counted)``."""
    if count.method == "estimate":
        return f"about {rounded(count.n):,} tokens (estimated, {rounded(count.low):,} to {rounded(count.high):,})"
    return f"{count.n:,} tokens (counted)"


def rounded(number: int) -> int:
    """To two figures: an estimate has no more."""
    step: int = 10 ** max(len(str(number)) - 2, 0)
    return round(number / step) * step


def _amount(amount: Decimal) -> str:
    return f"${amount.quantize(_CENT):,}" if amount >= _CENT else dollars(amount.quantize(Decimal("0.0001")))
