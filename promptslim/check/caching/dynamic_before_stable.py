"""PS302: a part that changes from call to call stands before a large part that stays the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from promptslim.check.call_models import certain_model
from promptslim.check.changing_parts import Change, change, made_before, name_of, varies_in_loop
from promptslim.check.enclosing_code import enclosing
from promptslim.check.reorder_fixes import moved_last
from promptslim.check.request_order import requests
from promptslim.check.visible_input import PER_MILLION
from promptslim.check.wording import code
from promptslim.core.finding import Finding, Impact, Related
from promptslim.core.prompt import CachePoint, Hole, Literal, Part, Prompt
from promptslim.core.record import record

if TYPE_CHECKING:
    from promptslim.catalog.model_facts import ModelFacts
    from promptslim.check.rule_context import RuleContext
    from promptslim.core.call import LlmCall
    from promptslim.core.levels import Basis
    from promptslim.core.result import TokenCount
    from promptslim.core.text import Location

LABEL = 120
"""Characters: shorter text between two changing values is a label of the next one and cannot be moved alone."""

PROVIDER_MINIMUM = 1_024
"""Tokens: the least that any provider caches in general (facts of rules/models; some models need 4,096)."""

PER_THOUSAND_CALLS = 1_000


@record
class Found:
    """A changing hole, its reason, and the fixed text behind it."""

    hole: Hole
    reason: Change
    behind: str


def dynamic_before_stable(prompt: Prompt, rule: RuleContext) -> Iterator[Finding]:
    """One finding for each way in which a prompt is put together, at the first changing value with enough fixed
    text behind it; a value that changes once a day is named only where no other does."""
    if prompt.role in ("assistant", "tool", "tools") or _about_templates(prompt):
        return
    said: set[Location] = set()
    for version, calls in _versions(prompt, rule.users(prompt)):
        found = _inside(version, calls, rule) or _across(version, calls, rule)
        if found is not None:
            finding = _finding(version, found, calls, rule)
            if finding.primary not in said:
                said.add(finding.primary)
                yield finding
        elif again := next((pair for call in calls if (pair := _resent_document(version, call))), None):
            yield _document_finding(version, *again, calls[0], rule)


def _about_templates(prompt: Prompt) -> bool:
    """True for a prompt file that nothing fills, with expressions in its braces that no template of prompts has:
    code of another language that the text quotes."""
    return prompt.shape == "mustache" and not prompt.used_by and any(hole.name is None for hole in prompt.holes)


def _versions(prompt: Prompt, users: tuple[LlmCall, ...]) -> Iterator[tuple[Prompt, tuple[LlmCall, ...]]]:
    """The prompt as its calls send it, each version with its calls; as it is defined where no call is seen, or
    where it is sent through a model object. Requests that a script sends once are left out: what is in them does
    not change."""
    repeated = tuple(call for call in users if not _sent_once(call))
    if users and not repeated:
        return
    versions: list[tuple[Prompt, list[LlmCall]]] = []
    for call in repeated:
        for request in requests(call):
            for sent in request.prompts:
                if sent.location != prompt.location:
                    continue
                known = next((calls for version, calls in versions if version.parts == sent.parts), None)
                if known is None:
                    versions.append((sent, [call]))
                elif call not in known:
                    known.append(call)
    if not versions:
        yield prompt, repeated
    for version, calls in versions:
        yield version, tuple(calls)


def _sent_once(call: LlmCall) -> bool:
    """A request at the top level of a module, outside loops: what is in it does not change."""
    return call.kind == "request" and call.scope_span is None and call.control.loop is None


def _inside(prompt: Prompt, calls: tuple[LlmCall, ...], rule: RuleContext) -> Found | None:
    least = int(str(rule.options["fixed-tokens"]))
    model = _model(calls, rule)
    best: Found | None = None
    changes = _changes(prompt.parts, calls, rule)
    for index, part in enumerate(prompt.parts):
        if isinstance(part, CachePoint):
            break
        reason = changes[index]
        if not isinstance(part, Hole) or reason is None or (best is not None and reason.confidence == "low"):
            continue
        behind = _fixed_text(prompt.parts[index + 1 :], changes[index + 1 :])
        if len(behind) <= least or not rule.over(behind, model, least):
            break  # behind any later hole stands less
        best = Found(part, reason, behind)
        if reason.confidence != "low":
            break
    return best


def _across(prompt: Prompt, calls: tuple[LlmCall, ...], rule: RuleContext) -> Found | None:
    """Fixed text in later prompts of the same request: worth a word only where it could be cached by itself."""
    if not prompt.static_text.strip():
        return None
    for index, part in enumerate(prompt.parts):
        reason = change(part, calls, rule.catalog.phrases) if isinstance(part, Hole) else None
        if isinstance(part, CachePoint):
            return None
        if not isinstance(part, Hole) or reason is None or reason.confidence == "low":
            continue
        texts = [
            _fixed_text(rest := (*prompt.parts[index + 1 :], *later), _changes(rest, calls, rule))
            for call in calls
            for later in _later_parts(prompt, call)
        ]
        behind = min(texts, key=len, default="")
        if len(behind) > PROVIDER_MINIMUM and rule.over(behind, _model(calls, rule), PROVIDER_MINIMUM):
            return Found(part, reason, behind)
        return None
    return None


def _later_parts(prompt: Prompt, call: LlmCall) -> Iterator[tuple[Part, ...]]:
    """What follows a prompt, for each request of a call that contains it; a conversation ends it, since what
    stands behind that is new in every turn."""
    for request in requests(call):
        order = [one.location for one in request.prompts]
        if prompt.location not in order:
            continue
        later: list[Part] = []
        for other in request.prompts[order.index(prompt.location) + 1 :]:
            if not other.static_text.strip():
                break
            later += other.parts
        yield tuple(later)


def _changes(parts: tuple[Part, ...], calls: tuple[LlmCall, ...], rule: RuleContext) -> list[Change | None]:
    """How each part differs from call to call."""
    return [change(part, calls, rule.catalog.phrases) if isinstance(part, Hole) else None for part in parts]


def _fixed_text(parts: tuple[Part, ...], changes: list[Change | None]) -> str:
    """The text that is sent with every request, without the labels between changing values."""
    blocks: list[list[str]] = [[]]
    for part, reason in zip(parts, changes, strict=True):
        if isinstance(part, Literal) and not part.maybe:
            blocks[-1].append(part.text)
        elif reason is not None:
            blocks.append([])
    texts = ("".join(block) for block in blocks)
    return "\n".join(text for text in texts if len(text.strip()) >= LABEL)


def _finding(prompt: Prompt, found: Found, calls: tuple[LlmCall, ...], rule: RuleContext) -> Finding:
    hole, reason = found.hole, found.reason
    model = _model(calls, rule)
    behind = rule.count(found.behind, model)
    whole = rule.count(prompt.static_text, model)
    cacheable = max(whole.low, behind.low) >= PROVIDER_MINIMUM
    advice = (
        "put it last, so that the text can be read from a cache"
        if cacheable
        else f"put it last; providers cache from {PROVIDER_MINIMUM:,} tokens on, tools and other text included"
    )
    return rule.finding(
        f"{_subject(prompt, hole, reason)} and stands before {_tokens(behind)} of text that stays the same: {advice}",
        _place(prompt, hole, calls),
        call=calls[0] if calls else None,
        prompt=prompt,
        evidence=f"{prompt.id} {name_of(hole) or hole.expression}",
        severity=None if cacheable else "info",
        confidence=reason.confidence if cacheable or reason.confidence == "low" else "medium",
        related=_related(prompt, hole),
        impact=_impact(behind, whole, calls, rule),
        fixes=moved_last(prompt, hole, calls[0], LABEL) if len(calls) == 1 else (),
    )


def _document_finding(prompt: Prompt, hole: Hole, document: Hole, call: LlmCall, rule: RuleContext) -> Finding:
    return rule.finding(
        f"{_shown(hole)} (the item of the loop) stands before the document {_shown(document)}, which is the same in "
        "every round: put it last, so that the document can be read from a cache",
        _place(prompt, hole, (call,)),
        call=call,
        evidence=f"{prompt.id} {name_of(hole) or hole.expression} before document",
        confidence="medium",
        related=(*_related(prompt, hole), *_related(prompt, document, "the document is read here")),
    )


def _resent_document(prompt: Prompt, call: LlmCall) -> tuple[Hole, Hole] | None:
    """The item of the loop around a call, and a whole document that is read before that loop and sent behind it."""
    loop = call.control.loop
    first: Hole | None = None
    for part in prompt.parts:
        match part:
            case CachePoint():
                return None
            case Hole(origin="document", source=source) if first is not None and source is not None:
                if loop is not None and part.bound is None and made_before(source, loop.location):
                    return first, part
            case Hole() if first is None and varies_in_loop(part, (call,)):
                first = part
    return None


def _model(calls: tuple[LlmCall, ...], rule: RuleContext) -> ModelFacts | None:
    """The one model of all calls, None where they differ or it is not known."""
    models = {certain_model(call, rule) for call in calls}
    return models.pop() if len(models) == 1 else None


def _shown(hole: Hole) -> str:
    return code(hole.name or hole.expression)


def _subject(prompt: Prompt, hole: Hole, reason: Change) -> str:
    """``the time (`now`, made by `datetime.now()` in line 12) changes with every call``."""
    pace = reason.pace or "with every call"
    if reason.named:
        return f"{_shown(hole)} changes {pace}"
    made = ""
    at = hole.source
    if at is not None and hole.origin in ("clock", "random", "identifier", "retrieval"):
        where = f"line {at.start[0]}" if at.path == prompt.location.path else f"line {at.start[0]} of {at.path}"
        same = " ".join(at.text.split()) == " ".join(hole.expression.split())
        made = f" in {where}" if same else f", made by {code(at.text)} in {where}"
    return f"{reason.what} ({_shown(hole)}{made}) changes {pace}"


def _place(prompt: Prompt, hole: Hole, calls: tuple[LlmCall, ...]) -> Location:
    """The hole itself where the prompt is put together: in a template, in the function that holds its text, or in
    that of a call. The prompt's first line where the text with the hole comes from a helper."""
    at = hole.location
    if at is None or not at.path.endswith((".py", ".ipynb")):
        return at or prompt.primary
    homes = [place for place in (prompt.location, *(call.location for call in calls)) if place.document == at.document]
    function = (enclosing(at) or ())[:1]
    return at if any((enclosing(home) or ())[:1] == function for home in homes) else prompt.primary


