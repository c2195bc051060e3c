"""PS605: independent calls in a loop over data, which batch inference does at half the price."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from promptslim.check.call_models import certain_model, writes_text
from promptslim.check.cap_values import waits_for_whole_answer
from promptslim.check.visible_input import input_saving
from promptslim.check.wording import code, day, dollars
from promptslim.core.call import LlmCall, Loop
from promptslim.core.finding import Finding, Impact, Related
from promptslim.core.lazy_pattern import pattern
from promptslim.core.values import Absent, Known, Present

if TYPE_CHECKING:
    from promptslim.catalog.model_facts import ModelFacts
    from promptslim.check.rule_context import RuleContext

BEDROCK = ("boto3.converse", "boto3.invoke_model")
DIRECT = ("anthropic.messages", "openai.chat", "openai.responses")

_SLICE = pattern(r"[\[({]|\w+\[:\d{1,2}\]|.*\.(?:head|take|sample)\(\d{1,2}\)|(?:range|islice)\((?:\w+, *)?\d{1,2}\)")
_WRAPPER = pattern(r"(?:enumerate|tqdm|list|sorted|reversed|zip|iter|track|progress)\((.*)\)")
_NO_DATA = pattern(
    r"max_|model|region|provider|client|agent|tool|turn|step|round|iteration|epoch|history|conversation|stream|event|delta"
    r"|temperature|setting|config|param|variant|attempt|retr(?:y|ies)|effort|budget|service_tier|repeat|count\(",
    re.IGNORECASE,
)
_SOMEBODY_WAITS = pattern(
    r"rerank|retriev|search|chat|respond|request|handle|endpoint|route|serve|stream|(?:^|[._])api|on_message",
    re.IGNORECASE,
)

FEW = 20
"""Items up to which a loop over written-out data is an example: a batch job has a least number of records."""


def batchable_loop(call: LlmCall, rule: RuleContext) -> Iterator[Finding]:
    """Calls of a ``for`` loop or comprehension over data, none of which needs another's answer.

    Silent for attempts, conversations, loops over models or settings, a handful of literal items, streams,
    tools (which lead to further turns), cached prefixes (whose saving does not stack with that of batch), request
    handlers and programs that wait for a person.
    """
    loop = call.control.loop
    if loop is None or not _independent(call, loop) or not _over_data(loop):
        return
    if _somebody_waits(call) or not writes_text(call, rule):
        return
    model = certain_model(call, rule)
    terms = _terms(call, model)
    if terms is None:
        return
    yield rule.finding(
        f"one call for each of {code(loop.over)}: batch inference {terms}, where answers may take up to 24 hours",
        call.primary,
        call=call,
        evidence=f"{call.scope} {call.callee} {loop.over}",
        related=(Related(loop.location, "the loop"),),
        impact=_impact(call, rule, model),
        confidence=None if model and model.rates and model.rates.batch_input is not None else "low",
    )


def _independent(call: LlmCall, loop: Loop) -> bool:
    if call.kind != "request" or loop.kind == "while" or loop.attempts or loop.carried:
        return False
    return waits_for_whole_answer(call) and isinstance(call.tools.only, Absent) and not _uses_cache(call)


def _somebody_waits(call: LlmCall) -> bool:
    return call.control.handler or call.control.interactive or bool(_SOMEBODY_WAITS.search(call.scope))


def _uses_cache(call: LlmCall) -> bool:
    return any(call.cache_points.known()) or any(isinstance(case.value, Present) for case in call.cache_points)


def _over_data(loop: Loop) -> bool:
    if loop.size is not None and loop.size <= FEW:
        return False
    text = " ".join(loop.over.split())
    while wrapped := _WRAPPER.fullmatch(text):
        text = wrapped[1]
    return not _SLICE.match(text) and not _NO_DATA.search(text)


def _terms(call: LlmCall, model: ModelFacts | None) -> str | None:
    """What batch costs; None where the service that is called has no batch, or may have none."""
    if call.sdk not in (*BEDROCK, *DIRECT) or not _official(call):
        return None
    rates = model.rates if model else None
    if rates is not None and rates.batch_input is not None and rates.batch_output is not None:
        return (
            f"bills {dollars(rates.batch_input)} in / {dollars(rates.batch_output)} out per million tokens instead of "
            f"{dollars(rates.input)} / {dollars(rates.output)} ({rates.source}, {day(rates.as_of)})"
        )
    return "is billed at 50 % of the list price (AWS user guide)" if call.sdk in BEDROCK else None


def _official(call: LlmCall) -> bool:
    """Not an endpoint of somebody else behind OpenAI's client."""
    url = call.client.base_url.only
    return not isinstance(url, Known | Present) or (isinstance(url, Known) and "openai" in url.value)


def _impact(call: LlmCall, rule: RuleContext, model: ModelFacts | None) -> Impact | None:
    rates = model.rates if model else None
    if model is None or rates is None or rates.batch_input is None:
        return None
    return input_saving(call, rule, model, rates.input - rates.batch_input)
