"""Titan text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from promptslim.verify.local import fields
from promptslim.verify.local.exchange import Chat, Reply, Segment

BODIES = ("titan",)
_STOPS = {"max_tokens": "LENGTH", "stop_sequence": "STOP_CRITERIA_MET"}


def read(model: str, body: Mapping[str, Any]) -> Chat:
    """A text and its textGenerationConfig."""
    fields.known(body, ("inputText", "textGenerationConfig"))
    config = body.get("textGenerationConfig") or {}
    text = fields.text(body, "inputText")
    cap, temperature = fields.whole(config, "maxTokenCount"), fields.number(config, "temperature")
    stop = fields.texts(config.get("stopSequences"))
    return Chat(model, (("user", text),), "", cap, temperature, stop, (Segment("messages", text),))


def write(reply: Reply) -> dict[str, Any]:
    """One result."""
    result = {
        "tokenCount": reply.usage.output,
        "outputText": reply.text,
        "completionReason": _STOPS.get(reply.stop, "FINISH"),
    }
    return {"inputTextTokenCount": reply.usage.request, "results": [result]}


def chunks(reply: Reply) -> Iterator[dict[str, Any]]:
    """Pieces of the text; the last one has the counts."""
    for piece in fields.pieces(reply.text):
        yield {"outputText": piece, "index": 0, "completionReason": None, "totalOutputTextTokenCount": None}
    last = {"completionReason": _STOPS.get(reply.stop, "FINISH"), "totalOutputTextTokenCount": reply.usage.output}
    yield {"outputText": "", "index": 0, "inputTextTokenCount": reply.usage.request, **last}
