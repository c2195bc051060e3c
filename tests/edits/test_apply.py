"""Fixes applied together: order, overlaps, all or nothing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptslim.core.text import Applicability, Document, Edit, Fix, Location, Span
from promptslim.edits.apply import OutdatedError, apply_fixes, edited, new_places
from promptslim.edits.line_ends import with_line_ends

TEXT = "abcdefghijklmnopqrst"
DOCUMENT = Document("a.py", TEXT)


def edit(start: int, end: int, text: str, document: Document = DOCUMENT) -> Edit:
    return Edit(Location(document, Span(start, end)), text)


def fix(*edits: Edit) -> Fix:
    return Fix("t", edits, Applicability.SAFE)


SPANS = st.tuples(st.integers(0, 20), st.integers(0, 4), st.text("XY", max_size=2))
FIXES = st.lists(st.lists(SPANS, min_size=1, max_size=3), max_size=5)


@settings(max_examples=400, deadline=None)
@given(FIXES)
def test_fixes_are_applied_whole_or_not_at_all(several: list[list[tuple[int, int, str]]]) -> None:
    fixes = [fix(*(edit(start, min(start + size, 20), text) for start, size, text in one)) for one in several]
    applied = apply_fixes({"a.py": TEXT}, fixes)
    parts = [*applied.fixes, *applied.left, *applied.invalid]
    assert sorted(map(id, parts)) == sorted(map(id, fixes))
    made = {(e.location.span.start, e.location.span.end, e.text) for one in applied.fixes for e in one.edits}
    gone = {index for start, end, _ in made for index in range(start, end)}
    assert sum(end - start for start, end, _ in made) == len(gone)
    wanted = ""
    for index in range(21):
        wanted += "".join(text for start, _, text in sorted(made) if start == index)
        wanted += TEXT[index : index + 1] if index not in gone else ""
    assert applied.texts.get("a.py", TEXT) == wanted
    if fixes and not applied.invalid:
        assert applied.fixes[0] is fixes[0]


@settings(max_examples=200, deadline=None)
@given(st.lists(SPANS, max_size=4))
def test_new_places(spans: list[tuple[int, int, str]]) -> None:
    edits = [edit(start, min(start + size, 20), text) for start, size, text in spans]
    applied = apply_fixes({"a.py": TEXT}, [fix(one) for one in edits])
    made = [one.edits[0] for one in applied.fixes]
    text = edited(TEXT, made)
    contents = [t for _, _, t in sorted({(e.location.span.start, e.location.span.end, e.text) for e in made})]
    assert [text[start:end] for start, end in new_places(made)] == contents


def test_same_edit_of_two_fixes_is_made_once() -> None:
    applied = apply_fixes({"a.py": TEXT}, [fix(edit(3, 3, "X")), fix(edit(3, 3, "X"), edit(5, 6, ""))])
    assert applied.texts == {"a.py": "abcXdeghijklmnopqrst"}
    assert len(applied.fixes) == 2


def test_insertion_beside_another_edit_waits() -> None:
    applied = apply_fixes({"a.py": TEXT}, [fix(edit(3, 5, "")), fix(edit(5, 5, "X")), fix(edit(5, 7, ""))])
    assert [len(applied.fixes), len(applied.left)] == [2, 1]


def test_edits_in_two_files_belong_together() -> None:
    other = Document("b.py", "123")
    first, second = fix(edit(0, 1, "A")), fix(edit(0, 2, ""), edit(0, 1, "9", other))
    applied = apply_fixes({"a.py": TEXT, "b.py": "123"}, [first, second])
    assert applied.texts == {"a.py": "A" + TEXT[1:]}
    assert applied.left == (second,)
    applied = apply_fixes({"a.py": TEXT, "b.py": "123"}, [second])
    assert applied.texts == {"a.py": TEXT[2:], "b.py": "923"}


def test_edit_of_another_text_is_refused() -> None:
    with pytest.raises(OutdatedError, match=r"a\.py has changed"):
        apply_fixes({"a.py": TEXT + "!"}, [fix(edit(0, 1, ""))])


def test_edit_outside_its_document_is_invalid() -> None:
    bad = fix(edit(0, 1, ""), edit(15, 25, ""))
    assert apply_fixes({"a.py": TEXT}, [bad, fix()]).invalid == (bad, fix())


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["a", "b", ""]), st.sampled_from(["\n", "\r\n", "\r"])), max_size=6),
    st.lists(st.sampled_from(["a", "b", "new"]), max_size=6),
)
def test_mixed_line_ends_stay(lines: list[tuple[str, str]], changed: list[str]) -> None:
    original = "".join(line + end for line, end in lines)
    plain = original.replace("\r\n", "\n").replace("\r", "\n")
    assert with_line_ends(original, plain) == original
    text = "\n".join(changed)
    written = with_line_ends(original, text)
    # A bare \r before \n reads as one line end; nothing else may differ.
    if "\r" not in {end for _, end in lines}:
        assert written.replace("\r\n", "\n") == text
