"""Answers as JSON, for journals and recordings."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from promptslim.pricing.cost import Usage
from promptslim.verify.answer import Answer, ToolCall

_USAGE = ("fresh", "output", "read", "write_5m", "write_1h")


def to_data(answer: Answer) -> dict[str, Any]:
    """The answer as data; what is empty is left out."""
    usage = answer.usage
    data = {
        "text": answer.text,
        "stop": answer.stop,
        "tool_calls": [{"name": call.name, "arguments": dict(call.arguments)} for call in answer.tool_calls],
        "seconds": answer.seconds,
        "usd": None if answer.usd is None else str(answer.usd),
        "usage": usage and {name: getattr(usage, name) for name in _USAGE if getattr(usage, name)},
        "attempts": answer.attempts,
    }
    return {key: value for key, value in data.items() if value not in (None, "", []) or key == "text"}


def from_data(data: Mapping[str, Any]) -> Answer:
    """The answer in such data. Raises KeyError, TypeError, ValueError or ArithmeticError where it is none."""
    usage = data.get("usage")
    if not isinstance(data["text"], str):
        raise TypeError("text")
    return Answer(
        text=data["text"],
        stop=str(data.get("stop", "")),
        tool_calls=tuple(ToolCall(str(call["name"]), dict(call["arguments"])) for call in data.get("tool_calls", ())),
        seconds=data.get("seconds"),
        usd=Decimal(data["usd"]) if "usd" in data else None,
        usage=None if usage is None else Usage(**{"fresh": 0, **{name: int(count) for name, count in usage.items()}}),
        attempts=int(data.get("attempts", 1)),
    )
