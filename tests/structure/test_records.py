"""Records: which sentences stand in two of one kind, and which only share a text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptslim.core.prompt import Literal
from promptslim.structure.build import structure
from promptslim.structure.records import records_in

RULE = "You must name the page of the manual."


def apart(text: str, sentence: str = RULE) -> bool:
    """Whether the first and the last copy of a sentence stand in two records."""
    found = structure((Literal(text),))
    places = [at for at, segment in enumerate(found.segments) if sentence in found.text(segment)]
    return records_in(found).apart(places[0], places[-1])


@pytest.mark.parametrize("label", ["Area: {}", "**Area**: {}", "- Area (of the town): {}", "Area {}:", "## Area {}"])
def test_labels_and_titles_begin_records(label: str) -> None:
    record = f"{label}\n{RULE}\n\n"
    assert apart("".join(record.format(number) for number in range(3)))
    assert not apart("".join(record.format(number) for number in range(2)))


def test_a_record_may_begin_below_what_it_shares() -> None:
    assert apart("".join(f"{RULE}\nArea: {number}\n\n" for number in range(3)))


@pytest.mark.parametrize("word", ["Note", "IMPORTANT", "Rule", "Reminder"])
def test_words_that_mark_a_rule_begin_none(word: str) -> None:
    assert not apart("".join(f"{word}: keep to {number} words.\n{RULE}\n" for number in range(4)))


def test_one_record_says_it_twice() -> None:
    assert not apart(f"Area: a\n\nArea: b\n\nArea: c\n{RULE}\nBe brief.\n{RULE}\n")


def test_what_is_far_from_its_label_is_in_no_record() -> None:
    between = "".join(f"Sentence {number} of the text.\n" for number in range(40))
    assert not apart(f"Area: a\n{between}{RULE}\nArea: b\nArea: c\n{between}{RULE}\n")


@given(st.text(alphabet="ab:# \n*-1.", max_size=120))
def test_any_text_ends(text: str) -> None:
    found = structure((Literal(text),))
    records = records_in(found)
    for row in records.rows:
        assert list(row) == sorted(set(row))
        assert all(0 <= at < len(found.segments) for at in row)
    assert not any(records.apart(at, at) for at in range(len(found.segments)))
