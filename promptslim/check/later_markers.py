"""Code that puts cache markers on what exists already, such as the newest messages, apart from the calls that send."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from promptslim.check.request_order import requests
from promptslim.core.lazy_pattern import pattern
from promptslim.core.prompt import CachePoint
from promptslim.core.text import Location, Span

if TYPE_CHECKING:
    from promptslim.core.call import LlmCall
    from promptslim.core.facts import FileFacts

SETS = pattern(
    r"\[\s*[\"']cache_control[\"']\s*\]\s*=(?!=)|\bcache_control\s*=\s*(?!=|None\b)"
    r"|(?P<entry>[\"'](?:cache_control|cachePoint)[\"']\s*:)"
)
"""Code that sets a marker. ``entry``: in a dict that is written out."""

WRITTEN = pattern(r"\bmessages[\"']?\s*[=:]\s*\[\s*\{")
"""A list of messages that is written out."""


def marked_later(call: LlmCall, file: FileFacts) -> bool:
    """True where code of the file may set markers on the messages of a call: code that sets one which is not known to
    stand in a request.

    Left out are entries where all that the messages hold can be seen, and code in a function that makes a call of its
    own and that has nothing to do with the function of ``call``, where the messages of ``call`` are written out.
    """
    known = set(_lines(file))
    unseen = any(prompt.sure is not None for request in requests(call) for prompt in request.messages)
    for document in file.documents:
        for found in SETS.finditer(document.text):
            at = Location(document, Span(found.start(), found.end()))
            if _line(at) in known or (found["entry"] is not None and not unseen):
                continue
            others = (other for other in (*file.calls, *file.batches) if other is not call)
            if not any(_is_in(other, at) or _is_for(other, at, call) for other in others):
                return True
    return False


def _lines(file: FileFacts) -> Iterator[tuple[str, int | None, int]]:
    """The lines with markers that are known to stand in a request."""
    for call in (*file.calls, *file.batches):
        marks = [part for request in requests(call) for _, part in request.parts() if isinstance(part, CachePoint)]
        for mark in (*marks, call.automatic):
            if mark is not None and mark.location is not None:
                yield _line(mark.location)


def _line(at: Location) -> tuple[str, int | None, int]:
    return at.path, at.cell, at.start[0]


def _is_in(other: LlmCall, at: Location) -> bool:
    """True for an argument of another call."""
    whole = other.location
    return whole.document == at.document and whole.span.start <= at.span.start < whole.span.end


def _is_for(other: LlmCall, at: Location, call: LlmCall) -> bool:
    """True where the code at a place is for another call than ``call``."""
    document, spans = at.document, (other.scope_span, call.scope_span)
    if None in spans or other.location.document != document or call.location.document != document:
        return False
    theirs, own = (span for span in spans if span is not None)
    if not theirs.start <= at.span.start < theirs.end or not WRITTEN.search(document.text, own.start, own.end):
        return False
    inside = f"{other.scope}.".startswith(f"{call.scope}.") or f"{call.scope}.".startswith(f"{other.scope}.")
    owner = call.scope.rpartition(".")[0]
    if inside or (owner and owner == other.scope.rpartition(".")[0]):
        return False
    return not _names(other.scope, document.text[own.start : own.end]) and not _names(
        call.scope, document.text[theirs.start : theirs.end]
    )


def _names(scope: str, text: str) -> bool:
    return re.search(rf"\b{re.escape(scope.rpartition('.')[2])}\b", text) is not None
