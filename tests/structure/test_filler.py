"""Filler phrases: what is found, and what must never be."""

import tomllib
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptslim.core.prompt import Hole, Literal
from promptslim.structure.build import structure
from promptslim.structure.filler import filler, without

TABLE = tomllib.loads((Path(__file__).parents[2] / "rules" / "phrases.toml").read_text("utf-8"))["filler"]
PHRASES = (
    "please note that",
    "make sure to",
    "in order to",
    "due to the fact that",
    "I would like you to",
    "at this point in time",
    "each and every",
)


def shortened(text: str) -> str:
    found = structure((Literal(text),))
    return without(text, filler(found, TABLE))


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("Read the page in order to find the date.", "Read the page to find the date."),
        ("Please answer in French.", "Answer in French."),
        ("Please note that the page is long.", "The page is long."),
        ("Answer briefly due to the fact that users are busy.", "Answer briefly because users are busy."),
        ("I would like you to list\nthe names.", "List\nthe names."),
        ("Make sure that you cite pages.", "Cite pages."),
        ("Fold the page in\norder to save room.", "Fold the page to save room."),
    ],
)
def test_phrases_are_left_out_or_shortened(text: str, short: str) -> None:
    assert shortened(text) == short


@pytest.mark.parametrize(
    "text",
    [
        "Prefer primary reports rather than rumours.",
        "Put totals on the right-hand side.",
        'RIGHT: "42"',
        'Never say "please note that" or "additional information".',
        'Write "... in order to ..." for the rows that remain.',
        "You SHOULD NOT reply in French.",
        "The bot is not allowed to book flights beyond those listed.",
        "Run `in order to please` first.",
        "Read the first 2 lines; return the whole file.",
        "Every function must be tested.",
        "After reading the ticket you MUST:\n- answer\n- close it",
        "Use the schema schema-2024-03-07 of bedrock-2023-05-31.",
        "Continue as long as the user asks, in terms of style, such that the newest comes first.",
        "See https://example.com/in-order-to-please and <please-note-that in order to>.",
        "Never make sure to agree.",
        "Do not use phrases like in order to.",
        "Refuse politely; please note that harmful requests are logged.",
        "Make sure you're within the limit.",
        "```\nplease note that in order to\n```",
        "<example>\nPlease note that in order to win you play.\n</example>",
        "User: could you please help me in order to win?",
        "plan: note that a single letter is a digit and not a circle.",
        "Return it as JSON in the following form, please include why.",
        "Follow these instructions at all times.",
        "Extend the summary by taking into account the new messages.",
        "Put the note [please note that] last, {in_order_to} and {{ please }}.",
    ],
)
def test_what_looks_like_filler_is_left_alone(text: str) -> None:
    assert shortened(text) == text


def test_a_phrase_does_not_reach_over_a_hole() -> None:
    found = structure((Literal("Read it in "), Hole("language"), Literal(" order to learn.")))
    assert filler(found, TABLE) == ()


@given(
    st.lists(st.sampled_from([*PHRASES, "the", "page", "`x`", '"', "\n", ".", "{a}", "not", "```", "- "]), max_size=40)
)
def test_only_known_phrases_go(words: list[str]) -> None:
    text = " ".join(words)
    found = filler(structure((Literal(text),)), TABLE)
    for before, after in pairwise(found):
        assert before.end <= after.start
    for one in found:
        assert " ".join(text[one.start : one.end].split()).lower().strip(" ,.") in {p.lower() for p in PHRASES}
    assert len(without(text, found)) <= len(text)
