"""A request to a model, whatever the provider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from promptslim.config.error import suggestion
from promptslim.core.record import field, record
from promptslim.pricing.cost import Tier
from promptslim.proof.canonical import data_hash
from promptslim.tokens.counter import Counter
from promptslim.tokens.frames import frame_tokens
from promptslim.verify.suite import Model

PARAMETERS = ("max_tokens", "temperature", "top_p", "stop_sequences", "additionalModelRequestFields", "serviceTier")
ELSEWHERE = ("region", "inferenceModelType")
"""Parameters of promptfoo's that say where to call, and nothing about the request."""

_UNKNOWN_FRAME = 50
_TOOLS_FRAME = 1000


@record
class Message:
    """A turn: ``role`` is user or assistant."""

    role: str
    text: str


@record
class Tool:
    """A tool that may be called; ``schema`` is the JSON Schema of its arguments."""

    name: str
    schema: Mapping[str, Any]
    description: str = ""


@record
class Request:
    """``id`` names the request in the run: item, prompt and repetition. ``max_tokens`` None: no output limit is sent.
    ``cache``: lifetime (5m, 1h) of a cache point after the system text, or after the tools where there is none; empty:
    no cache point. ``extra``: fields of the model's own, sent as they are. ``metadata`` tags the run and changes no
    answer."""

    id: str
    model: str
    messages: tuple[Message, ...]
    system: str = ""
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop: tuple[str, ...] = ()
    tools: tuple[Tool, ...] = ()
    cache: str = ""
    tier: Tier = "standard"
    extra: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)


class ParameterError(Exception):
    """A parameter of a suite that no request has. The message is one line."""


def request_of(
    request_id: str,
    model: Model,
    messages: tuple[Message, ...],
    *,
    system: str = "",
    tools: tuple[Tool, ...] = (),
    cache: str = "",
    metadata: Mapping[str, str] | None = None,
) -> Request:
    """A request with the parameters of a suite's model. Raises ParameterError."""
    given = {name: value for name, value in model.parameters.items() if name not in ELSEWHERE}
    for name in given:
        if name not in PARAMETERS:
            hint = suggestion(name, PARAMETERS, "known are " + ", ".join(PARAMETERS))
            raise ParameterError(f"unknown parameter {name!r} of {model.id}; {hint}")
    stop = given.get("stop_sequences") or ()
    return Request(
        id=request_id,
        model=model.id,
        messages=messages,
        system=system,
        max_tokens=_whole(given.get("max_tokens")),
        temperature=_number("temperature", given.get("temperature")),
        top_p=_number("top_p", given.get("top_p")),
        stop=(stop,) if isinstance(stop, str) else tuple(stop),
        tools=tools,
        cache=cache,
        tier=tier_of(given.get("serviceTier")),
        extra=given.get("additionalModelRequestFields") or {},
        metadata=metadata or {},
    )


def _whole(value: object) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value > 0):
        return value
    raise ParameterError(f"max_tokens has to be a whole number from 1, not {value!r}")


def _number(name: str, value: object) -> float | None:
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    raise ParameterError(f"{name} has to be a number, not {value!r}")


def tier_of(value: object) -> Tier:
    """The service tier in a suite's parameters. Raises ParameterError."""
    named = value.get("type") if isinstance(value, dict) else value
    match named:
        case None | "default" | "standard":
            return "standard"
        case "flex":
            return "flex"
        case "priority":
            return "priority"
    raise ParameterError(f"serviceTier has to be default, flex or priority, not {named!r}")


def request_digest(request: Request) -> str:
    """The hash of all that decides the answer: everything but id and metadata."""
    return data_hash(
        [
            request.model,
            [[one.role, one.text] for one in request.messages],
            request.system,
            [request.max_tokens, request.temperature, request.top_p, list(request.stop), request.tier, request.cache],
            [[tool.name, tool.description, dict(tool.schema)] for tool in request.tools],
            dict(request.extra),
        ]
    )


def most_input_tokens(request: Request, counter: Counter, tokenizer: str) -> int:
    """The upper end of the band of the request's input tokens.

    Frames that are not known are taken as 50 tokens for each message, and what a provider adds to tools as 1,000:
    Anthropic's documentation of tool use gives up to 804 (2026).
    """
    texts = [request.system, *(one.text for one in request.messages)]
    texts += [f"{tool.name} {tool.description} {dict(tool.schema)}" for tool in request.tools]
    content = sum(count.high for count in counter.count_many(texts, tokenizer, precise=True))
    frame = frame_tokens(tokenizer, len(request.messages))
    frame = _UNKNOWN_FRAME * len(request.messages) if frame is None else frame
    return content + frame + (_TOOLS_FRAME if request.tools else 0)
