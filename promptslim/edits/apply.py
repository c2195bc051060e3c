"""Fixes to new texts: which of them go together, and the text of each file after them."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping, Sequence

from promptslim.core.record import record
from promptslim.core.text import Document, Edit, Fix

Where = tuple[str, int | None]
"""A document: its path, and its cell where it is one of a notebook."""


class OutdatedError(ValueError):
    """An edit of a text that is not (any more) that of the file."""


@record
class Applied:
    """``texts`` are the new texts of the files that change, by path. ``fixes`` went in; ``left`` overlap one of them
    and can be tried again on the new text; ``invalid`` overlap themselves or lie outside their document."""

    texts: Mapping[str, str]
    fixes: tuple[Fix, ...]
    left: tuple[Fix, ...] = ()
    invalid: tuple[Fix, ...] = ()


def apply_fixes(texts: Mapping[str, str], fixes: Sequence[Fix]) -> Applied:
    """Apply fixes to texts of files (a notebook: its JSON), given by path.

    All edits of a fix are applied, or none. Of fixes that overlap the first wins; the same edit in two fixes is made
    once. Raises OutdatedError where an edit was made for another text, and KeyError for a file that is not given.
    """
    taken: dict[Where, list[tuple[int, int, str]]] = {}
    chosen: list[Fix] = []
    left: list[Fix] = []
    invalid: list[Fix] = []
    for fix in fixes:
        if not is_valid(fix):
            invalid.append(fix)
        elif all(_fits(taken.get(where_of(edit), ()), _key(edit)) for edit in fix.edits):
            chosen.append(fix)
            for edit in fix.edits:
                known = taken.setdefault(where_of(edit), [])
                if _key(edit) not in known:
                    insort(known, _key(edit))
        else:
            left.append(fix)
    edits = [edit for fix in chosen for edit in fix.edits]
    changed = {path: apply_edits(path, texts[path], _of_path(edits, path)) for path in _paths(edits)}
    return Applied(
        {path: text for path, text in changed.items() if text != texts[path]},
        tuple(chosen),
        tuple(left),
        tuple(invalid),
    )


def where_of(edit: Edit) -> Where:
    """The document that an edit changes."""
    return edit.location.path, edit.location.cell


def is_valid(fix: Fix) -> bool:
    """Whether the edits of a fix lie inside their documents, apart from one another; no edits are no fix."""
    by_document: dict[Where, list[tuple[int, int, str]]] = {}
    for edit in fix.edits:
        if not 0 <= edit.location.span.start <= edit.location.span.end <= len(edit.location.document.text):
            return False
        known = by_document.setdefault(where_of(edit), [])
        if not _fits(known, _key(edit)):
            return False
        if _key(edit) not in known:
            insort(known, _key(edit))
    return bool(fix.edits)


def apply_edits(path: str, text: str, edits: Iterable[Edit]) -> str:
    """The text of one file after edits that do not overlap. Raises OutdatedError."""
    edits = list(edits)
    if any(edit.location.cell is not None for edit in edits):
        from promptslim.edits.notebook import edit_notebook

        return edit_notebook(path, text, edits)
    if any(edit.location.document.text != text for edit in edits):
        raise OutdatedError(f"{path} has changed since it was analysed; run again")
    return edited(text, edits)


def edited(text: str, edits: Iterable[Edit]) -> str:
    """A document's text after edits that do not overlap; an edit that is given twice is made once."""
    pieces: list[str] = []
    position = 0
    for start, end, content in sorted({_key(edit) for edit in edits}):
        pieces += (text[position:start], content)
        position = end
    return "".join((*pieces, text[position:]))


def new_places(edits: Iterable[Edit]) -> list[tuple[int, int]]:
    """For the edits of one document, in order of place, where their texts stand afterwards."""
    places: list[tuple[int, int]] = []
    shift = 0
    for start, end, content in sorted({_key(edit) for edit in edits}):
        places.append((start + shift, start + shift + len(content)))
        shift += len(content) - (end - start)
    return places


def after(document: Document, edits: Iterable[Edit]) -> Document:
    """A document (a file that is no notebook, or a cell) after edits that do not overlap."""
    return Document(document.path, edited(document.text, edits), document.cell)


def _key(edit: Edit) -> tuple[int, int, str]:
    return edit.location.span.start, edit.location.span.end, edit.text


def _fits(taken: Sequence[tuple[int, int, str]], edit: tuple[int, int, str]) -> bool:
    """Whether an edit is one of those taken, or apart from all of them. Text that is inserted where another edit
    begins or ends is not apart: which comes first is not known."""
    index = bisect_left(taken, edit)
    if index < len(taken) and taken[index] == edit:
        return True
    return all(_apart(taken[near], edit) for near in (index - 1, index) if 0 <= near < len(taken))


def _apart(one: tuple[int, int, str], other: tuple[int, int, str]) -> bool:
    first, second = sorted((one, other))
    if first[1] < second[0]:
        return True
    return first[1] == second[0] and first[0] < first[1] and second[0] < second[1]


def _paths(edits: Iterable[Edit]) -> list[str]:
    return sorted({edit.location.path for edit in edits})


def _of_path(edits: Iterable[Edit], path: str) -> list[Edit]:
    return [edit for edit in edits if edit.location.path == path]
