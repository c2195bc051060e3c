"""Cohere's Command R."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from promptslim.verify.local import fields
from promptslim.verify.local.exchange import Chat, Reply, Segment

BODIES = ("cohere",)
_STOPS = {"max_tokens": "MAX_TOKENS", "stop_sequence": "STOP_SEQUENCE"}


def read(model: str, body: Mapping[str, Any]) -> Chat:
    """A message with preamble and history."""
    text = fields.text(body, "message")
    history = [
        ("assistant" if one.get("role") == "CHATBOT" else "user", str(one.get("message", "")))
        for one in body.get("chat_history") or ()
    ]
    system = str(body.get("preamble") or "")
    turns = (*history, ("user", text))
    segments = (*((Segment("system", system),) if system else ()), *(Segment("messages", one) for _, one in turns))
    cap, temperature = fields.whole(body, "max_tokens"), fields.number(body, "temperature")
    return Chat(model, turns, system, cap, temperature, fields.texts(body.get("stop_sequences")), segments)


def write(reply: Reply) -> dict[str, Any]:
    """The text; the counts are in the headers only."""
    finish = _STOPS.get(reply.stop, "COMPLETE")
    return {"response_id": reply.id, "generation_id": reply.id, "text": reply.text, "finish_reason": finish}


def chunks(reply: Reply) -> Iterator[dict[str, Any]]:
    """Pieces of the text; the last event has the reason."""
    for piece in fields.pieces(reply.text):
        yield {"event_type": "text-generation", "is_finished": False, "text": piece}
    whole = write(reply)
    yield {"event_type": "stream-end", "is_finished": True, "finish_reason": whole["finish_reason"], "response": whole}
