"""What a prompt demands of its answer: sentences that do and that do not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from run_rule import cases, made, system, text, user

from promptslim.catalog import load
from promptslim.check.answer_demands import greeting, least_length, short_answer
from promptslim.core.values import Field, Known, known

PHRASES = load().phrases


def short(sentence: str) -> str | None:
    found = short_answer(made(messages=user(sentence)), PHRASES)
    return found.form if found else None


def words(sentence: str) -> int | None:
    found = least_length(made(messages=user(sentence)), PHRASES)
    return found.words if found else None


@pytest.mark.parametrize(
    ("sentence", "form"),
    [
        ("Answer with one word: billing, shipping, defect or other.", "one word"),
        ("Please answer in a single word.", "one word"),
        ('Respond with only "Yes" or "No" (without quotes).', "yes or no"),
        ("Your reply should contain only Yes or No.", "yes or no"),
        ("Please only answer 'True' or 'False'.", "true or false"),
        ("Please answer with a single letter Y or N.", "one letter"),
        ("Return only a number between 0 and 1.", "a number"),
        ("Provide only a number between 0 and 100 (no explanation, just the number):", "a number"),
        ("Return only the category.", "one label of a closed set"),
        (
            "Respond with one of the following options: 'entailment', 'contradiction', or 'neutral'.",
            "one label of a closed set",
        ),
        ("Answer yes or no. Do not explain.", "yes or no"),
        ("<text>{}</text> Reply with one word, nothing else.", "one word"),
    ],
)
def test_short_answers(sentence: str, form: str) -> None:
    assert short(sentence) == form


@pytest.mark.parametrize(
    "sentence",
    [
        "Do not answer with one word.",
        "Never reply with yes or no; give a full account.",
        "If you are unsure, answer with one word.",
        "Answer with one word when the user greets you.",
        "For each item answer yes or no.",
        "Provide a yes or no answer, with a succinct explanation of your decision process.",
        "Answer yes or no. Then explain why.",
        "Think step by step. Answer yes or no.",
        "Give the final answer as a single integer on the last line.",
        "Answer in JSON with one word as the value.",
        "Answer: yes or no",
        "```\nAnswer with one word.\n```",
        "<examples>Answer with one word.</examples>",
        "Summarise the report. Answer yes or no.",
        "The answer may be one word or several pages.\nWrite freely.",
        "Return a number of relevant documents.",
        "Choose one of the following tools.",
        "Answer the question.",
        "",
    ],
)
def test_no_short_answer(sentence: str) -> None:
    assert short(sentence) is None


@pytest.mark.parametrize(
    ("sentence", "least"),
    [
        ("Write at least 500 words.", 500),
        ("Write a 1,000-word essay on trains.", 1000),
        ("Could you write about this using 10000 words, do not copy it?", 10000),
        ("Write between 300 and 500 words.", 300),
        ("Respond in 300-500 words.", 300),
        ("Write three full paragraphs.", 90),
        ("Write a two-page report. Answer in 4 sentences.", 500),
        ("The policy should be approximately 3000 words in length.", 3000),
    ],
)
def test_lengths(sentence: str, least: int) -> None:
    assert words(sentence) == least


@pytest.mark.parametrize(
    "sentence",
    [
        "Write at most 500 words.",
        "Write no more than 500 words.",
        "Respond in under 300 words.",
        "Write 500 words or less.",
        "Keep it within 200 words.",
        "The maximum length is 500 words.",
        "The text has 5,000 words.",
        "If the text is longer than 500 words, write 100 words.",
        "Split the text every 500 words and write a title.",
        "Write me a poem.",
        "Do not write 500 words.",
    ],
)
def test_no_least_length(sentence: str) -> None:
    assert words(sentence) is None


def test_only_the_last_user_message_and_the_system_prompt_instruct() -> None:
    turns = (text("Answer yes or no.", role="user"), text("Yes.", role="assistant"), text("Now tell me a story."))
    assert short_answer(made(messages=known(turns)), PHRASES) is None
    both = made(system=system("Answer yes or no."), messages=known(turns))
    assert short_answer(both, PHRASES).role == "system"


def test_a_prompt_of_several_branches_demands_nothing() -> None:
    branches = cases(
        (Known(text("Answer yes or no.", role="system")), "a"), (Known(text("Tell all.", role="system")), "b")
    )
    assert short_answer(made(system=branches), PHRASES) is None


def test_a_short_answer_is_demanded_by_every_caller_and_a_length_by_one() -> None:
    def callers(*texts: str) -> Field[object]:
        return cases(*((Known((text(one),)), None) for one in texts))

    assert short_answer(made(messages=callers("Answer yes or no.", "Answer with one word.")), PHRASES) is not None
    assert short_answer(made(messages=callers("Answer yes or no.", "Tell me all.")), PHRASES) is None
    assert least_length(made(messages=callers("Tell me all.", "Write 900 words.")), PHRASES).words == 900


@pytest.mark.parametrize(
    ("message", "is_one"), [("Hello, how are you today?", True), ("ping", True), ("Hello, sort this: 3, 1", False)]
)
def test_greetings(message: str, is_one: bool) -> None:
    assert bool(greeting(made(messages=user(message)), PHRASES)) is is_one
    assert greeting(made(messages=user(message, None)), PHRASES) is None


@given(st.text(max_size=400), st.text(max_size=400))
def test_any_text_is_read_without_failing_and_the_quote_comes_from_it(first: str, second: str) -> None:
    call = made(messages=user(first, None, second))
    for found in (short_answer(call, PHRASES), least_length(call, PHRASES)):
        assert found is None or found.sentence.replace("{...}", "") != ""


@given(
    st.sampled_from(["Answer with one word.", "Write at least 500 words."]), st.text(alphabet="abc \n.`<>", max_size=60)
)
def test_a_demand_inside_a_fence_is_an_example(sentence: str, before: str) -> None:
    fenced = f"```\n{before.replace('`', '')}\n{sentence}\n```"
    assert short(fenced) is None
    assert words(fenced) is None
