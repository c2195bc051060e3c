"""Requests and answers in the format of OpenAI's chat completions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from promptslim.pricing.cost import Usage
from promptslim.verify.answer import Answer, ToolCall
from promptslim.verify.request import Request

_STOPS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"}


def completion_body(request: Request, cap: str) -> dict[str, Any]:
    """The body without the model; ``cap`` is the name of the output limit, which differs between models."""
    messages = [{"role": "system", "content": request.system}] if request.system else []
    messages += [{"role": one.role, "content": one.text} for one in request.messages]
    tools = [
        {
            "type": "function",
            "function": {"name": tool.name, "description": tool.description, "parameters": dict(tool.schema)},
        }
        for tool in request.tools
    ]
    body = {
        "messages": messages,
        cap: request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "stop": list(request.stop) or None,
        "tools": tools or None,
    }
    return {key: value for key, value in body.items() if value is not None}


def completion_answer(body: Mapping[str, Any], seconds: float) -> Answer:
    """The first choice. ``prompt_tokens`` include cached ones. Raises KeyError, IndexError, TypeError or ValueError
    where something is missing."""
    choice = body["choices"][0]
    message = choice["message"]
    calls = [call["function"] for call in message.get("tool_calls") or ()]
    reason = choice.get("finish_reason") or ""
    return Answer(
        text=_text(message.get("content")),
        stop=_STOPS.get(reason, reason),
        tool_calls=tuple(ToolCall(call["name"], json.loads(call["arguments"] or "{}")) for call in calls),
        seconds=seconds,
        usage=_usage(body.get("usage")),
    )


def _text(content: object) -> str:
    """Content as a text, or as parts of which some are texts. Raises TypeError for anything else."""
    match content:
        case None:
            return ""
        case str():
            return content
        case list():
            return "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    raise TypeError("content")


def _usage(usage: Mapping[str, Any] | None) -> Usage | None:
    """None also where the counts are none: some servers leave them empty."""
    if not usage or not all(isinstance(usage.get(key), int) for key in ("prompt_tokens", "completion_tokens")):
        return None
    details = usage.get("prompt_tokens_details") or {}
    read, written = details.get("cached_tokens") or 0, details.get("cache_write_tokens") or 0
    return Usage.of_inclusive(usage["prompt_tokens"], usage["completion_tokens"], read, written)
