"""PS503: the same model is cheaper by another route, or the request is over a price cliff."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from promptslim.check.call_models import WrittenModel, certain_model, written_models
from promptslim.check.visible_input import input_saving, visible_text
from promptslim.check.wording import day, dollars
from promptslim.core.call import LlmCall
from promptslim.core.finding import Finding

if TYPE_CHECKING:
    from promptslim.catalog.model_facts import ModelFacts, Rates
    from promptslim.check.rule_context import RuleContext


def dearer_route(call: LlmCall, rule: RuleContext) -> Iterator[Finding]:
    """At the model id where it stands in the call's file: a regional profile beside a cheaper global one,
    and visible input that is certainly over a cliff of the price."""
    for written in written_models(call):
        facts = rule.model(written.id)
        if facts is not None and facts.kind == "chat" and facts.rates is not None:
            yield from _regional(call, written, facts, facts.rates, rule)
    model = certain_model(call, rule)
    if model is not None and model.kind == "chat" and model.rates is not None:
        yield from _cliff(call, model, model.rates, rule)


def _regional(
    call: LlmCall, written: WrittenModel, model: ModelFacts, rates: Rates, rule: RuleContext
) -> Iterator[Finding]:
    other = model.global_rates
    if model.geo in (None, "global", "us-gov") or other is None:
        return
    if other.input >= rates.input or other.output > rates.output:
        return
    percent = round(100 * (1 - other.input / rates.input))
    yield rule.finding(
        f"the {model.geo}. profile of {model.family} costs {_price(rates)}, the global. profile {_price(other)}: "
        f"{percent} % less, where residency allows any Region ({rates.source}, {day(rates.as_of)})",
        written.place(call),
        call=call,
        evidence=written.id,
        confidence=None if written.certain else "low",
        impact=input_saving(call, rule, model, rates.input - other.input),
    )


def _cliff(call: LlmCall, model: ModelFacts, rates: Rates, rule: RuleContext) -> Iterator[Finding]:
    text = visible_text(call) if rates.above else ""
    for tokens, dearer_input, _ in sorted(rates.above, reverse=True):
        # A token is at least one character here: shorter texts need no count.
        if len(text) > tokens and dearer_input > rates.input and rule.over(text, model, tokens):
            yield rule.finding(
                f"the visible prompt alone is over {tokens:,} tokens, where {model.family} bills the whole request at "
                f"{dollars(dearer_input)} per million input tokens instead of {dollars(rates.input)} "
                f"({rates.source}, {day(rates.as_of)})",
                call.primary,
                call=call,
                evidence=f"{call.scope} {call.callee} over {tokens}",
                severity="warning",
                impact=input_saving(call, rule, model, dearer_input - rates.input),
            )
            return


def _price(rates: Rates) -> str:
    return f"{dollars(rates.input)} in / {dollars(rates.output)} out per million tokens"
