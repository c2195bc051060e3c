"""The beginning of a request that is the same in every repetition, and whether its provider caches it only where it
is told to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from promptslim.check.call_models import certain_models
from promptslim.check.changing_parts import made_before
from promptslim.check.request_order import Request, requests
from promptslim.core.prompt import BlockEnd, CachePoint, Hole, Literal, Prompt
from promptslim.core.record import record
from promptslim.core.values import Absent, Known, Present

if TYPE_CHECKING:
    from promptslim.catalog.model_facts import ModelFacts
    from promptslim.check.rule_context import RuleContext
    from promptslim.core.call import LlmCall

MARKED_VENDORS = ("anthropic", "amazon")
"""Vendors whose models cache only what a marker in the request ends: Claude and Nova (AWS user guide, prompt
caching: Nova caches by itself for latency only, the saving needs explicit points)."""


@record
class StablePrefix:
    """The literal text of a request before its first changing part. ``prompts`` are those that it covers, in
    order; ``whole`` is true where nothing of tools and system prompt is left out of it or unseen."""

    text: str
    prompts: tuple[Prompt, ...]
    whole: bool


def stable_prefix(call: LlmCall, *, tools: bool = True) -> StablePrefix:
    """The longest one over the branches of a call. ``tools``: whether tool definitions count (Nova caches none)."""
    return max((_prefix(call, request, tools) for request in requests(call)), key=lambda prefix: len(prefix.text))


def _prefix(call: LlmCall, request: Request, tools: bool) -> StablePrefix:
    """Tools that cannot be seen are taken for stable, since requests repeat them; an unseen system prompt is not."""
    hidden_system = any(not isinstance(case.value, (Known, Absent)) for case in call.system)
    hidden_tools = any(not isinstance(case.value, (Known, Absent)) for case in call.tools)
    pieces: list[str] = []
    covered: list[Prompt] = []
    whole = not hidden_system and not hidden_tools
    for prompt in request.prompts:
        if prompt.role == "tools" and not tools:
            continue
        if hidden_system and prompt.role != "tools":
            break
        text, stable = _stable_text(call, prompt)
        if text:
            pieces.append(text)
            covered.append(prompt)
        if not stable:
            whole = whole and prompt in request.messages and prompt is not request.system
            break
    return StablePrefix("\n".join(pieces), tuple(covered), whole)


def _stable_text(call: LlmCall, prompt: Prompt) -> tuple[str, bool]:
    """The literals before the first changing part, and whether there is none."""
    built_once = call.kind == "agent"  # the constructor is given the finished text, and sends it with every turn
    pieces: list[str] = []
    for part in prompt.parts:
        match part:
            case Literal(text=text, maybe=False):
                pieces.append(text)
            case Literal():
                if not built_once:
                    return "".join(pieces), False
            case Hole() if not (built_once or _made_before(call, part)):
                return "".join(pieces), False
            case _:
                continue
    return "".join(pieces), True


def complete_blocks(call: LlmCall, prompt: Prompt) -> int:
    """How many content blocks of a prompt, from its beginning on, are the same in every repetition."""
    blocks = 0
    for part in prompt.parts:
        match part:
            case BlockEnd():
                blocks += 1
            case Literal(maybe=True) if call.kind != "agent":
                return blocks
            case Hole() if not (call.kind == "agent" or _made_before(call, part)):
                return blocks
            case CachePoint():
                return 0
    return blocks if prompt.parts and isinstance(prompt.parts[-1], BlockEnd) else blocks + 1


def _made_before(call: LlmCall, hole: Hole) -> bool:
    """True where a value is made before the loop around the call, so that every round sends the same one."""
    loop, made = call.control.rounds, hole.source or hole.location
    if loop is None or made is None or hole.origin in ("loop", "history", "unknown"):
        return False
    return made_before(made, loop.location)


@record
class CacheTerms:
    """From how many tokens on a prefix is cached: below ``possible`` never, from ``certain`` on by all sources.
    ``model`` is None where only the vendor is known."""

    possible: int
    certain: int
    model: ModelFacts | None


def terms_with_marker(call: LlmCall, rule: RuleContext, largest_minimum: int) -> CacheTerms | None:
    """The terms of a call whose provider caches only with a marker; None for every other one.

    ``largest_minimum`` stands in where the model is not known but is certainly a Claude.
    """
    models = certain_models(call, rule, fallbacks=True)
    if models:
        caches = [model.cache for model in models if model.vendor in MARKED_VENDORS and model.cache is not None]
        if len(caches) < len(models):
            return None
        largest = max(range(len(caches)), key=lambda index: caches[index].min_certain)
        return CacheTerms(max(cache.min_possible for cache in caches), caches[largest].min_certain, models[largest])
    if call.sdk != "anthropic.messages" or any(isinstance(case.value, Known) for case in call.model):
        return None
    if not _at_anthropic(call):
        return None
    return CacheTerms(largest_minimum, largest_minimum, None)


def _at_anthropic(call: LlmCall) -> bool:
    """False where the client talks, or may talk, to an endpoint of somebody else that speaks the same protocol."""
    for case in call.client.base_url:
        match case.value:
            case Known(value=url) if "anthropic.com" in url:
                continue
            case Known() | Present():
                return False
            case _:
                continue
    return True


def has_marker(call: LlmCall) -> bool:
    """True where a visible prompt of the call holds a cache marker, on whatever path."""
    return any(isinstance(part, CachePoint) for request in requests(call) for _, part in request.parts()) or any(
        call.cache_points.known()
    )
