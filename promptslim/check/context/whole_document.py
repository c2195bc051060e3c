"""PS401: a document of unknown size goes into a prompt whole, or a long one is pasted into it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from promptslim.check.call_models import certain_models
from promptslim.check.measured_values import is_measured
from promptslim.check.request_order import Request, requests
from promptslim.check.unseen_calls import sent_unseen
from promptslim.check.wording import code
from promptslim.core.call import LlmCall
from promptslim.core.finding import Confidence, Finding, Impact, Related, Severity
from promptslim.core.prompt import CachePoint, Hole, Literal, Prompt
from promptslim.core.text import Location, Span

if TYPE_CHECKING:
    from promptslim.check.rule_context import RuleContext
    from promptslim.core.call import Loop
    from promptslim.core.facts import FileFacts

TAKEN_APART = frozenset({"slice", "base64", "html", "data frame"})
"""Transformations after which a value is no whole document: cut, or the business of raw-markup."""
LINES_AROUND = 3
"""Lines up to the one that reads a file in which its path usually stands (``with open(path) as file``)."""
CHARACTERS_PER_TOKEN = 2
"""Fewer characters than this per token no long text has: shorter literals are not counted."""


def whole_document(file: FileFacts, rule: RuleContext) -> Iterator[Finding]:
    """One finding for each document that reaches the messages of a call without a bound, and for each long
    document that is pasted into the source as part of a message. Prompts whose call is not seen count as well."""
    told: set[Location | None] = set()
    for call in file.calls:
        if call.kind == "request":
            yield from _of_call(call, rule)
            told |= {hole.source for request in requests(call) for one in request.prompts for hole in one.holes}
    for prompt in sent_unseen(file):
        if prompt.role != "system":
            alone = Request(None, None, (prompt,), visible=False)
            for hole in prompt.holes:
                found = None if hole.source in told else _read(None, alone, prompt, hole, rule)
                if found is not None:
                    told.add(hole.source)
                    yield found


def _of_call(call: LlmCall, rule: RuleContext) -> Iterator[Finding]:
    seen: set[object] = set()
    for request in requests(call):
        for prompt, part in request.parts():
            if prompt is request.tools or part in seen:
                continue
            match part:
                case Hole():
                    found = _read(call, request, prompt, part, rule)
                case Literal() if prompt is not request.system and prompt.role in ("user", "unknown"):
                    found = _pasted(call, part, rule)
                case _:
                    continue
            if found is not None:
                seen.add(part)
                yield found


def _read(call: LlmCall | None, request: Request, prompt: Prompt, hole: Hole, rule: RuleContext) -> Finding | None:
    table = rule.catalog.phrases["whole_document"]
    if not _is_whole(hole) or not _beside_text(request, prompt) or _holds_instructions(hole, table):
        return None
    if is_measured(hole) or _is_cached(request, hole):
        return None
    text = "\n".join(one.static_text for one in request.prompts)
    what = _what(hole, call.location.path if call is not None else prompt.location.path)
    confidence: Confidence | None = None
    severity: Severity | None = None
    loop = _again_in_loop(call, hole) if call is not None else None
    if loop is not None:
        advice = (
            f"{what} goes into the prompt whole, and again in every round of the loop `{loop.over[:50]}`."
            " Send the part that a round needs, or put the document first with a cache marker behind it"
        )
    elif not _asks(request, table) and re.search(table["needs_it"], text, re.IGNORECASE):
        confidence, severity = "low", "info"
        advice = (
            f"{what} goes into the prompt whole. If the task needs all of it, set a limit to its size, since one long"
            " file makes a dear call"
        )
    else:
        advice = (
            f"{what} goes into the prompt whole, whatever its size. Send the passages that the question needs"
            " (retrieval, a section, a slice), or set a limit to its size"
        )
    return rule.finding(
        advice,
        _primary(call, prompt, hole),
        evidence=f"{call.scope}:{call.callee}:{hole.expression}" if call else f"{prompt.scope}:{hole.expression}",
        call=call,
        prompt=prompt,
        confidence=confidence,
        severity=severity,
        related=_places(call, prompt, hole),
    )


def _primary(call: LlmCall | None, prompt: Prompt, hole: Hole) -> Location:
    """The call, or the hole where the prompt is built in another function than the one that sends it."""
    at = hole.location
    if call is None:
        return at or prompt.primary
    if at is None or at.document != call.location.document or call.scope_span is None:
        return call.primary if at is None or at.document == call.location.document else at
    return call.primary if call.scope_span.start <= at.span.start < call.scope_span.end else at


def _is_whole(hole: Hole) -> bool:
    if hole.origin != "document" or hole.bound is not None:
        return False
    kinds = [one.kind for one in hole.transforms]
    if TAKEN_APART & set(kinds):
        return False
    # One page or chunk is a bounded piece, all of them joined again are the document.
    return "item" not in kinds or "join" in kinds[kinds.index("item") :]


def _beside_text(request: Request, prompt: Prompt) -> bool:
    """False where the file alone is the prompt: then its text is the instruction, not a document."""
    if prompt.static_text.strip():
        return True
    return prompt is not request.system and any(
        one.static_text.strip() for one in request.prompts if one is not prompt and one is not request.tools
    )


def _holds_instructions(hole: Hole, table: dict[str, Any]) -> bool:
    """True where what is read is named as a part of the prompt: a template, rules, examples, a schema."""
    names = [hole.expression, hole.name or ""]
    if hole.source is not None:
        document = hole.source.document
        line, _ = hole.source.start
        before = [document.line(number) for number in range(max(1, line - LINES_AROUND), line)]
        names += [document.line(line), *(text for text in before if "open(" in text)]
    return re.search(table["instructions"], "\n".join(names), re.IGNORECASE) is not None


def _is_cached(request: Request, hole: Hole) -> bool:
    """True where a cache marker follows the document: it is repeated on purpose, and cheap."""
    parts = [part for _, part in request.parts()]
    return any(isinstance(part, CachePoint) for part in parts[parts.index(hole) :])


def _asks(request: Request, table: dict[str, Any]) -> bool:
    """True where a question of a user is answered from the document."""
    for prompt in request.prompts:
        for hole in prompt.holes:
            if hole.origin != "document" and re.search(table["question"], hole.name or hole.expression, re.IGNORECASE):
                return True
    return False


def _again_in_loop(call: LlmCall, hole: Hole) -> Loop | None:
    """The loop in which the call stands, where the document is read before it."""
    loop = call.control.loop
    if loop is None or loop.attempts or hole.source is None or loop.location.document != hole.source.document:
        return None
    within = call.scope_span is None or (
        call.scope_span.start <= loop.location.span.start < call.scope_span.end
        and call.scope_span.start <= hole.source.span.start
    )
    before = hole.source.span.start < loop.location.span.start < call.location.span.start
    return loop if within and before else None


def _what(hole: Hole, path: str) -> str:
    source = hole.source
    if source is None:
        return code(hole.expression)
    line, _ = source.start
    where = f"line {line}" if source.path == path else f"{source.path}:{line}"
    read = source.document.text[source.span.start : source.span.end]
    return f"{code(read if len(read) < 200 else hole.expression)} ({where})"


def _places(call: LlmCall | None, prompt: Prompt, hole: Hole) -> Iterator[Related]:
    if hole.source is not None:
        yield Related(hole.source, "read here")
    if hole.location is not None:
        yield Related(call.primary, "sent here") if call is not None else Related(prompt.primary, "the prompt")


def _pasted(call: LlmCall, part: Literal, rule: RuleContext) -> Finding | None:
    """A long document between tags in the source itself."""
    limit = int(str(rule.options["pasted-tokens"]))
    if part.location is None or len(part.text) < limit * CHARACTERS_PER_TOKEN:
        return None
    pattern = rule.catalog.phrases["whole_document"]["pasted"]
    pasted = [found["text"] for found in re.finditer(pattern, part.text, re.IGNORECASE | re.DOTALL)]
    longest = max(pasted, key=len, default="")
    model = next(iter(certain_models(call, rule, fallbacks=True)), None)
    if len(longest) < limit * CHARACTERS_PER_TOKEN or not rule.over(longest, model, limit):
        return None
    count = rule.count(longest, model)
    return rule.finding(
        f"A document of about {count.n:,} tokens is pasted into the prompt and sent whole. Send the passages that the"
        " question needs, or put it first with a cache marker behind it",
        _first_line(part.location),
        evidence=" ".join(longest[:80].split()),
        call=call,
        related=(Related(call.primary, "sent here"),),
        impact=Impact(input_tokens_per_call=count.n, basis="estimated" if count.method == "estimate" else "counted"),
    )


def _first_line(location: Location) -> Location:
    text = location.document.text
    end = text.find("\n", location.span.start, location.span.end)
    return Location(location.document, Span(location.span.start, location.span.end if end < 0 else end))
