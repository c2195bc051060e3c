"""Where a comment holds, and what is said of those that do nothing."""

from __future__ import annotations

import pytest
from call_by_hand import at, call, facts
from engine_by_hand import found, run

from promptslim.core.facts import Comment, FileFacts
from promptslim.core.text import Document, Location

CALL = """\
answer = client.converse({first}
    modelId=M,{middle}
    messages=turns,
){last}{after}
"""
COMMENT = "  # promptslim: ignore[missing-max-tokens] -- why"


def placed(**places: str) -> FileFacts:
    """One statement of four lines, with a comment in the places given."""
    parts = {"first": "", "middle": "", "last": "", "after": "", **places}
    document = Document("a.py", CALL.format(**parts))
    statement = at(document, CALL.format(**{**parts, "after": ""}).rstrip("\n"))
    comments = []
    start = document.text.find("# promptslim:")
    while start >= 0:
        line_end = document.text.index("\n", start)
        location = Location(document, type(statement.span)(start, line_end))
        text = location.text.removeprefix("# promptslim:").strip()
        inside = location.span.start <= statement.span.end + 2
        comments.append(Comment(text, location, statement if inside else None))
        start = document.text.find("# promptslim:", line_end)
    return FileFacts("a.py", (document,), (call(document),), comments=tuple(comments))


@pytest.mark.parametrize("place", ["first", "last"])
def test_holds_on_the_first_and_last_line_of_the_statement(place: str) -> None:
    outcome = run([placed(**{place: COMMENT})])
    assert found(outcome) == []
    assert outcome.result.summary.suppressed == 1


@pytest.mark.parametrize("place", ["middle", "after"])
def test_does_not_hold_elsewhere_and_says_so(place: str) -> None:
    comment = COMMENT if place == "middle" else "\n" + COMMENT.strip()
    outcome = run([placed(**{place: comment})])
    assert [code for code, _, _ in found(outcome)] == ["PS101", "PS901"]
    assert "missing-max-tokens did not fire here" in outcome.result.findings[1].message


def test_holds_in_its_own_cell_only() -> None:
    documents = tuple(Document("nb.ipynb", "client.converse(modelId=M)", cell=cell) for cell in (0, 2))
    calls = tuple(call(document) for document in documents)
    comment = Comment("ignore[PS101]", at(documents[0], "client"), None)
    outcome = run([FileFacts("nb.ipynb", documents, calls, comments=(comment,))])
    assert [one.primary.cell for one in outcome.result.findings] == [2]


def test_whole_file_covers_every_cell() -> None:
    documents = tuple(Document("nb.ipynb", "client.converse(modelId=M)", cell=cell) for cell in (0, 2))
    calls = tuple(call(document) for document in documents)
    comment = Comment("ignore-file[PS101]", at(documents[0], "client"), None)
    outcome = run([FileFacts("nb.ipynb", documents, calls, comments=(comment,))])
    assert found(outcome) == []
    assert outcome.result.summary.suppressed == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ignore", "this comment names no rule; write ignore[rule]"),
        ("ignore[]", "this comment names no rule; write ignore[rule]"),
        ("ignore-file", "this comment names no rule; write ignore-file[rule]"),
        ("skip[PS101]", "this comment is not understood; write ignore[rule] or ignore-file[rule]"),
        ("", "this comment is not understood; write ignore[rule] or ignore-file[rule]"),
        ("ignore[ps101]", "suppresses nothing: there is no rule ps101, did you mean PS101?"),
        ("ignore[PS104, PS603]", "suppresses nothing: PS104 and PS603 did not fire here"),
        ("ignore[PS104, bogus-thing]", "PS104 did not fire here"),
    ],
)
def test_comments_that_do_nothing(text: str, message: str) -> None:
    document = Document("a.py", f"x = 1  # promptslim: {text}\n")
    comment = Comment(text, Location(document, type(at(document, "x").span)(7, len(document.text) - 1)), None)
    outcome = run([FileFacts("a.py", (document,), comments=(comment,))], rules=("PS104", "PS603", "PS901"))
    (finding,) = outcome.result.findings
    assert message in finding.message


def test_rules_that_did_not_run_are_not_judged() -> None:
    file = facts("a.py", "client.converse(modelId=M)  # promptslim: ignore[PS101, PS604]\n")
    assert found(run([file], rules=("PS901", "PS604"))) == [("PS901", "a.py", 1)]
    assert found(run([file], rules=("PS901",))) == []


def test_rules_on_the_project_are_judged_only_when_they_could_speak() -> None:
    file = facts("a.py", "x = 1  # promptslim: ignore[PS601]\n", calls=0)
    assert found(run([file], rules=("PS601", "PS901"))) == []
    assert found(run([file], rules=("PS601", "PS901"), whole=True)) == [("PS901", "a.py", 1)]


def test_nothing_is_said_of_a_file_that_could_not_be_parsed() -> None:
    from dataclasses import replace

    from promptslim.core.result import FileError

    file = facts("a.py", "x = 1  # promptslim: ignore[PS101]\n", calls=0)
    broken = replace(file, errors=(FileError("a.py", 1, "broken"),))
    assert [code for code, _, _ in found(run([broken]))] == ["PS902"]


def test_a_finding_about_a_suppression_can_be_suppressed() -> None:
    file = facts("a.py", "x = 1  # promptslim: ignore[PS101, unused-suppression]\n", calls=0)
    outcome = run([file])
    assert found(outcome) == []
    assert outcome.result.summary.suppressed == 1
