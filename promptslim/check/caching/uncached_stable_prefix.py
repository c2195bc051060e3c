"""PS301: the same long beginning is sent again and again, to a provider that caches only what is marked."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

from promptslim.check.cache_marker_fixes import added_marker, automatic_caching
from promptslim.check.call_models import writes_text
from promptslim.check.stable_prefix import (
    CacheTerms,
    StablePrefix,
    has_marker,
    stable_prefix,
    terms_with_marker,
)
from promptslim.check.visible_input import PER_MILLION
from promptslim.check.wording import code, day, dollars
from promptslim.core.call import LlmCall
from promptslim.core.finding import Confidence, Finding, Impact, Related
from promptslim.core.record import record
from promptslim.core.values import Absent, Known
from promptslim.pricing.cache_economics import Multipliers, break_even_burst, break_even_hit_rate, multipliers

if TYPE_CHECKING:
    from promptslim.catalog.model_facts import ModelFacts
    from promptslim.check.rule_context import RuleContext
    from promptslim.core.result import TokenCount
    from promptslim.core.text import Location

MARKERS = {
    "boto3.converse": "a `cachePoint` block after {}",
    "boto3.invoke_model": "`cache_control` on the last block of {}",
    "anthropic.messages": "`cache_control` on the last block of {}",
    "litellm.completion": "`cache_control` on the last block of {}",
    "strands.Agent": "a `cachePoint` block after {} (`system_prompt` takes a list of blocks)",
    "pydantic_ai.Agent": "the cache settings of the model (`anthropic_cache_instructions` ...) for {}",
    "langchain.create_agent": "the prompt caching middleware of the model's package for {}",
}
"""What ends the cached part, for the SDKs that send the prompts that they are given."""

CACHED_BY_ITSELF = ("create_deep_agent",)
"""Agents whose constructor adds cache markers."""

ROLES = {"tools": "tools", "system": "system prompt"}

WORTH_SAYING = 200
"""Tokens from which the visible part of an agent's prompt is worth a mention."""


@record
class Repetition:
    """What sends the prefix again: told to a reader, the place that shows it, and how sure that is."""

    told: str
    location: Location | None
    confidence: Confidence | None
    rounds: int | None = None


def uncached_stable_prefix(call: LlmCall, rule: RuleContext) -> Iterator[Finding]:
    """One finding for a call that is repeated with a long stable prefix, or an agent loop that sends its growing
    conversation with every round, where nothing in sight marks anything to be cached."""
    if not _unmarked(call) or not writes_text(call, rule):
        return
    terms = terms_with_marker(call, rule, int(str(rule.options["unknown-model-minimum"])))
    if terms is None:
        return
    prefix = stable_prefix(call, tools=terms.model is None or "tools" in _fields(terms.model))
    found = _known_prefix(call, rule, terms, prefix) or _agent_loop(call, rule, terms, prefix)
    if found is not None:
        yield found


def _unmarked(call: LlmCall) -> bool:
    if call.sdk not in MARKERS or call.opaque or call.callee.endswith(CACHED_BY_ITSELF):
        return False
    return isinstance(call.caching.only, Absent) and not has_marker(call)


def _fields(model: ModelFacts) -> tuple[str, ...]:
    return model.cache.fields if model.cache else ()


def _known_prefix(call: LlmCall, rule: RuleContext, terms: CacheTerms, prefix: StablePrefix) -> Finding | None:
    """The finding where the visible prefix alone is long enough."""
    repetition = _repetition(call)
    if repetition is None or not rule.over(prefix.text, terms.model, terms.possible):
        return None
    price = _multipliers(terms.model)
    if price and repetition.rounds is not None and repetition.rounds < break_even_burst(price.read, price.write_5m):
        return None
    count = rule.count(prefix.text, terms.model)
    certain = rule.over(prefix.text, terms.model, terms.certain)
    told = f"{_tokens(count, terms.possible)} at the start of the request (up to the {_role(prefix)})"
    saving = f"are sent again {repetition.told} at the full input price: {_saving(count, terms.model, price)}"
    doubt = "" if certain else f". {_disagreement(terms)}"
    message = f"{told} {saving}. Add {_marker(call, terms, 'them')}{doubt}"
    related = [Related(one.primary, f"the {ROLES.get(one.role, 'message')}") for one in prefix.prompts]
    if repetition.location is not None:
        related.append(Related(repetition.location, "what repeats it"))
    return rule.finding(
        message,
        call.primary,
        call=call,
        evidence=f"{call.scope} {call.callee}",
        confidence=_confidence(call, repetition, certain),
        related=related,
        impact=_impact(count, terms.model),
        fixes=added_marker(call, rule, terms, prefix),
    )


