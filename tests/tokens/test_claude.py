"""Reconstructed Claude counts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptslim.tokens.claude import count, count_many
from promptslim.tokens.frames import frame_tokens
from promptslim.tokens.generations import GENERATIONS, version

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
ROWS = json.loads((FIXTURES / "tokens" / "recorded_rows.json").read_text(encoding="utf-8"))["rows"]
ANY_TEXT = st.text(st.characters(), max_size=60)
WORDS = ["the", "order", "is", "late,", "please", "send", "12", "more", "boxes", "to", "Berlin;", "thanks"]
PROSE = st.lists(st.sampled_from(WORDS), min_size=1)


@pytest.mark.parametrize("key", GENERATIONS)
def test_every_recorded_row_is_exact(key):
    rows = [(text, tokens) for generation, text, tokens in ROWS if generation == key]
    assert len(rows) >= 5
    counted = count_many([text for text, _ in rows], key)
    assert [(ascii(text), n) for (text, _), n in zip(rows, counted, strict=True)] == [(ascii(t), n) for t, n in rows]


@pytest.mark.parametrize(
    ("key", "parts", "tokens"),
    [
        # Anthropic's token counting documentation, Claude Sonnet 4.5: a system prompt and one message.
        ("claude-3", ["You are a scientist", "Hello, Claude"], 14),
        # README of claude-token-count and of ctok.
        ("claude-3", ["Hello, world"], 10),
        ("claude-3", ["hello, world"], 10),
        ("claude-4.7", ["hello, world"], 15),
        ("claude-4.8", ["hello, world"], 10),
    ],
)
def test_published_request_counts(key, parts, tokens):
    assert sum(count_many(parts, key)) + frame_tokens(key) == tokens


def test_generations_differ_where_they_are_known_to():
    text = (FIXTURES / "prompts" / "graphrag_graph_extraction_prompt.txt").read_text(encoding="utf-8")
    old, new = count(text, "claude-3"), count(text, "claude-4.7")
    assert 1.2 < new / old < 1.6
    assert abs(count(text, "claude-4.8") - new) <= 1


def test_quotes_fold_in_the_old_generation_only():
    assert count("don\u2019t", "claude-3") == count("don't", "claude-3")
    assert count("don\u2019t", "claude-4.7") != count("don't", "claude-4.7")


def test_line_breaks_at_the_end_run_into_the_frame():
    base = count("hello", "claude-3")
    assert {n: count("hello" + "\n" * n, "claude-3") - base for n in (1, 3, 28, 29, 30, 31, 32, 37, 38, 39, 40)} == {
        1: 0, 3: 0, 28: 0, 29: 1, 30: 0, 31: 0, 32: 1, 37: 1, 38: 0, 39: 1, 40: 1
    }  # fmt: skip


def test_nothing_is_nothing():
    assert [count("", key) for key in GENERATIONS] == [0, 0, 0]


@pytest.mark.parametrize("text", ["\ud83d", "a\udc00b", "\ud800" * 3, "\x00", "\ufdd0\ufdd1", "\ue0ff", "\uffff"])
def test_a_code_point_that_is_no_text_is_counted(text):
    assert count(text, "claude-3") >= 1
    assert count(text.replace("\ud83d", "\ufffd"), "claude-4.7") == count(text, "claude-4.7")


@given(ANY_TEXT)
def test_any_string_counts_the_same_twice_and_within_its_bytes(text):
    for key in GENERATIONS:
        n = count(text, key)
        assert n == count(text, key)
        assert 0 <= n <= 4 * len(text.encode("utf-8", "surrogatepass")) + 1


@given(st.lists(ANY_TEXT, max_size=6))
def test_a_batch_is_its_texts(texts):
    assert count_many(texts, "claude-4.7") == [count(text, "claude-4.7") for text in texts]


@given(PROSE, PROSE)
@settings(max_examples=50)
def test_joined_prose_is_about_the_sum(first, second):
    one, two = " ".join(first), " ".join(second)
    for key in GENERATIONS:
        both = count(f"{one}\n\n{two}", key)
        parts = count(one, key) + count(two, key)
        assert parts - 2 <= both <= parts + 2
        assert both > max(count(one, key), count(two, key))


def test_unknown_generation_is_a_key_error():
    with pytest.raises(KeyError):
        count("text", "claude-2")


def test_version_tells_vocabularies_apart():
    assert version("claude-3") != version("claude-4.7")
    assert version("claude-4.7") == version("claude-4.8")
