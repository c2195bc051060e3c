"""A finding that a change elsewhere has caused, reported at the line that was changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from promptslim.core.finding import Finding, Related
from promptslim.core.record import replace
from promptslim.core.text import Document, Location, Span

Lines = Callable[[str], Sequence[tuple[int, int]]]
"""Path -> runs of changed lines of the file on disk, 1-based first and last."""

NOTE = "what it is about"


def at_a_change(
    finding: Finding, lines: Lines, causes: Iterable[str], documents: Callable[[str], Iterable[Document]]
) -> Finding:
    """The finding at a changed line, with its own place as a related one; as it is where its own line has changed or
    no changed line has anything to do with it.

    ``causes`` are changed files that it may come from, the most likely first. In each, a related place that has
    changed is taken, else the changed line that is nearest to a place of the finding.
    """
    if is_changed(finding.primary, lines):
        return finding
    places = [finding.primary, *(one.location for one in finding.related)]
    for path in causes:
        here = [place for place in places if place.path == path]
        touched = [place for place in here if is_changed(place, lines)]
        place = touched[0] if touched else _nearest(here[:1], lines(path), documents(path))
        if place is not None:
            line, _ = finding.primary.start
            cell = "" if finding.primary.cell is None else f" cell {finding.primary.cell}"
            message = f"{finding.message} (at {finding.primary.path}{cell} line {line}, caused by this change)"
            related = tuple(one for one in finding.related if one.location != place)
            return replace(finding, message=message, primary=place, related=(Related(finding.primary, NOTE), *related))
    return finding


def is_changed(place: Location, lines: Lines) -> bool:
    """Whether one of the lines of a place has changed."""
    first, last = place.start[0], place.end[0]
    raw = [_raw(place.document, number) for number in (first, last)]
    return any(start <= raw[1] and raw[0] <= end for start, end in lines(place.path))


def _raw(document: Document, line: int) -> int:
    """The line of the file on disk."""
    return document.raw_lines[min(line, len(document.raw_lines)) - 1] if document.raw_lines else line


def _nearest(
    anchors: Sequence[Location], changed: Sequence[tuple[int, int]], documents: Iterable[Document]
) -> Location | None:
    """The changed line with text in it that is nearest to an anchor, the first one without any."""
    anchor = _raw(anchors[0].document, anchors[0].start[0]) if anchors else 1
    best: tuple[int, Document, int] | None = None
    for document in documents:
        for number in range(1, len(document.line_starts()) + 1):
            raw = _raw(document, number)
            near = any(start <= raw <= end for start, end in changed)
            if near and document.line(number).strip() and (best is None or abs(raw - anchor) < best[0]):
                best = abs(raw - anchor), document, number
    if best is None:
        return None
    _, document, number = best
    text, start = document.line(number), document.line_starts()[number - 1]
    return Location(document, Span(start + len(text) - len(text.lstrip()), start + len(text.rstrip())))
