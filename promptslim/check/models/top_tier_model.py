"""PS501: a large model for an answer of a few tokens, where a small one of the same vendor may do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from promptslim.check.answer_demands import AnswerDemand, closed_answer
from promptslim.check.call_models import certain_models, writes_text
from promptslim.check.cap_values import may_think
from promptslim.check.enclosing_code import enclosing
from promptslim.check.visible_input import input_saving
from promptslim.check.wording import day, dollars, quoted
from promptslim.core.call import LlmCall
from promptslim.core.facts import FileFacts
from promptslim.core.finding import Finding, Impact, Related
from promptslim.core.prompt import Prompt
from promptslim.core.values import Absent

if TYPE_CHECKING:
    from promptslim.catalog.model_facts import ModelFacts
    from promptslim.check.rule_context import RuleContext

LARGE = ("premium", "top", "mid")
SMALL = ("small", "tiny")


def top_tier_model(file: FileFacts, rule: RuleContext) -> Iterator[Finding]:
    """One finding for a call whose every model is a large one, and whose prompt demands one word, yes or no, a
    number, one label, or a JSON object of one such field."""
    for call in file.calls:
        if not writes_text(call, rule) or not isinstance(call.tools.only, Absent):
            continue
        models = certain_models(call, rule)
        if not models or any(model.tier not in LARGE for model in models) or may_think(call, models):
            continue
        demand = closed_answer(call, rule.catalog.phrases, _around(call, file))
        dearest = max(models, key=_price)
        smaller = _small_sibling(dearest, rule)
        if demand is not None and smaller is not None and not _of_a_caller(demand.prompt, call):
            yield _finding(call, demand, dearest, smaller, rule)


def _around(call: LlmCall, file: FileFacts) -> tuple[Prompt, ...]:
    """What is sent through a model that a function makes: the prompts known to be, else those of the function.
    Empty where another model is made there, since either could be meant."""
    scope = call.scope_span
    if call.kind != "model" or scope is None or not isinstance(call.messages.only, Absent):
        return ()
    sent = tuple(prompt for prompt in file.prompts if call.id in prompt.used_by)
    others = (one for one in file.calls if one is not call and one.location.document == call.location.document)
    if sent or any(scope.start <= one.location.span.start < scope.end for one in others):
        return sent
    return tuple(
        prompt
        for prompt in file.prompts
        if prompt.location.document == call.location.document
        and scope.start <= prompt.location.span.start < scope.end
        and prompt.static_text.strip()
    )


def _of_a_caller(prompt: Prompt, call: LlmCall) -> bool:
    """True where the text stands in a function other than the call's own, or may: another caller of the same
    function may ask for something else."""
    place, scope = prompt.location, call.scope_span
    same = place.document == call.location.document
    own = same and (scope is None or scope.start <= place.span.start < scope.end)
    return not own and place.path.endswith((".py", ".ipynb")) and enclosing(place) != ()


def _small_sibling(model: ModelFacts, rule: RuleContext) -> ModelFacts | None:
    """The newest small model of the vendor on the same route and profile that has a price below the model's;
    from tier to tier by the tables."""
    family, seen = model.cheaper, {model.family}
    while family is not None and family not in seen:
        seen.add(family)
        offered = [one for one in rule.catalog.models() if one.family == family and one.route == model.route]
        if not offered:
            return None
        same_profile = [one for one in offered if one.geo == model.geo and one.rates is not None]
        if same_profile and same_profile[0].tier in SMALL:
            return same_profile[0] if _price(same_profile[0]) < _price(model) or model.rates is None else None
        family = offered[0].cheaper if offered[0].tier not in SMALL else None
    return None


def _price(model: ModelFacts) -> float:
    return float(model.rates.input + model.rates.output) if model.rates is not None else 0.0


def _finding(call: LlmCall, demand: AnswerDemand, model: ModelFacts, smaller: ModelFacts, rule: RuleContext) -> Finding:
    impact = Impact()
    if model.rates is not None and smaller.rates is not None:
        impact = input_saving(call, rule, model, model.rates.input - smaller.rates.input)
    return rule.finding(
        f"{model.family}{_rates(model)} is asked for {demand.form}: {quoted(demand.sentence)}; "
        f"{smaller.family}{_rates(smaller)} may do: prove it on your own examples before you switch",
        call.primary,
        call=call,
        evidence=demand.sentence,
        related=(Related(demand.prompt.primary, "the prompt"),),
        confidence="medium" if model.tier in ("premium", "top") else "low",
        impact=impact,
    )


def _rates(model: ModelFacts) -> str:
    rates = model.rates
    if rates is None:
        return ""
    return (
        f" ({dollars(rates.input)} in / {dollars(rates.output)} out per million tokens, "
        f"{rates.source}, {day(rates.as_of)})"
    )
