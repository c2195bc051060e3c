"""PS102: a cap above the model's own limit, or a large one for an answer of a few tokens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from promptslim.check.answer_demands import AnswerDemand, greeting, short_answer
from promptslim.check.call_models import certain_models, writes_text
from promptslim.check.cap_fixes import changed_cap
from promptslim.check.cap_values import may_think, place, waits_for_whole_answer, written_caps
from promptslim.check.wording import branch, quoted
from promptslim.core.call import LlmCall
from promptslim.core.finding import Finding, Related
from promptslim.core.values import Absent, Case

if TYPE_CHECKING:
    from promptslim.catalog.model_facts import ModelFacts
    from promptslim.check.rule_context import RuleContext

ROUNDING = 1.024
"""Sources round 8,192 to 8,000 tokens: only a cap above that difference is above the limit."""

UNSTREAMED_LIMIT = 128_000 * 600 // 3_600
"""Tokens; above it the Anthropic SDK streams or raises."""


def oversized_max_tokens(call: LlmCall, rule: RuleContext) -> Iterator[Finding]:
    """One finding for a call: above the limit of the model of every branch, else far above what the prompt
    asks for. A size alone ("4,096 is large") is no reason."""
    if not writes_text(call, rule):
        return
    models = certain_models(call, rule)
    for case, cap in written_caps(call):
        found = (
            _above_limit(call, case, cap, models, rule)
            or _above_demand(call, case, cap, models, rule)
            or _refused_unstreamed(call, case, cap, rule)
        )
        if found:
            yield found
            return


def _above_limit(
    call: LlmCall, case: Case[int], cap: int, models: tuple[ModelFacts, ...], rule: RuleContext
) -> Finding | None:
    limits = [model.max_output for model in models]
    largest = max((limit for limit in limits if limit is not None), default=None)
    if largest is None or None in limits or cap <= largest * ROUNDING:
        return None
    primary, related = place(call, case)
    if call.kind == "agent" and related:
        # The constructor of the model, where the cap stands, says it.
        return None
    name = models[0].base if len(models) == 1 else "every model of this call"
    return rule.finding(
        f"a cap of {cap:,} tokens{branch(call.max_tokens, case)} is above the output limit of {name} "
        f"({largest:,} tokens by the model table): the service rejects the request or cuts the cap down",
        primary,
        call=call,
        evidence=f"{call.scope} {call.callee} above limit",
        related=related,
        confidence="high",
        fixes=changed_cap(call, case, cap, largest, f"the limit of {name}"),
    )


def _above_demand(
    call: LlmCall, case: Case[int], cap: int, models: tuple[ModelFacts, ...], rule: RuleContext
) -> Finding | None:
    if (
        cap < int(str(rule.options["closed-answer-cap"]))
        or may_think(call, models)
        or not isinstance(call.tools.only, Absent)
    ):
        return None
    phrases = rule.catalog.phrases
    demand = short_answer(call, phrases) or greeting(call, phrases)
    if demand is None:
        return None
    primary, related = place(call, case)
    return rule.finding(
        f"a cap of {cap:,} tokens{branch(call.max_tokens, case)}, but {_asks(demand)}; "
        f"the price is that of the answer, but {_harm(call, models)}",
        primary,
        call=call,
        evidence=demand.sentence,
        related=(*related, Related(demand.prompt.primary, "the prompt")),
        confidence="high" if demand.role == "system" else "medium",
        fixes=changed_cap(call, case, cap, int(str(rule.options["short-answer-cap"])), "a default: adjust it"),
    )


def _refused_unstreamed(call: LlmCall, case: Case[int], cap: int, rule: RuleContext) -> Finding | None:
    """The Anthropic SDK works out 3,600 s x cap / 128,000 and raises above 600 s, unless it streams or a
    timeout is set (source of anthropic 2.12.0)."""
    client = call.client
    if call.sdk != "anthropic.messages" or cap <= UNSTREAMED_LIMIT or client.constructor is None:
        return None
    if not isinstance(client.read_timeout.only, Absent) or not waits_for_whole_answer(call):
        return None
    if call.opaque or "timeout" in call.location.text:
        return None
    primary, related = place(call, case)
    return rule.finding(
        f"a cap of {cap:,} tokens{branch(call.max_tokens, case)} without streaming: the Anthropic SDK (2.12.0) raises "
        f"ValueError above {UNSTREAMED_LIMIT:,}, since the answer may take over 10 minutes",
        primary,
        call=call,
        evidence=f"{call.scope} {call.callee} without streaming",
        related=related,
        severity="error",
        fixes=changed_cap(call, case, cap, UNSTREAMED_LIMIT, "the most without streaming; or stream the answer"),
    )


def _asks(demand: AnswerDemand) -> str:
    if demand.form == "a greeting":
        return f"all that is sent is {quoted(demand.sentence)}"
    return f"the prompt asks for {demand.form}: {quoted(demand.sentence)}"


def _harm(call: LlmCall, models: tuple[ModelFacts, ...]) -> str:
    bedrock = call.sdk.startswith("boto3.") or any(model.route == "bedrock" for model in models)
    if bedrock:
        return "the whole cap is reserved from the tokens-per-minute quota, and nothing stops a runaway answer before"
    return "nothing stops a runaway answer before"
