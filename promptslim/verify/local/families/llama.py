"""Llama: a prompt with its chat template written out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from promptslim.verify.local import fields
from promptslim.verify.local.exchange import Chat, Reply, Segment

BODIES = ("llama",)


def read(model: str, body: Mapping[str, Any]) -> Chat:
    """A prompt with max_gen_len."""
    fields.known(body, ("prompt", "max_gen_len", "temperature", "top_p", "images"))
    text = fields.text(body, "prompt")
    cap, temperature = fields.whole(body, "max_gen_len"), fields.number(body, "temperature")
    return Chat(model, (("user", text),), "", cap, temperature, (), (Segment("messages", text),))


def write(reply: Reply) -> dict[str, Any]:
    """The generation and its counts."""
    return {
        "generation": reply.text,
        "prompt_token_count": reply.usage.request,
        "generation_token_count": reply.usage.output,
        "stop_reason": "length" if reply.stop == "max_tokens" else "stop",
    }


def chunks(reply: Reply) -> Iterator[dict[str, Any]]:
    """Pieces of the generation; the last one has the reason and the counts."""
    nothing = {"prompt_token_count": None, "generation_token_count": None, "stop_reason": None}
    for piece in fields.pieces(reply.text):
        yield {"generation": piece, **nothing}
    yield {**write(reply), "generation": ""}
