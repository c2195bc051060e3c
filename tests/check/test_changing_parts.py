"""Which holes count as changing, by where they come from and by their names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptslim.catalog.catalog import load
from promptslim.check.changing_parts import Change, change, name_of
from promptslim.check.enclosing_code import enclosing
from promptslim.core.prompt import Hole
from promptslim.core.text import Document, Location, Span
from tests.call_by_hand import at

PHRASES = load().phrases


def judged(expression: str, origin: str = "argument", **fields: object) -> Change | None:
    return change(Hole(expression, origin, **fields), (), PHRASES)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("expression", "name"),
    [
        ("question", "question"),
        ("state['messages']", "messages"),
        ('state["keys"]["documents"]', "documents"),
        ("docs[0].page_content", "page_content"),
        ("self.format_history(turns)", "format_history"),
        ("state.get('question', '')", "question"),
        ("json.dumps(documents, indent=2)", "documents"),
        ("(await load(query)).strip()", "load"),
        ("a + b", ""),
        ("x if y else z", ""),
        ("", ""),
    ],
)
def test_the_name_is_the_last_one_of_an_expression(expression: str, name: str) -> None:
    assert name_of(Hole(expression)) == name


@pytest.mark.parametrize(
    "name", ["question", "user_question", "userQuestion", "CONTEXT", "context_data", "webpage_content", "session_id"]
)
def test_names_that_say_so_change(name: str) -> None:
    found = judged(name)
    assert found is not None
    assert (found.confidence, found.named) == ("medium", True)


@pytest.mark.parametrize(
    "name",
    [
        "company",
        "agent_name",
        "language",
        "response_type",
        "system_message",
        "few_shot_text",
        "max_context",
        "questions_count",
    ],
)
def test_names_of_what_may_stay_say_nothing(name: str) -> None:
    assert judged(name) is None


def test_placeholders_in_brackets_are_read_as_words() -> None:
    assert judged("", "unknown", name="[INSERT CALL TRANSCRIPT HERE]") is not None
    assert judged("", "unknown", name="[INSERT COMPANY NAME HERE]") is None


@pytest.mark.parametrize(
    ("expression", "confidence"),
    [
        ("datetime.now()", "high"),
        ("datetime.now().isoformat()", "high"),
        ('datetime.now().strftime("%H:%M")', "high"),
        ("time.time()", "high"),
        ('datetime.now().strftime("%B %d, %Y")', "low"),
        ("date.today()", "low"),
        ("datetime.date.today().isoformat()", "low"),
        ("datetime.now().date()", "low"),
        ("datetime.now().year", "low"),
    ],
)
def test_a_date_is_low_and_a_time_is_high(expression: str, confidence: str) -> None:
    found = judged(expression, "clock")
    assert found is not None
    assert found.confidence == confidence


def test_what_is_made_once_per_process_is_low() -> None:
    document = Document("app.py", "STAMP = uuid.uuid4()\n\n\ndef run():\n    return uuid.uuid4()\n")
    first, second = at(document, "uuid.uuid4()"), at(document, "uuid.uuid4()", 1)
    once = judged("uuid.uuid4()", "identifier", source=first)
    always = judged("uuid.uuid4()", "identifier", source=second)
    assert once is not None
    assert always is not None
    assert (once.confidence, once.pace, always.confidence) == ("low", "once per process", "high")


def test_enclosing_code_comes_from_the_outside_in() -> None:
    document = Document("app.py", "def a():\n    for x in y:\n        f(x)\ng(1)\n")
    assert enclosing(at(document, "f(x)")) == (1, 2)
    assert enclosing(at(document, "g(1)")) == ()
    assert enclosing(at(Document("a.ipynb", "%pip install x\ng(1)"), "g(1)")) is None


@given(st.text(max_size=60))
def test_no_expression_breaks_the_judgement(text: str) -> None:
    place = Location(Document("app.py", text), Span(0, len(text)))
    for origin in ("clock", "random", "argument", "unknown", "loop", "document", "call"):
        judged(text, origin, location=place, source=place)
