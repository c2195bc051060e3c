"""Titan text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from promptslim.pricing.cost import Usage
from promptslim.verify.answer import Answer
from promptslim.verify.request import Request

BODIES = ("titan",)
_STOPS = {"FINISH": "end_turn", "LENGTH": "max_tokens", "STOP_CRITERIA_MET": "stop_sequence"}


def write(request: Request) -> dict[str, Any]:
    """Turns as Titan's chat template has them (AWS user guide, model-parameters page for Titan text, 2026)."""
    config = {
        "maxTokenCount": request.max_tokens,
        "temperature": request.temperature,
        "topP": request.top_p,
        "stopSequences": list(request.stop) or None,
    }
    names = {"user": "User", "assistant": "Bot"}
    turns = [request.system] if request.system else []
    turns += [f"{names[one.role]}: {one.text}" for one in request.messages]
    given = {key: value for key, value in config.items() if value is not None}
    return {"inputText": "\n".join([*turns, "Bot:"]), **({"textGenerationConfig": given} if given else {})}


def read(body: Mapping[str, Any], headers: Mapping[str, str], seconds: float) -> Answer:
    """One result."""
    del headers
    result = body["results"][0]
    reason = result["completionReason"]
    usage = Usage(body["inputTextTokenCount"], result["tokenCount"])
    return Answer(result["outputText"], _STOPS.get(reason, reason), (), seconds, None, usage)
