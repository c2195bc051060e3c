"""Mistral's text completion, and DeepSeek's: a prompt with its template written out; counts in headers only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from promptslim.core.call_fault import CannotCallError
from promptslim.pricing.cost import Usage
from promptslim.verify.answer import Answer
from promptslim.verify.request import Request

BODIES = ("mistral_text", "deepseek")
_STOPS = {"stop": "end_turn", "length": "max_tokens"}


def write(request: Request) -> dict[str, Any]:
    """A prompt in the family's template (model-parameters pages, AWS user guide, 2026). Raises CannotCallError for
    tools, which this body has no place for."""
    if request.tools:
        raise CannotCallError(f"{request.model}: InvokeModel takes no tools; use Converse")
    body = {
        "prompt": _deepseek(request) if "deepseek" in request.model else _mistral(request),
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "stop": list(request.stop) or None,
    }
    return {key: value for key, value in body.items() if value is not None}


def _mistral(request: Request) -> str:
    text, first = "<s>", True
    for one in request.messages:
        if one.role == "user":
            said = f"{request.system}\n\n{one.text}" if first and request.system else one.text
            text, first = f"{text}[INST] {said} [/INST]", False
        else:
            text = f"{text} {one.text}</s>"
    return text


def _deepseek(request: Request) -> str:
    bar, low = "\uff5c", "\u2581"
    marks = {"user": f"<{bar}User{bar}>", "assistant": f"<{bar}Assistant{bar}>"}
    turns = "".join(f"{marks[one.role]}{one.text}" for one in request.messages)
    return f"<{bar}begin{low}of{low}sentence{bar}>{request.system}{turns}{marks['assistant']}<think>\n"


def read(body: Mapping[str, Any], headers: Mapping[str, str], seconds: float) -> Answer:
    """The first answer."""
    one = (body.get("outputs") or body["choices"])[0]
    return Answer(one["text"], _STOPS.get(one["stop_reason"], one["stop_reason"]), (), seconds, None, counted(headers))


def counted(headers: Mapping[str, str]) -> Usage:
    """The counts in the headers of an answer. Raises KeyError or ValueError."""
    start = "x-amzn-bedrock-"
    return Usage(
        int(headers[f"{start}input-token-count"]),
        int(headers[f"{start}output-token-count"]),
        int(headers.get(f"{start}cache-read-input-token-count", 0)),
        int(headers.get(f"{start}cache-write-input-token-count", 0)),
    )