def _agent_loop(call: LlmCall, rule: RuleContext, terms: CacheTerms, prefix: StablePrefix) -> Finding | None:
    """The finding where each round sends all rounds before it. Silent where tools and system prompt are visible
    and short: then nothing says that the conversation gets long."""
    grows = call.control.grows
    if grows is None or call.kind != "request" or all(isinstance(case.value, Absent) for case in call.tools):
        return None
    if prefix.whole and not rule.over(prefix.text, terms.model, terms.possible):
        return None
    count = rule.count(prefix.text, terms.model)
    seen = f" (visible here: {_tokens(count)})" if count.low >= WORTH_SAYING else ""
    again = f"every round of this agent loop sends tools, system prompt{seen} and the whole conversation again"
    saving = f"from the second round on, what came before could be read at {_read(terms.model)} of the input price"
    marker = f"{_marker(call, terms, 'the system prompt')} and in the newest message"
    return rule.finding(
        f"{again}, and nothing is marked for the cache: {saving}. Add {marker}; sizes are known only at run time, and "
        f"caching starts at {_minimum(terms)}",
        call.primary,
        call=call,
        evidence=f"{call.scope} {call.callee} agent loop",
        confidence="medium",
        related=(Related(grows, "the conversation grows here"),),
        fixes=automatic_caching(call),
    )


def _minimum(terms: CacheTerms) -> str:
    if terms.model is None:
        return "512 to 4,096 tokens, by model"
    if terms.possible < terms.certain:
        return f"{terms.possible:,} or {terms.certain:,} tokens (sources disagree)"
    return f"{terms.certain:,} tokens"


def _marker(call: LlmCall, terms: CacheTerms, of: str) -> str:
    if call.sdk == "boto3.invoke_model" and terms.model is not None and terms.model.vendor == "amazon":
        return f"a `cachePoint` inside the last block of {of}"
    return MARKERS[call.sdk].format(of)


def _repetition(call: LlmCall) -> Repetition | None:
    control = call.control
    if control.rounds is not None:
        loop = control.rounds
        told = f"in every round of `while {loop.over}`" if loop.kind == "while" else f"for each of {code(loop.over)}"
        return Repetition(told, loop.location, None, loop.size)
    if call.kind == "agent" and not all(isinstance(case.value, Absent) for case in call.tools):
        return Repetition("with every turn of the agent and every result of a tool", None, None)
    if control.handler:
        return Repetition(f"with every request that {code(call.scope)} handles", None, "medium")
    if control.service:
        return Repetition(f"whenever {code(call.scope)} runs", None, "medium")
    return None


def _confidence(call: LlmCall, repetition: Repetition, certain: bool) -> Confidence | None:
    if not certain:
        return "low"
    if any(not isinstance(case.value, Known) for case in call.model):
        return "medium"
    return repetition.confidence


def _disagreement(terms: CacheTerms) -> str:
    name = terms.model.family if terms.model else "this model"
    return (
        f"Sources disagree whether {name} caches from {terms.possible:,} or {terms.certain:,} tokens: probe it with "
        "two calls and read the cache counts of the second"
    )


def _role(prefix: StablePrefix) -> str:
    return ROLES.get(prefix.prompts[-1].role, "message")


def _tokens(count: TokenCount, more_than: int = 0) -> str:
    """A count for a reader; ``more_than`` is what the text was counted to exceed, which an estimate may miss."""
    if count.n <= more_than:
        return f"more than {more_than:,} tokens (counted)"
    basis = "estimated" if count.method == "estimate" else "counted"
    return f"{'about ' if basis == 'estimated' else ''}{count.n:,} tokens ({basis})"


def _multipliers(model: ModelFacts | None) -> Multipliers | None:
    return multipliers(model.rates) if model is not None and model.rates is not None else None


def _read(model: ModelFacts | None) -> str:
    price = _multipliers(model)
    return f"{_percent(price.read)} %" if price is not None else "a tenth or less"


def _saving(count: TokenCount, model: ModelFacts | None, price: Multipliers | None) -> str:
    if price is None or model is None or model.rates is None:
        return "cached they cost a tenth or less of it"
    saved = _per_thousand(count, model)
    rate = break_even_hit_rate(price.read, price.write_5m)
    pays = f"; caching pays from {_percent(rate)} % hits" if rate else ""
    return (
        f"cached they cost {_percent(price.read)} % of it, {dollars(saved)} less per 1,000 hits at list price "
        f"({model.rates.source}, {day(model.rates.as_of)}){pays}"
    )


def _per_thousand(count: TokenCount, model: ModelFacts) -> Decimal:
    """Dollars that 1,000 cache hits save on the least number of tokens that the count allows."""
    assert model.rates is not None  # noqa: S101
    assert model.rates.cache_read is not None  # noqa: S101
    saved = (model.rates.input - model.rates.cache_read) * count.low * 1000 / PER_MILLION
    return saved.quantize(Decimal("0.01"))


def _percent(share: Decimal) -> str:
    return f"{(share * 100).quantize(Decimal('0.1')).normalize():f}"


def _impact(count: TokenCount, model: ModelFacts | None) -> Impact | None:
    if model is None or _multipliers(model) is None or model.rates is None:
        return None
    return Impact(
        usd_per_1k_calls=_per_thousand(count, model),
        basis="estimated" if count.method == "estimate" else "counted",
        source=f"{model.rates.source}, {day(model.rates.as_of)}, {model.rates.region}",
    )
