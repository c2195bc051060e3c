"""What is certainly sent with a call: its visible prompt text, counted and priced."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from promptslim.core.finding import Impact
from promptslim.core.values import Known

if TYPE_CHECKING:
    from promptslim.catalog.model_facts import ModelFacts
    from promptslim.check.rule_context import RuleContext
    from promptslim.core.call import LlmCall
    from promptslim.core.prompt import Prompt

PER_MILLION = Decimal(1_000_000)


def visible_text(call: LlmCall) -> str:
    """The static text of system prompt, tools and messages, where one branch decides: a lower bound."""
    prompts: list[Prompt] = []
    for field in (call.tools, call.system):
        value = field.only
        if isinstance(value, Known):
            prompts.append(value.value)
    messages = call.messages.only
    if isinstance(messages, Known):
        prompts += messages.value
    return "\n".join(prompt.static_text for prompt in prompts)


def input_saving(call: LlmCall, rule: RuleContext, model: ModelFacts, per_million: Decimal) -> Impact:
    """What ``per_million`` dollars less for a million input tokens save on the visible prompt, per 1,000 calls.

    A lower bound, since holes and output come on top; empty where no prompt text is visible.
    """
    text = visible_text(call)
    if not text or model.rates is None:
        return Impact()
    count = rule.count(text, model)
    return Impact(
        usd_per_1k_calls=per_million * count.low * 1000 / PER_MILLION,
        basis="estimated" if count.method == "estimate" else "counted",
        source=f"{model.rates.source}, {model.rates.as_of.isoformat()}, {model.rates.region}",
    )
