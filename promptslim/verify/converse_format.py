"""Requests and answers in the format of Bedrock's Converse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from promptslim.core.call_fault import CannotCallError
from promptslim.pricing.cost import Tier, Usage
from promptslim.verify.answer import Answer, ToolCall
from promptslim.verify.request import Request


def converse_request(request: Request) -> dict[str, Any]:
    """The arguments of Converse."""
    return {"modelId": request.model, **converse_body(request), **_tags(request)}


def converse_body(request: Request) -> dict[str, Any]:
    """The same without model and metadata: the input of a record of batch inference, or of CountTokens."""
    point = {"cachePoint": {"type": "default", **({"ttl": request.cache} if request.cache != "5m" else {})}}
    if request.cache and not request.system and not request.tools:
        raise CannotCallError(f"{request.id}: a cache point needs a system prompt or tools before it")
    system: list[dict[str, Any]] = [{"text": request.system}] if request.system else []
    tools = [_tool(tool.name, tool.description, tool.schema) for tool in request.tools]
    if request.cache:
        (system or tools).append(point)
    config = {
        "maxTokens": request.max_tokens,
        "temperature": request.temperature,
        "topP": request.top_p,
        "stopSequences": list(request.stop) or None,
    }
    config = {key: value for key, value in config.items() if value is not None}
    tier = {} if request.tier in ("standard", "batch") else {"type": request.tier}
    body = {
        "messages": [{"role": one.role, "content": [{"text": one.text}]} for one in request.messages],
        "system": system,
        "inferenceConfig": config,
        "toolConfig": {"tools": tools} if tools else {},
        "additionalModelRequestFields": dict(request.extra),
        "serviceTier": tier,
    }
    return {key: value for key, value in body.items() if value}


def _tool(name: str, description: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    about = {"description": description} if description else {}
    return {"toolSpec": {"name": name, **about, "inputSchema": {"json": dict(schema)}}}


def _tags(request: Request) -> dict[str, Any]:
    return {"requestMetadata": dict(request.metadata)} if request.metadata else {}


def converse_answer(said: Mapping[str, Any], seconds: float | None) -> Answer:
    """The answer in a response of Converse. Raises KeyError or TypeError where something is missing."""
    blocks = said["output"]["message"]["content"]
    calls = [block["toolUse"] for block in blocks if "toolUse" in block]
    return Answer(
        text="".join(block["text"] for block in blocks if "text" in block),
        stop=said["stopReason"],
        tool_calls=tuple(ToolCall(call["name"], call["input"]) for call in calls),
        seconds=seconds,
        usage=converse_usage(said["usage"]),
        tier=served_tier((said.get("serviceTier") or {}).get("type")),
    )


def served_tier(name: object) -> Tier | None:
    """The tier that the service says a call was served in, in our words; None where it says none that has a price."""
    match name:
        case "default" | "standard":
            return "standard"
        case "flex":
            return "flex"
        case "priority":
            return "priority"
    return None


def converse_usage(usage: Mapping[str, Any]) -> Usage:
    """Tokens as Converse tells them: cached ones are not in ``inputTokens``; writes without details are of 5 minutes
    (AWS Bedrock user guide, prompt-caching page, 2026)."""
    hour = sum(one["inputTokens"] for one in usage.get("cacheDetails") or () if one["ttl"] == "1h")
    written = usage.get("cacheWriteInputTokens") or 0
    return Usage(
        fresh=usage["inputTokens"],
        output=usage["outputTokens"],
        read=usage.get("cacheReadInputTokens") or 0,
        write_5m=written - hour,
        write_1h=hour,
    )
