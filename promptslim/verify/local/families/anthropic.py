"""Claude's messages."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from promptslim.verify.local import fields
from promptslim.verify.local.exchange import Chat, Reply, Segment, invalid

BODIES = ("anthropic",)
_KEYS = (
    "anthropic_version", "anthropic_beta", "max_tokens", "messages", "system", "tools", "tool_choice", "temperature",
    "top_p", "top_k", "stop_sequences", "thinking", "metadata", "output_config", "context_management", "mcp_servers",
    "container", "cache_control", "service_tier", "speed",
)  # fmt: skip


def read(model: str, body: Mapping[str, Any]) -> Chat:
    """A Messages request."""
    if "max_tokens" not in body:
        raise invalid("max_tokens: Field required")
    if "anthropic_version" not in body:
        raise invalid("anthropic_version: Field required")
    for key in body:
        if key not in _KEYS:
            raise invalid(f"{key}: Extra inputs are not permitted")
    temperature = fields.number(body, "temperature")
    if temperature is not None and not 0 <= temperature <= 1:
        raise invalid("temperature: range: 0..1")
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise invalid("messages: at least one message is required")
    segments = [Segment("tools", json.dumps(tool, sort_keys=True), _ttl(tool)) for tool in body.get("tools") or ()]
    system = body.get("system") or ()
    segments += _blocks("system", [{"type": "text", "text": system}] if isinstance(system, str) else system)
    turns = []
    for number, one in enumerate(messages):
        blocks = _message(one, number, len(messages))
        segments += blocks
        turns.append((str(one.get("role")), fields.joined(blocks, "messages")))
    return Chat(
        model, tuple(turns), fields.joined(segments, "system"), fields.whole(body, "max_tokens"),
        temperature, fields.texts(body.get("stop_sequences")), tuple(segments),
    )  # fmt: skip


def _message(one: Any, number: int, count: int) -> list[Segment]:  # noqa: ANN401 (data of any form)
    """The blocks of one of ``count`` messages. Raises Refused."""
    if not isinstance(one, dict) or one.get("role") not in ("user", "assistant"):
        raise invalid(f"messages.{number}.role: Input should be 'user' or 'assistant'")
    if number == 0 and one["role"] != "user":
        raise invalid("messages: first message must use the user role")
    content = one.get("content") or []
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    if not blocks and (number < count - 1 or one["role"] == "user"):
        raise invalid(
            f"messages.{number}: all messages must have non-empty content, but for a last one of the assistant"
        )
    if any(block.get("text") == "" for block in blocks):
        raise invalid("messages: text content blocks must be non-empty")
    return _blocks("messages", blocks)


def _blocks(section: str, blocks: Any) -> list[Segment]:  # noqa: ANN401 (data of any form)
    return [
        Segment(section, str(block.get("text", json.dumps(block, sort_keys=True))), _ttl(block)) for block in blocks
    ]


def _ttl(block: Mapping[str, Any]) -> str | None:
    marker = block.get("cache_control")
    return str(marker.get("ttl", "5m")) if isinstance(marker, dict) else None


def write(reply: Reply) -> dict[str, Any]:
    """A Message."""
    content: list[dict[str, Any]] = [{"type": "text", "text": reply.text}] if reply.text else []
    content += [{"type": "tool_use", **tool} for tool in reply.tools]
    return {
        "id": f"msg_bdrk_{reply.id}",
        "type": "message",
        "role": "assistant",
        "model": reply.model,
        "content": content,
        "stop_reason": reply.stop,
        "stop_sequence": None,
        "usage": {
            "input_tokens": reply.usage.fresh,
            "cache_creation_input_tokens": reply.usage.write_5m + reply.usage.write_1h,
            "cache_read_input_tokens": reply.usage.read,
            "cache_creation": {
                "ephemeral_5m_input_tokens": reply.usage.write_5m,
                "ephemeral_1h_input_tokens": reply.usage.write_1h,
            },
            "output_tokens": reply.usage.output,
        },
    }


def chunks(reply: Reply) -> Iterator[dict[str, Any]]:
    """The events of a Messages stream."""
    whole = write(reply)
    yield {"type": "message_start", "message": {**whole, "content": [], "stop_reason": None}}
    for index, block in enumerate(whole["content"]):
        empty = {**block, "text": ""} if block["type"] == "text" else {**block, "input": {}}
        yield {"type": "content_block_start", "index": index, "content_block": empty}
        if block["type"] == "text":
            deltas = [{"type": "text_delta", "text": piece} for piece in fields.pieces(block["text"])]
        else:
            deltas = [{"type": "input_json_delta", "partial_json": json.dumps(block["input"])}]
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    ended = {"stop_reason": reply.stop, "stop_sequence": None}
    yield {"type": "message_delta", "delta": ended, "usage": {"output_tokens": reply.usage.output}}
    yield {"type": "message_stop"}