def _related(prompt: Prompt, hole: Hole, note: str = "the value is made here") -> tuple[Related, ...]:
    whole = Related(prompt.location, "the prompt")
    return (whole, Related(hole.source, note)) if hole.source is not None else (whole,)


def _tokens(count: TokenCount) -> str:
    return f"about {count.n:,} tokens (estimated)" if count.method == "estimate" else f"{count.n:,} tokens"


def _impact(behind: TokenCount, whole: TokenCount, calls: tuple[LlmCall, ...], rule: RuleContext) -> Impact:
    """The tokens behind; dollars where the model is known and the prompt's fixed text alone can be cached: the
    price of those tokens as fresh input less that of reading them."""
    model = _model(calls, rule)
    basis: Basis = "estimated" if behind.method == "estimate" else "counted"
    if model is None or model.rates is None or model.rates.cache_read is None or model.cache is None:
        return Impact(input_tokens_per_call=behind.n, basis=basis)
    if whole.low < model.cache.min_certain:
        return Impact(input_tokens_per_call=behind.n, basis=basis)
    saved = (model.rates.input - model.rates.cache_read) * behind.low * PER_THOUSAND_CALLS / PER_MILLION
    source = f"{model.rates.source}, {model.rates.as_of.isoformat()}, {model.rates.region}"
    return Impact(input_tokens_per_call=behind.n, usd_per_1k_calls=saved, basis=basis, source=source)
