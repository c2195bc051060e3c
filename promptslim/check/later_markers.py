"""Code that puts cache markers on what exists already, such as the newest messages, apart from the calls that send."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from promptslim.core.lazy_pattern import pattern
from promptslim.core.text import Location, Span

if TYPE_CHECKING:
    from promptslim.core.call import LlmCall
    from promptslim.core.facts import FileFacts
    from promptslim.core.prompt import CachePoint

SETS = pattern(r"\[\s*[\"']cache_control[\"']\s*\]\s*=(?!=)|\.(?:append|insert)\([^\n]*[\"']cachePoint[\"']")


WRITTEN = pattern(r"\bmessages[\"']?\s*[=:]\s*\[\s*\{")
"""A list of messages that is written out."""


def marked_later(call: LlmCall, mark: CachePoint, file: FileFacts) -> bool:
    """True where code of the file, other than what sets ``mark``, may set markers on the messages of a call.

    Left out is code in a function that makes a call of its own and that has nothing to do with the function of
    ``call``, where the messages of ``call`` are written out.
    """
    for document in file.documents:
        for found in SETS.finditer(document.text):
            at = Location(document, Span(found.start(), found.end()))
            if not _same_line(at, mark.location) and not any(_is_for(other, at, call) for other in file.calls):
                return True
    return False


def _same_line(at: Location, mark: Location | None) -> bool:
    return mark is not None and mark.document == at.document and mark.start[0] == at.start[0]


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
