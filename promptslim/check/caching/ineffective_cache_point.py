"""PS303: a cache marker that caches nothing, or that the service rejects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from promptslim.check.call_models import certain_models
from promptslim.check.later_markers import marked_later
from promptslim.check.request_order import Request, requests
from promptslim.check.stable_prefix import MARKED_VENDORS
from promptslim.check.wording import code
from promptslim.core.call import LlmCall
from promptslim.core.finding import Confidence, Finding, Related
from promptslim.core.lazy_pattern import pattern
from promptslim.core.prompt import CachePoint, Hole, Literal, Part, Prompt
from promptslim.core.record import record, replace
from promptslim.core.values import Absent, Known

if TYPE_CHECKING:
    from promptslim.catalog.model_facts import CacheRules, ModelFacts
    from promptslim.check.rule_context import RuleContext
    from promptslim.core.facts import FileFacts

SMALLEST_CLAUDE_MINIMUM = 512
"""Tokens below which no Claude caches (litellm 1.109.1, prompt_cache_min_tokens)."""

TOOL_FRAME = 600
"""More tokens than the instructions on tool use that Claude is given with any tools (Anthropic documentation, "Tool
use": 313 to 530, by model and tool choice)."""

SCHEMA = pattern(
    r"\boutput_format\b|\boutputConfig\b|\bresponse_format\b|\boutput_config\b(?!\W{1,9}effort\W+\w+\W*\})"
)
"""Arguments that ask for an answer in a schema: what the service adds to the prompt for it is not known here."""

SERVICE_TOOL = pattern(r"\"type\": ?\"\w+_20\d{6}\"")
"""A tool that Anthropic defines: its definition is not in the request."""

MESSAGE_FRAME = 12
"""More tokens than the frame of one message or block costs in any model here."""

NEVER_CACHED = ("claude-3-haiku", "claude-3-sonnet", "claude-3-opus", "claude-2", "claude-instant")
"""Claude families without prompt caching on Bedrock (AWS user guide, prompt caching, supported models)."""

FOREIGN_KEYS = {
    "boto3.converse": ("cache_control", "`cachePoint` is a block of its own in Converse: botocore rejects this key"),
    "anthropic.messages": ("cachePoint", "the Messages API takes `cache_control` inside a block, and rejects this one"),
}
"""Markers of another API, for the calls whose blocks are sent as they are written."""

BATCH = (
    "batch inference of Amazon Bedrock caches nothing (AWS user guide, prompt caching): this marker comes to nothing"
)


@record
class Point:
    """A marker in the order of the request, the prompt that it stands in, and the text before it: ``bounded`` is
    false where that holds a part of unknown length, or may begin with one. ``prompt`` is None for a marker of the
    request as a whole."""

    mark: CachePoint
    prompt: Prompt | None
    before: str
    blocks: int
    bounded: bool


def ineffective_cache_point(file: FileFacts, rule: RuleContext) -> Iterator[Finding]:
    """At most one finding for each marker, and one for markers that come to nothing for lack of length."""
    for call in file.calls:
        yield from _of_request(call, file, rule)
    for request in file.batches:
        if request.sdk.startswith("boto3"):
            yield from _in_batch(request, file, rule)
        else:
            yield from _of_request(request, file, rule)


def _of_request(call: LlmCall, file: FileFacts, rule: RuleContext) -> Iterator[Finding]:
    models = certain_models(call, rule, fallbacks=True)
    seen: set[object] = set()
    for request in requests(call):
        points = _points(call, request)
        for problem in _problems(call, points, models, file, rule):
            place = problem.point.mark.location or call.primary
            if place not in seen:
                seen.add(place)
                yield _finding(call, problem, rule)


def _in_batch(call: LlmCall, file: FileFacts, rule: RuleContext) -> Iterator[Finding]:
    """The first marker of a record of batch inference, unless a call of the file sends it too."""
    marks = [part for _, part in _parts(call) if isinstance(part, CachePoint)]
    sent = {part.location for one in file.calls for _, part in _parts(one) if isinstance(part, CachePoint)}
    if marks and not any(mark.location in sent for mark in marks):
        yield _finding(call, Problem(Point(marks[0], None, "", 0, bounded=False), BATCH, "medium"), rule)


def _parts(call: LlmCall) -> Iterator[tuple[Prompt, Part]]:
    for request in requests(call):
        yield from request.parts()


def _finding(call: LlmCall, problem: Problem, rule: RuleContext) -> Finding:
    place = problem.point.mark.location or call.primary
    return rule.finding(
        problem.told,
        place if place.path == call.location.path else call.primary,
        call=call,
        evidence=f"{call.scope} {call.callee} {problem.point.mark.key}",
        confidence=problem.confidence,
        related=(Related(call.primary, "the call"),),
    )


def _points(call: LlmCall, request: Request) -> list[Point]:
    """The markers of a request that are certainly set, in order; one that a loop sets in every round counts once."""
    bounded = all(isinstance(case.value, (Known, Absent)) for field in (call.tools, call.system) for case in field)
    bounded = bounded and not call.opaque and SCHEMA.search(call.location.text) is None
    text: list[str] = []
    blocks = 0
    found: list[Point] = []
    for prompt in request.prompts:
        bounded = bounded and not (prompt is request.tools and SERVICE_TOOL.search(prompt.static_text))
        for index, part in enumerate(prompt.parts):
            bounded = bounded and (prompt.sure is None or index < prompt.sure)
            match part:
                case Literal(text=literal):
                    text.append(literal)
                    blocks += 1
                case Hole(bound=int(bound)):
                    text.append("x " * bound)  # a token for every character: more than any text has
                case Hole():
                    bounded = False
                case CachePoint(known=True) if part.location not in {point.mark.location for point in found}:
                    found.append(Point(part, prompt, "".join(text), blocks, bounded))
                case CachePoint(known=False):  # where it is set, it caches what stands before it
                    found = [replace(point, bounded=False) for point in found]
                case _:
                    continue
        bounded = bounded and prompt.sure is None
    if call.automatic is not None:
        whole = call.automatic.known and request.visible and call.history is None and call.control.grows is None
        found.append(Point(call.automatic, None, "".join(text), blocks, bounded and whole))
    return found


@record
class Problem:
    """What is wrong with a marker, told to a reader."""

    point: Point
    told: str
    confidence: Confidence | None = None


def _problems(
    call: LlmCall, points: list[Point], models: tuple[ModelFacts, ...], file: FileFacts, rule: RuleContext
) -> Iterator[Problem]:
    if not points:
        return
    foreign, reason = FOREIGN_KEYS.get(call.sdk, ("", ""))
    of_another_api = [point for point in points if point.mark.key == foreign]
    if of_another_api:
        yield from (Problem(one, f"{code(foreign)} is no marker of this API: {reason}") for one in of_another_api)
        return
    if models and all(_cannot_cache(model) for model in models):
        told = f"{models[0].family} has no prompt caching: the marker is rejected or comes to nothing"
        yield Problem(points[0], told, "medium")
        return
    caches = tuple(model.cache for model in models if model.cache is not None and model.vendor in MARKED_VENDORS)
    if len(caches) == len(models) and caches:
        yield from _against_rules(points, caches, models[0].family)
    yield from _order_of_lifetimes(points)
    yield from _too_short(call, points[-1], models, caches, file, rule)


def _cannot_cache(model: ModelFacts) -> bool:
    if model.cache is not None or model.route not in ("bedrock", "bedrock_mantle") or model.kind != "chat":
        return False
    return model.family in NEVER_CACHED or model.vendor not in (*MARKED_VENDORS, "openai", "unknown")


def _against_rules(points: list[Point], caches: tuple[CacheRules, ...], name: str) -> Iterator[Problem]:
    """Number, field and lifetime, by the rules of the model (all models, where branches name several)."""
    most = max((cache.max_points or 0) for cache in caches)
    written = [point for point in points if point.prompt is not None]
    if most and len(written) > most:
        told = f"this is cache point {most + 1} of {len(written)}: {name} takes {most} in one request and rejects more"
        yield Problem(written[most], told)
    for point in points:
        field = point.prompt.role if point.prompt and point.prompt.role in ("tools", "system") else "messages"
        if not any(field in cache.fields for cache in caches):
            takes = " and ".join(caches[0].fields)
            yield Problem(point, f"{name} caches no {field}: this cache point comes to nothing, it belongs in {takes}")
        elif point.mark.ttl and not any(point.mark.ttl in cache.ttl for cache in caches):
            has, source = ", ".join(caches[0].ttl), caches[0].source.partition(";")[0]
            told = f"{name} has no cache lifetime of {code(point.mark.ttl)} here, only {has} ({source})"
            yield Problem(point, told, "medium")


def _order_of_lifetimes(points: list[Point]) -> Iterator[Problem]:
    short = False
    for point in (one for one in points if one.prompt is not None):
        if point.mark.ttl == "1h" and short:
            told = "a cache point of one hour comes after one of five minutes: the longer has to come first"
            yield Problem(point, f"{told}, and the request is rejected")
            return
        short = short or point.mark.ttl in (None, "5m")


def _too_short(
    call: LlmCall,
    last: Point,
    models: tuple[ModelFacts, ...],
    caches: tuple[CacheRules, ...],
    file: FileFacts,
    rule: RuleContext,
) -> Iterator[Problem]:
    """The last marker, which has the most before it: where that is too little, none of them caches anything."""
    if not last.bounded:
        return
    if last.prompt is not None and last.prompt.role in ("tools", "system") and marked_later(call, file):
        return  # a marker on the messages, which are not known here, would cache all before it
    if caches and len(caches) == len(models):
        possible, certain = min(c.min_possible for c in caches), min(c.min_certain for c in caches)
        model, name = models[0], models[0].family
    elif call.sdk == "anthropic.messages" and not call.model.known():
        possible = certain = SMALLEST_CLAUDE_MINIMUM
        model, name = None, "any Claude"
    else:
        return
    count = rule.count(last.before, model)
    most = count.high + last.blocks * MESSAGE_FRAME + (0 if isinstance(call.tools.only, Absent) else TOOL_FRAME)
    basis = "estimated" if count.method == "estimate" else "counted"
    told = f"about {count.n:,} tokens ({basis}) stand before this cache point"
    if last.prompt is None:
        told = f"the whole request has about {count.n:,} tokens ({basis})"
    if most < possible:
        least = f"{possible:,}" if possible == certain else f"{possible:,} at the least"
        yield Problem(
            last, f"{told}, and {name} caches nothing below {least}: they are read at the full price each time"
        )
    elif most < certain and count.low >= possible:
        doubt = f"sources disagree whether {name} caches from {possible:,} or {certain:,} tokens"
        yield Problem(last, f"{told}; {doubt}: probe it with two calls and read the cache counts of the second", "low")
