"""What a request adds to its content."""

from __future__ import annotations

import pytest

from promptslim.tokens.frames import frame_tokens


@pytest.mark.parametrize(("key", "tokens"), [("claude-3", 7), ("claude-4.7", 11), ("claude-4.8", 6), ("o200k", 6)])
def test_one_user_message(key, tokens):
    assert frame_tokens(key) == tokens


def test_messages_and_names_of_openai():
    # OpenAI cookbook: 3 per message, 1 per name, 3 once; its example has six messages, four of them named.
    assert frame_tokens("cl100k", 6, names=4) == 25


@pytest.mark.parametrize(
    ("key", "messages", "names"),
    [("claude-3", 2, 0), ("claude-3", 1, 1), ("llama3", 1, 0), ("unknown", 1, 0), ("o200k", 0, 0)],
)
def test_what_is_not_known_is_not_guessed(key, messages, names):
    assert frame_tokens(key, messages, names) is None
