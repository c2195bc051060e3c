"""The families that speak OpenAI's chat completions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from promptslim.verify.local import fields
from promptslim.verify.local.exchange import Chat, Reply, Segment, invalid

BODIES = ("mistral_chat", "openai", "qwen", "jamba", "openai_like")
_STOPS = {"max_tokens": "length", "tool_use": "tool_calls"}
_SYSTEM = ("system", "developer")


def read(model: str, body: Mapping[str, Any]) -> Chat:
    """Messages, among them the system's."""
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise invalid("Malformed input request: #: required key [messages] not found")
    if "openai.gpt-" in model and "gpt-oss" not in model and "max_tokens" in body:
        raise invalid("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")
    texts = [(str(one.get("role")), _text(one.get("content"))) for one in messages if isinstance(one, dict)]
    system = "\n".join(text for role, text in texts if role in _SYSTEM)
    turns = tuple((role, text) for role, text in texts if role not in _SYSTEM)
    segments = [Segment("tools", json.dumps(tool, sort_keys=True)) for tool in body.get("tools") or ()]
    segments += [Segment("system" if role in _SYSTEM else "messages", text) for role, text in texts]
    cap = fields.whole(body, "max_completion_tokens") or fields.whole(body, "max_tokens")
    temperature = fields.number(body, "temperature")
    return Chat(model, turns, system, cap, temperature, fields.texts(body.get("stop")), tuple(segments))


def _text(content: object) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(str(one.get("text", "")) for one in content) if isinstance(content, list) else ""


def write(reply: Reply) -> dict[str, Any]:
    """A chat completion."""
    calls = [
        {"id": one["id"], "type": "function", "function": {"name": one["name"], "arguments": json.dumps(one["input"])}}
        for one in reply.tools
    ]
    message = {"role": "assistant", "content": reply.text, **({"tool_calls": calls} if calls else {})}
    return {
        "id": f"chatcmpl-{reply.id}",
        "object": "chat.completion",
        "created": 0,
        "model": reply.model,
        "choices": [{"index": 0, "message": message, "finish_reason": _STOPS.get(reply.stop, "stop")}],
        "usage": {
            "prompt_tokens": reply.usage.request,
            "completion_tokens": reply.usage.output,
            "total_tokens": reply.usage.request + reply.usage.output,
            "prompt_tokens_details": {"cached_tokens": reply.usage.read},
        },
    }


def chunks(reply: Reply) -> Iterator[dict[str, Any]]:
    """Deltas; the last one has the reason and the counts."""
    head = {"id": f"chatcmpl-{reply.id}", "object": "chat.completion.chunk", "created": 0, "model": reply.model}
    for piece in fields.pieces(reply.text):
        yield {**head, "choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}]}
    finish = _STOPS.get(reply.stop, "stop")
    usage = write(reply)["usage"]
    yield {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}], "usage": usage}
