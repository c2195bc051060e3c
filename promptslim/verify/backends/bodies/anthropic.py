"""Claude's messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from promptslim.core.call_fault import CannotCallError
from promptslim.pricing.cost import Usage
from promptslim.verify.answer import Answer, ToolCall
from promptslim.verify.request import Request

BODIES = ("anthropic",)


def write(request: Request) -> dict[str, Any]:
    """A Messages request. Raises CannotCallError without an output limit, which this API demands."""
    if request.max_tokens is None:
        raise CannotCallError(f"{request.model}: InvokeModel needs max_tokens for Claude; set it in the suite")
    system: list[dict[str, Any]] = [{"type": "text", "text": request.system}] if request.system else []
    tools: list[dict[str, Any]] = [
        {"name": tool.name, "description": tool.description, "input_schema": dict(tool.schema)}
        for tool in request.tools
    ]
    if request.cache and (system or tools):
        (system or tools)[-1]["cache_control"] = {"type": "ephemeral", "ttl": request.cache}
    body = {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": request.max_tokens,
        "system": system or None,
        "tools": tools or None,
        "messages": [{"role": one.role, "content": one.text} for one in request.messages],
        "temperature": request.temperature,
        "top_p": request.top_p,
        "stop_sequences": list(request.stop) or None,
    }
    return {key: value for key, value in body.items() if value is not None}


def read(body: Mapping[str, Any], headers: Mapping[str, str], seconds: float) -> Answer:
    """A Message."""
    del headers
    usage = body["usage"]
    hour = (usage.get("cache_creation") or {}).get("ephemeral_1h_input_tokens") or 0
    written = usage.get("cache_creation_input_tokens") or 0
    read_tokens = usage.get("cache_read_input_tokens") or 0
    return Answer(
        text="".join(block["text"] for block in body["content"] if block["type"] == "text"),
        stop=body["stop_reason"],
        tool_calls=tuple(
            ToolCall(block["name"], block["input"]) for block in body["content"] if block["type"] == "tool_use"
        ),
        seconds=seconds,
        usage=Usage(usage["input_tokens"], usage["output_tokens"], read_tokens, written - hour, hour),
    )
