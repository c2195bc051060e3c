"""Nova's messages: Converse with other names for cached tokens, and cache points inside the text block."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from promptslim.core.call_fault import CannotCallError
from promptslim.pricing.cost import Usage
from promptslim.verify.answer import Answer, ToolCall
from promptslim.verify.converse_format import converse_body
from promptslim.verify.request import Request

BODIES = ("nova",)


def write(request: Request) -> dict[str, Any]:
    """A messages-v1 request."""
    body = converse_body(request)
    if request.cache:
        if not request.system:
            raise CannotCallError(f"{request.id}: Nova caches no tools; a cache point needs a system prompt")
        body["system"] = [{"text": request.system, "cachePoint": {"type": "default"}}]
    body.pop("serviceTier", None)
    extra = body.pop("additionalModelRequestFields", {})
    return {"schemaVersion": "messages-v1", **body, **extra}


def read(body: Mapping[str, Any], headers: Mapping[str, str], seconds: float) -> Answer:
    """An answer in the words of Converse."""
    del headers
    blocks, usage = body["output"]["message"]["content"], body["usage"]
    calls = [block["toolUse"] for block in blocks if "toolUse" in block]
    return Answer(
        text="".join(block["text"] for block in blocks if "text" in block),
        stop=body["stopReason"],
        tool_calls=tuple(ToolCall(call["name"], call["input"]) for call in calls),
        seconds=seconds,
        usage=Usage(
            usage["inputTokens"],
            usage["outputTokens"],
            usage.get("cacheReadInputTokenCount") or 0,
            usage.get("cacheWriteInputTokenCount") or 0,
        ),
    )
