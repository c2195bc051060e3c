"""The order of a request and its branches."""

from __future__ import annotations

from promptslim.check.request_order import MOST_REQUESTS, requests
from promptslim.core.prompt import Literal, Prompt
from promptslim.core.text import Document, Location, Span
from promptslim.core.values import ABSENT, Case, Field, Known, known, unknown
from tests.call_by_hand import SOURCE, call

DOCUMENT = Document("src/app.py", SOURCE)


def sent(text: str) -> Prompt:
    place = Location(DOCUMENT, Span(0, 3))
    return Prompt(text, "user", (Literal(text),), place, place)


def texts(field: dict[str, object]) -> list[list[str]]:
    return [
        [part.text for _, part in request.parts() if isinstance(part, Literal)]
        for request in requests(call(DOCUMENT, 0, **field))
    ]


def test_parts_come_as_the_provider_reads_them() -> None:
    found = texts({"messages": known((sent("m1"), sent("m2"))), "system": known(sent("s")), "tools": known(sent("t"))})
    assert found == [["t", "s", "m1", "m2"]]


def test_a_system_message_is_sent_once() -> None:
    first = sent("s")
    assert texts({"system": known(first), "messages": known((first, sent("m")))}) == [["s", "m"]]


def test_every_branch_is_a_request() -> None:
    system = Field((Case(Known(sent("a")), "short"), Case(Known(sent("b")), "not short")))
    assert texts({"system": system, "messages": known((sent("m"),))}) == [["a", "m"], ["b", "m"]]


def test_branches_of_one_condition_stay_together() -> None:
    system = Field((Case(Known(sent("a")), "short"), Case(Known(sent("b")), "not short")))
    turns = Field((Case(Known((sent("1"),)), "short"), Case(Known((sent("2"),)), "not short")))
    assert texts({"system": system, "messages": turns}) == [["a", "1"], ["b", "2"]]


def test_what_cannot_be_seen_is_not_sent_and_said() -> None:
    (hidden,) = requests(call(DOCUMENT, system=known(sent("s")), messages=unknown("argument")))
    assert not hidden.visible
    assert [prompt.id for prompt in hidden.prompts] == ["s"]
    (whole,) = requests(call(DOCUMENT, system=ABSENT, messages=known((sent("m"),))))
    assert whole.visible


def test_combinations_are_bounded() -> None:
    branches = Field(tuple(Case(Known(sent(str(n))), f"n == {n}") for n in range(60)))
    assert len(requests(call(DOCUMENT, system=branches, tools=branches, messages=known(())))) == MOST_REQUESTS
