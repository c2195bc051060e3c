"""Nova's messages; a cache point stands inside the text block."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from promptslim.verify.local import fields
from promptslim.verify.local.exchange import Chat, Reply, Segment, invalid

BODIES = ("nova",)
_KEYS = ("schemaVersion", "system", "messages", "inferenceConfig", "toolConfig", "additionalModelRequestFields")


def read(model: str, body: Mapping[str, Any]) -> Chat:
    """A messages-v1 request."""
    fields.known(body, _KEYS)
    config = body.get("inferenceConfig") or {}
    if not body.get("messages"):
        raise invalid("Malformed input request: #: required key [messages] not found")
    tools = (body.get("toolConfig") or {}).get("tools") or ()
    segments = [Segment("tools", json.dumps(tool, sort_keys=True)) for tool in tools]
    segments += _blocks("system", body.get("system") or ())
    turns = []
    for message in body["messages"]:
        blocks = _blocks("messages", message.get("content") or ())
        segments += blocks
        turns.append((str(message.get("role")), fields.joined(blocks, "messages")))
    cap = fields.whole(config, "maxTokens") or fields.whole(config, "max_new_tokens")
    stop = fields.texts(config.get("stopSequences"))
    temperature = fields.number(config, "temperature")
    return Chat(model, tuple(turns), fields.joined(segments, "system"), cap, temperature, stop, tuple(segments))


def _blocks(section: str, blocks: Any) -> list[Segment]:  # noqa: ANN401 (data of any form)
    found = []
    for block in blocks:
        ttl = "5m" if "cachePoint" in block else None
        found.append(Segment(section, str(block.get("text", json.dumps(block, sort_keys=True))), ttl))
    return found


def write(reply: Reply) -> dict[str, Any]:
    """An answer in the words of Converse, with other names for cached tokens."""
    return {
        "output": {"message": {"role": "assistant", "content": _content(reply)}},
        "stopReason": reply.stop,
        "usage": {
            "inputTokens": reply.usage.fresh,
            "outputTokens": reply.usage.output,
            "totalTokens": reply.usage.request + reply.usage.output,
            "cacheReadInputTokenCount": reply.usage.read,
            "cacheWriteInputTokenCount": reply.usage.write_5m,
        },
    }


def _content(reply: Reply) -> list[dict[str, Any]]:
    tools = [{"toolUse": {"toolUseId": one["id"], "name": one["name"], "input": one["input"]}} for one in reply.tools]
    return [{"text": reply.text}, *tools] if reply.text else tools


def chunks(reply: Reply) -> Iterator[dict[str, Any]]:
    """Events with the names of Converse's."""
    yield {"messageStart": {"role": "assistant"}}
    for piece in fields.pieces(reply.text):
        yield {"contentBlockDelta": {"delta": {"text": piece}, "contentBlockIndex": 0}}
    yield {"contentBlockStop": {"contentBlockIndex": 0}}
    yield {"messageStop": {"stopReason": reply.stop}}
    yield {"metadata": {"usage": write(reply)["usage"], "metrics": {}}}
