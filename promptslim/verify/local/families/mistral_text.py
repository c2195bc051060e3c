"""Mistral's text completion, and DeepSeek's, which names the list of answers otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from promptslim.verify.local import fields
from promptslim.verify.local.exchange import Chat, Reply, Segment

BODIES = ("mistral_text", "deepseek")


def read(model: str, body: Mapping[str, Any]) -> Chat:
    """A prompt with max_tokens."""
    fields.known(body, ("prompt", "max_tokens", "temperature", "top_p", "top_k", "stop"))
    text = fields.text(body, "prompt")
    cap, temperature = fields.whole(body, "max_tokens"), fields.number(body, "temperature")
    stop = fields.texts(body.get("stop"))
    return Chat(model, (("user", text),), "", cap, temperature, stop, (Segment("messages", text),))


def write(reply: Reply) -> dict[str, Any]:
    """One answer; the counts are in the headers only."""
    return _answers(reply.model, reply.text, "length" if reply.stop == "max_tokens" else "stop")


def chunks(reply: Reply) -> Iterator[dict[str, Any]]:
    """Pieces of the text; the last one has the reason."""
    for piece in fields.pieces(reply.text):
        yield _answers(reply.model, piece, None)
    yield _answers(reply.model, "", "length" if reply.stop == "max_tokens" else "stop")


def _answers(model: str, text: str, stop: str | None) -> dict[str, Any]:
    name = "choices" if "deepseek" in model else "outputs"
    return {name: [{"text": text, "stop_reason": stop}]}
