"""PS403: markup, base64 or a whole table as prompt text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from promptslim.check.fetched_pages import is_page
from promptslim.check.measured_values import is_measured
from promptslim.check.request_order import requests
from promptslim.check.unseen_calls import sent_unseen
from promptslim.check.wording import code
from promptslim.core.call import LlmCall
from promptslim.core.finding import Confidence, Finding, Related
from promptslim.core.lazy_pattern import pattern
from promptslim.core.prompt import Hole, Literal, Part, TransformKind

if TYPE_CHECKING:
    from promptslim.check.rule_context import RuleContext
    from promptslim.core.facts import FileFacts
    from promptslim.core.prompt import Prompt
    from promptslim.core.text import Location

ADVICE: dict[TransformKind, str] = {
    "base64": "goes into the prompt text as base64: a third longer than the bytes, and a model cannot read it there."
    " Send it as an image or document block, or take the text out of it",
    "html": "goes into the prompt as raw HTML, most of which is tags, scripts and styles. Take the text out first"
    " (get_text, markdownify, trafilatura)",
    "data frame": "puts a whole table into the prompt, whatever its size. Send the rows and columns that the question"
    " needs, a sample, or figures computed from it",
}
"""What to say of each kind, the gravest first."""

CONFIDENCE: dict[TransformKind, Confidence] = {"base64": "high", "html": "medium", "data frame": "low"}
"""A table may be known to be small."""

PROMPT_VALUE = pattern(r"\b(?:a?invoke|format_prompt|aformat_prompt)\s*\(")
"""Methods of LangChain's templates: what they give has a ``to_string`` too, and is no table."""

FEW_ROWS = pattern(
    r"\bnrows\s*=|\.(?:head|tail|sample|nlargest|nsmallest)\(|\b(?:pivot_table|crosstab)\s*\("
    r"|\bDataFrame\(\s*\{\s*[\"'][^\"'\n]*[\"']\s*:\s*\[\s*[\"'\d-]"
)
"""Calls of pandas that read only some rows, that sum a table up, or that hold a table written out in the source."""


def raw_markup(file: FileFacts, rule: RuleContext) -> Iterator[Finding]:
    """One finding for each value that reaches the text of a prompt in a form which costs more than it says."""
    told: set[Location] = set()
    for call in file.calls:
        if call.kind == "request":
            for request in requests(call):
                parts = [(prompt, part) for prompt, part in request.parts() if prompt is not request.tools]
                yield from _of_parts(call, parts, told, rule)
    for prompt in sent_unseen(file):
        yield from _of_parts(None, [(prompt, part) for part in prompt.parts], told, rule)


def _of_parts(
    call: LlmCall | None, parts: list[tuple[Prompt, Part]], told: set[Location], rule: RuleContext
) -> Iterator[Finding]:
    before: Part | None = None
    for prompt, part in parts:
        if isinstance(part, Hole):
            found = _raw(call, prompt, part, before, rule) if not _asks_for(part, parts, rule) else None
            if found is not None and found.related[0].location not in told:
                told.add(found.related[0].location)
                yield found
        before = part


def _raw(call: LlmCall | None, prompt: Prompt, hole: Hole, before: Part | None, rule: RuleContext) -> Finding | None:
    if hole.bound is not None or hole.transform("slice") is not None:
        return None
    kind = next((one for one in ADVICE if hole.transform(one) is not None), None)
    if (
        kind is None
        or is_measured(hole)
        or (kind == "html" and _is_no_page(hole))
        or (kind == "base64" and _in_data_url(before))
    ):
        return None
    made = hole.transform(kind)
    place = made.location if made is not None and made.location is not None else hole.source
    if kind == "data frame" and place is not None and _has_few_rows(place):
        return None
    return rule.finding(
        f"{_what(hole, place, call.location.path if call else prompt.location.path)} {ADVICE[kind]}",
        call.primary if call is not None else hole.location or prompt.primary,
        evidence=f"{call.scope}:{call.callee}:{hole.expression}" if call else f"{prompt.scope}:{hole.expression}",
        call=call,
        prompt=prompt,
        confidence=CONFIDENCE[kind],
        related=(Related(place or prompt.primary, "made here" if place is not None else "the prompt"),),
    )


def _what(hole: Hole, place: Location | None, path: str) -> str:
    if place is None:
        return code(hole.expression)
    line, _ = place.start
    text = place.document.text[place.span.start : place.span.end]
    where = f"line {line}" if place.path == path else f"{place.path}:{line}"
    return f"{code(text if len(text) < 200 else hole.expression)} ({where})"


def _asks_for(hole: Hole, parts: list[tuple[Prompt, Part]], rule: RuleContext) -> bool:
    """True where the task is about the markup itself."""
    if hole.transform("html") is None or hole.transform("base64") is not None:
        return False
    said = "\n".join(part.text for _, part in parts if isinstance(part, Literal))
    return re.search(rule.catalog.phrases["raw_markup"]["about_markup"], said, re.IGNORECASE) is not None


def _is_no_page(hole: Hole) -> bool:
    return hole.origin == "document" and hole.source is not None and not is_page(hole.source)


def _has_few_rows(written: Location) -> bool:
    """True where the table that is written out, or the last assignment of its name before, holds few rows, and where
    there is no table."""
    text = written.document.text
    expression = text[written.span.start : written.span.end]
    if FEW_ROWS.search(expression) or PROMPT_VALUE.search(expression):
        return True
    name = re.match(r"([A-Za-z_]\w*)\.to_\w+\(", expression)
    if name is None:
        return False
    assigned = re.findall(rf"^\s*{name[1]}\s*=\s*(.*)$", text[: written.span.start], re.MULTILINE)
    return bool(assigned) and any(one.search(assigned[-1]) is not None for one in (FEW_ROWS, PROMPT_VALUE))


def _in_data_url(before: Part | None) -> bool:
    """Some endpoints take an image as a data URL inside the text."""
    return isinstance(before, Literal) and before.text.rstrip().endswith("base64,")
