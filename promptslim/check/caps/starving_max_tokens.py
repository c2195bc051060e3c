"""PS103: a cap that leaves no room for the answer."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

from promptslim.check.answer_demands import greeting, least_length
from promptslim.check.call_models import certain_models, writes_text
from promptslim.check.cap_fixes import changed_cap
from promptslim.check.cap_numbers import least_limit, rounded
from promptslim.check.cap_values import place, thinking_budget, thinking_is_on, written_caps
from promptslim.check.wording import branch, quoted
from promptslim.core.call import LlmCall
from promptslim.core.finding import Finding, Related
from promptslim.core.values import Case

if TYPE_CHECKING:
    from promptslim.catalog.model_facts import ModelFacts
    from promptslim.check.rule_context import RuleContext
    from promptslim.core.text import Fix

NO_ANSWER = 1
"""A cap that no answer fits in: what is asked for is the thinking, or whether the model is there."""

SURE_TO_FIT = 4096
"""Tokens that a model without a limit in the tables is given at most: OpenAI's completion models refuse more."""

SLACK = Decimal("1.25")
"""A demanded length counts only where it needs a quarter more than the cap: words per token vary by text."""


def starving_max_tokens(call: LlmCall, rule: RuleContext) -> Iterator[Finding]:
    """One finding for a call: thinking takes the cap, or the prompt demands a longer answer than it holds."""
    if not writes_text(call, rule):
        return
    models = certain_models(call, rule)
    for case, cap in written_caps(call):
        found = _budget(call, case, cap, rule) or _thinks(call, case, cap, models, rule) or _long(call, case, cap, rule)
        if found:
            yield found
            return


def _budget(call: LlmCall, case: Case[int], cap: int, rule: RuleContext) -> Finding | None:
    """The thinking budget is part of max_tokens, except with interleaved thinking, a beta set in a header.

    Only where neither has branches: what decides one may decide the other.
    """
    budget = thinking_budget(call)
    if budget is None or budget < cap or call.max_tokens.only is None:
        return None
    if "interleaved-thinking" in call.location.document.text:
        return None
    room = int(str(rule.options["answer-room"]))
    primary, related = place(call, case)
    return rule.finding(
        f"a cap of {cap:,} tokens{branch(call.max_tokens, case)} is not above the thinking budget of {budget:,}, "
        "which is spent from it: Claude rejects the request",
        primary,
        call=call,
        evidence=f"{call.scope} {call.callee} budget",
        related=related,
        severity="error",
        confidence="high",
        fixes=_raised(call, case, cap, budget + room, f"the thinking budget and {room:,} for the answer", rule),
    )


def _thinks(
    call: LlmCall, case: Case[int], cap: int, models: tuple[ModelFacts, ...], rule: RuleContext
) -> Finding | None:
    habit = bool(models) and all(_always_thinks(call, model) for model in models)
    if not habit and call.max_tokens.only is None:
        return None
    if cap == NO_ANSWER or cap > int(str(rule.options["thinking-floor"])) or not (habit or thinking_is_on(call)):
        return None
    if thinking_budget(call) is not None or greeting(call, rule.catalog.phrases):
        return None
    who = f"{models[0].base} thinks before it answers" if habit else "thinking is on"
    primary, related = place(call, case)
    return rule.finding(
        f"{who}, and thinking is spent from the cap of {cap:,} tokens{branch(call.max_tokens, case)}: "
        "answers come back empty or cut, and are billed",
        primary,
        call=call,
        evidence=f"{call.scope} {call.callee} thinking",
        related=related,
        fixes=_raised(
            call, case, cap, int(str(rule.options["thinking-cap"])), "a default with room for thinking: adjust it", rule
        ),
    )


def _always_thinks(call: LlmCall, model: ModelFacts) -> bool:
    """Not where a setting that turns thinking off may reach the call: its name stands anywhere in the file."""
    if not model.thinks or not model.thinks_off:
        return model.thinks
    text = call.location.document.text
    return not call.opaque and not any(name in text for name in model.thinks_off)


def _long(call: LlmCall, case: Case[int], cap: int, rule: RuleContext) -> Finding | None:
    demand = least_length(call, rule.catalog.phrases)
    if demand is None:
        return None
    rate = Decimal(str(rule.options["tokens-per-word"]))
    needed = int(demand.words * rate)
    if needed <= cap * SLACK:
        return None
    primary, related = place(call, case)
    return rule.finding(
        f"the prompt asks for {demand.form} ({quoted(demand.sentence)}), about {needed:,} tokens at {rate} a word "
        f"(assumed), but the cap{branch(call.max_tokens, case)} is {cap:,}: the answer is cut, and billed all the same",
        primary,
        call=call,
        evidence=demand.sentence,
        related=(*related, Related(demand.prompt.primary, "the prompt")),
        fixes=_raised(
            call,
            case,
            cap,
            rounded(2 * demand.words),
            f"two tokens for each of the {demand.form} asked for",
            rule,
            SURE_TO_FIT,
        ),
    )


def _raised(
    call: LlmCall, case: Case[int], cap: int, tokens: int, why: str, rule: RuleContext, unknown: int | None = None
) -> tuple[Fix, ...]:
    """None where the model cannot write that much; ``unknown`` stands for a limit that is not known."""
    known = least_limit(certain_models(call, rule))
    limit = unknown if known is None else known
    return changed_cap(call, case, cap, tokens, why) if limit is None or tokens <= limit else ()
