"""PS304: the cached beginning of a request is put together in another order, or with other content, each time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from promptslim.check.call_models import certain_model, writes_text
from promptslim.check.enclosing_code import enclosing
from promptslim.check.request_order import Request, requests
from promptslim.check.stable_prefix import MARKED_VENDORS
from promptslim.core.call import LlmCall
from promptslim.core.finding import Confidence, Finding, Related
from promptslim.core.prompt import CachePoint, Hole, Literal
from promptslim.core.record import record

if TYPE_CHECKING:
    from promptslim.check.rule_context import RuleContext
    from promptslim.core.text import Location

FIELDS = {"tools": "tools", "system": "system prompt"}
EACH_TIME = {"clock": "the time", "random": "a random value", "identifier": "a new identifier"}
"""Origins of values that are new in every request; in a prompt they are what dynamic-before-stable is about."""


@record
class Unstable:
    """What differs each time, told to a reader, where it stands, and how sure it is. ``remedy`` says what helps."""

    told: str
    location: Location
    remedy: str
    confidence: Confidence | None = None


def unstable_prefix(call: LlmCall, rule: RuleContext) -> Iterator[Finding]:
    """One finding for each unstable part of what is cached: before a marker, or at the start of a long request to a
    provider that caches by itself."""
    if not writes_text(call, rule):
        return
    said: set[tuple[str, int]] = set()
    for request in requests(call):
        reason = _cached(call, request, rule)
        if reason is None:
            continue
        for one in _unstable(call, request, reason.marked):
            place = one.location if one.location.path == call.location.path else call.primary
            if (place.path, place.start[0]) in said:
                continue
            said.add((place.path, place.start[0]))
            yield rule.finding(
                f"{one.told}, so {reason.told}: {one.remedy}",
                place,
                call=call,
                evidence=f"{call.scope} {call.callee} {one.told}",
                confidence=one.confidence,
                related=(Related(call.primary, "the call"),),
            )


@record
class Cached:
    """Why the beginning of a request is cached, told as what a change of it means."""

    told: str
    marked: bool


def _cached(call: LlmCall, request: Request, rule: RuleContext) -> Cached | None:
    """None where nothing is cached: no marker, and no provider that caches a repeated request of this length."""
    if any(isinstance(part, CachePoint) for _, part in request.parts()):
        return Cached("what the cache point marks is written anew instead of read from the cache", True)
    model = certain_model(call, rule)
    if model is None or model.cache is None or model.vendor in MARKED_VENDORS:
        return None
    control = call.control
    repeated = control.rounds is not None or control.handler or control.service
    fixed = [prompt.static_text for prompt in (request.tools, request.system) if prompt is not None]
    if not repeated or not rule.over("\n".join(fixed), model, model.cache.min_certain):
        return None
    return Cached(f"{model.family}, which caches long beginnings by itself, reads the rest at the full price", False)


def _unstable(call: LlmCall, request: Request, marked: bool) -> Iterator[Unstable]:
    ends = _end_of_cached(request, marked)
    for index, (prompt, part) in enumerate(request.parts()):
        if index >= ends:
            break
        if not isinstance(part, Hole):
            continue
        for kind in ("random order", "set order"):
            transform = part.transform(kind)
            place = transform.location if transform is not None else None
            place = place or part.source or part.location
            if transform is not None and place is not None and not (kind == "random order" and _shared(place, call)):
                yield _of_order(kind, place, FIELDS.get(prompt.role, "prompt"))
        place = part.location or part.source
        if prompt.role == "tools" and part.origin in EACH_TIME and place is not None and not _once(part):
            told = f"{EACH_TIME[part.origin]} stands in the tools, which come first in the request"
            yield Unstable(told, place, "keep it out of them, or give it in the newest message")
    for disorder in call.disorder:
        if disorder.kind == "random order" and _shared(disorder.location, call):
            continue
        if disorder.role == "tools" or _holds_system(request, ends):
            field = FIELDS[disorder.role]
            yield (
                _of_order(disorder.kind, disorder.location, field)
                if disorder.kind != "changed"
                else Unstable(
                    f"the {field} are changed in the loop that sends them",
                    disorder.location,
                    "send the same list in every round",
                    "medium",
                )
            )


def _end_of_cached(request: Request, marked: bool) -> int:
    """Number of parts up to the last marker; without one, up to the last literal of tools and system prompt."""
    last = 0
    for index, (prompt, part) in enumerate(request.parts()):
        if isinstance(part, CachePoint) if marked else isinstance(part, Literal) and prompt.role in FIELDS:
            last = index + 1
    return last


def _holds_system(request: Request, ends: int) -> bool:
    """True where what is cached reaches into the system prompt."""
    return any(prompt.role == "system" for prompt, _ in list(request.parts())[:ends])


def _once(hole: Hole) -> bool:
    """True for a value that is made when its module is loaded."""
    place = hole.source or hole.location
    return place is not None and enclosing(place) == ()


def _shared(drawn: Location, call: LlmCall) -> bool:
    """True where a random order is drawn before the loop that sends it, in a block around that loop: the rounds send
    the same bytes."""
    rounds = call.control.rounds
    if rounds is None or rounds.kind == "comprehension" or rounds.location.document != drawn.document:
        return False
    before, around = enclosing(drawn) or (), enclosing(rounds.location) or ()
    return 0 < len(before) < len(around) and around[: len(before)] == before


def _of_order(kind: str, place: Location, field: str) -> Unstable:
    if kind == "random order":
        told = f"the order of what stands in the {field} is random"
        return Unstable(told, place, "draw it once, or seed it by what stays the same", _confidence(place))
    told = f"the order of a set in the {field} differs from process to process"
    return Unstable(told, place, "sort it", "medium")


def _confidence(place: Location) -> Confidence | None:
    return "low" if enclosing(place) == () else None
