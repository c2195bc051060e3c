"""The families that speak OpenAI's chat completions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from promptslim.verify.answer import Answer
from promptslim.verify.chat_completions import completion_answer, completion_body
from promptslim.verify.request import Request

BODIES = ("mistral_chat", "openai", "qwen", "jamba", "openai_like")


def write(request: Request) -> dict[str, Any]:
    """Messages, among them the system's."""
    return completion_body(request, "max_completion_tokens" if "openai." in request.model else "max_tokens")


def read(body: Mapping[str, Any], headers: Mapping[str, str], seconds: float) -> Answer:
    """A chat completion."""
    del headers
    return completion_answer(body, seconds)
