"""PS304: the cached beginning of a request is put together in another order, or with other content, each time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from promptslim.check.caching.dynamic_before_stable import LABEL
from promptslim.check.call_models import certain_model, writes_text
from promptslim.check.changing_parts import change
from promptslim.check.enclosing_code import enclosing
from promptslim.check.request_order import Request, requests
from promptslim.check.stable_prefix import MARKED_VENDORS
from promptslim.core.call import LlmCall
from promptslim.core.finding import Confidence, Finding, Related
from promptslim.core.prompt import CachePoint, Hole, Literal, Prompt, Transform
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
        cached = _cached(call, request, rule)
        if cached is None:
            continue
        for one in _unstable(call, request, cached, rule):
            place = one.location if one.location.path == call.location.path else call.primary
            if (place.path, place.start[0]) in said:
                continue
            said.add((place.path, place.start[0]))
            yield rule.finding(
                f"{one.told}, so {cached.told}: {one.remedy}",
                place,
                call=call,
                evidence=f"{call.scope} {call.callee} {one.told}",
                confidence=one.confidence,
                related=(Related(call.primary, "the call"),),
            )


@record
class Cached:
    """How the beginning of a request is cached: ``told`` is what a change of it means, ``ends`` the number of its
    parts up to where it is cached."""

    told: str
    ends: int


def _cached(call: LlmCall, request: Request, rule: RuleContext) -> Cached | None:
    """None where nothing is cached: no marker, and no provider that caches a repeated request of this length."""
    marks = [index + 1 for index, (_, part) in enumerate(request.parts()) if isinstance(part, CachePoint)]
    if marks:
        return Cached("what the cache point marks is written anew instead of read from the cache", marks[-1])
    model = certain_model(call, rule)
    if model is None or model.cache is None or model.vendor in MARKED_VENDORS:
        return None
    control = call.control
    if control.rounds is None and not control.handler and not control.service:
        return None
    ends, text = _beginning(call, request, rule)
    if not rule.over(text, model, model.cache.min_certain):
        return None
    return Cached(f"{model.family}, which caches long beginnings by itself, reads the rest at the full price", ends)


def _beginning(call: LlmCall, request: Request, rule: RuleContext) -> tuple[int, str]:
    """The number of parts up to the last fixed text, labels left out, before the first part that has to differ from
    call to call, and the fixed text in them."""
    ends = run = 0
    texts: list[str] = []
    for index, (prompt, part) in enumerate(request.parts()):
        match part:
            case Literal(text=text, maybe=False):
                run += len(text)
                ends = index + 1 if run >= LABEL else ends
                texts.append(text)
            case Hole():
                run = 0
                avoidable = _order(part, call, rule) is not None or _new_in_tools(prompt, part)
                if not avoidable and (part.origin == "loop" or change(part, (call,), rule.catalog.phrases) is not None):
                    break
            case _:
                continue
    return ends, "".join(texts)


def _unstable(call: LlmCall, request: Request, cached: Cached, rule: RuleContext) -> Iterator[Unstable]:
    for prompt, part in islice(request.parts(), cached.ends):
        if not isinstance(part, Hole):
            continue
        order = _order(part, call, rule)
        place = (order.location if order is not None else None) or part.source or part.location
        if order is not None and place is not None:
            yield from _of_order(order.kind, place, prompt.role, call)
        place = part.location or part.source
        if _new_in_tools(prompt, part) and place is not None:
            told = f"{EACH_TIME[part.origin]} stands in the tools, which come first in the request"
            yield Unstable(told, place, "keep it out of them, or give it in the newest message")
    for disorder in call.disorder:
        if disorder.kind == "changed":
            told = "the tools are changed in the loop that sends them"
            yield Unstable(told, disorder.location, "send the same list in every round", "medium")
        else:
            yield from _of_order(disorder.kind, disorder.location, "tools", call)


def _new_in_tools(prompt: Prompt, hole: Hole) -> bool:
    return prompt.role == "tools" and hole.origin in EACH_TIME and not _once(hole)


def _order(hole: Hole, call: LlmCall, rule: RuleContext) -> Transform | None:
    """What changes the order of what fills a hole. None where that has to differ from call to call in any order: what
    was retrieved, or one item for each round."""
    changes = change(hole, (call,), rule.catalog.phrases)
    if changes is not None and not changes.named:
        return None
    loops = [loop.over for loop in (call.control.loop, call.control.rounds) if loop is not None]
    for index, transform in enumerate(hole.transforms):
        if transform.kind in ("random order", "set order"):
            later = hole.transforms[index + 1 :]
            items = [one.location.text for one in later if one.kind == "item" and one.location is not None]
            return None if any(item in loops for item in items) else transform
    return None


def _of_order(kind: str, place: Location, role: str, call: LlmCall) -> Iterator[Unstable]:
    field = FIELDS.get(role, "prompt")
    if kind == "random order":
        if not _shared(place, call):
            told = f"the order of what stands in the {field} is random"
            yield Unstable(told, place, "draw it once, or seed it by what stays the same", _confidence(place))
    elif (confidence := _between_processes(call)) is not None:
        told = f"the order of a set in the {field} differs from process to process"
        yield Unstable(told, place, "sort it", confidence)


def _between_processes(call: LlmCall) -> Confidence | None:
    """How likely several processes send the same request within the time that a cache lives; None for the loop of a
    script over its items, all of whose rounds have the set in the same order."""
    control = call.control
    if control.handler or control.rounds is None:
        return "medium"
    if control.interactive or (control.rounds.kind != "while" and control.grows is None):
        return None
    return "medium" if control.service else "low"


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


def _confidence(place: Location) -> Confidence | None:
    return "low" if enclosing(place) == () else None
