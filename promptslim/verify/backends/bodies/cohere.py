"""Cohere's Command R; counts in headers only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from promptslim.core.call_fault import CannotCallError
from promptslim.verify.answer import Answer
from promptslim.verify.backends.bodies.mistral_text import counted
from promptslim.verify.request import Request

BODIES = ("cohere",)
_STOPS = {"COMPLETE": "end_turn", "MAX_TOKENS": "max_tokens", "STOP_SEQUENCE": "stop_sequence"}


def write(request: Request) -> dict[str, Any]:
    """The last message with preamble and history. Raises CannotCallError for tools, whose form differs here."""
    if request.tools:
        raise CannotCallError(f"{request.model}: use Converse for tools")
    roles = {"user": "USER", "assistant": "CHATBOT"}
    body = {
        "message": request.messages[-1].text,
        "chat_history": [{"role": roles[one.role], "message": one.text} for one in request.messages[:-1]] or None,
        "preamble": request.system or None,
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "p": request.top_p,
        "stop_sequences": list(request.stop) or None,
    }
    return {key: value for key, value in body.items() if value is not None}


def read(body: Mapping[str, Any], headers: Mapping[str, str], seconds: float) -> Answer:
    """The text."""
    reason = body["finish_reason"]
    return Answer(body["text"], _STOPS.get(reason, reason), (), seconds, None, counted(headers))
