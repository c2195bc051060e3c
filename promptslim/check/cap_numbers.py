"""The number that a call without an output cap is given, and what it rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from promptslim.check.call_models import certain_models, possible_models
from promptslim.check.cap_keys import KWARGS_ARE_THE_BODY, TRANSLATES_KWARGS, stands_in_branch
from promptslim.check.cap_values import may_think, thinking_budget, waits_for_whole_answer
from promptslim.core.lazy_pattern import pattern
from promptslim.core.record import record
from promptslim.core.values import Absent, Known

if TYPE_CHECKING:
    from promptslim.catalog.model_facts import ModelFacts
    from promptslim.check.rule_context import RuleContext
    from promptslim.core.call import LlmCall

SENDS_BODIES = ("boto3.invoke_model", *TRANSLATES_KWARGS, *KWARGS_ARE_THE_BODY)

MOST_IN_BODY = {"llama": 2048, "titan": 3072}
"""Caps that every model of a family takes in its invoke_model body, which refuses larger ones (AWS user guide,
model-parameters pages of Meta Llama and Titan Text)."""

ROUND_TO = 256

TOKENS_PER_SECOND = 100
"""Assumed, below the speed from which retried-timeout takes a cap for too large."""

_THINKS_BY_NAME = pattern(
    r"thinking|reason|gpt-oss|minimax-m|magistral|nemotron|qwq|(?:^|[/.:_-])(?:r1|o[134]|gpt-[56])(?![0-9a-z])"
    r"|gemini-(?:2\.5-(?:pro|flash(?!-lite))|[3-9])|grok-(?:3-mini|[4-9])|glm-(?:4\.[5-9]|[5-9])|kimi-k3"
)
"""Models that reason before they answer unless they are told not to: a cap needs room for that, and what it does not
need costs nothing."""


@record
class Cap:
    """A number for a cap, and what a reader should know of it."""

    tokens: int
    basis: str


def suggested(call: LlmCall, rule: RuleContext) -> Cap:
    """From the length that the prompt demands, else the page's default; with room for thinking, and at most what the
    model can write."""
    from promptslim.check.answer_demands import least_length

    models = certain_models(call, rule, fallbacks=True)
    demand = least_length(call, rule.catalog.phrases)
    default = int(str(rule.options["default-cap"]))
    budget = thinking_budget(call)
    thinks = any(model.thinks for model in models) or may_think(call, ()) or "budget" in call.location.text
    thinks = thinks or any(map(_THINKS_BY_NAME.search, possible_models(call)))
    thinks = thinks or (not possible_models(call) and stands_in_branch(call, _THINKS_BY_NAME))
    if budget is not None:
        cap = Cap(budget + default, f"the thinking budget and a default of {default:,}: adjust it to your answers")
    elif thinks:
        tokens, most = int(str(rule.options["default-thinking-cap"])), _most_in_time(call, rule)
        cap = Cap(min(tokens, most or tokens), "a default with room for thinking: adjust it to your answers")
    elif demand is not None and 2 * demand.words > default:
        cap = Cap(rounded(2 * demand.words), f"two tokens for each word of the {demand.form} that the prompt asks for")
    else:
        cap = Cap(default, "a default: adjust it to your longest answer")
    limits = [least_limit(models)]
    if call.sdk in SENDS_BODIES:
        limits += [MOST_IN_BODY.get(model.body or "") for model in models]
    limit = min((one for one in limits if one is not None), default=None)
    if limit is not None and cap.tokens > limit:
        return Cap(limit, "the model's own limit: adjust it")
    context = min((model.context for model in models if model.context is not None), default=None)
    if context is not None and cap.tokens > context // 4:
        return Cap(context // 4, "a quarter of the model's context window, which input shares: adjust it")
    return cap


def _most_in_time(call: LlmCall, rule: RuleContext) -> int | None:
    """What a model writes, at TOKENS_PER_SECOND, before the client of an unstreamed call asks again."""
    if call.sdk not in ("boto3.converse", "boto3.invoke_model") or not waits_for_whole_answer(call):
        return None
    match call.client.read_timeout.only:
        case Absent():
            return int(TOKENS_PER_SECOND * rule.catalog.thresholds["read_timeout_seconds"])
        case Known(value=int() | float() as seconds) if seconds > 0:
            return int(TOKENS_PER_SECOND * seconds)
        case _:
            return None


def rounded(tokens: int) -> int:
    """The next multiple of 256."""
    return -(-tokens // ROUND_TO) * ROUND_TO


def least_limit(models: tuple[ModelFacts, ...]) -> int | None:
    """The smallest output limit of some models, None where none is known."""
    return min((model.max_output for model in models if model.max_output is not None), default=None)
