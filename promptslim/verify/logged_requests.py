"""Logged requests and answers: invocation logs of Bedrock, and simple JSON Lines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from promptslim.core.prompt import Hole, Literal, Part, Prompt
from promptslim.core.record import record
from promptslim.verify.filling import name_of


class LogError(Exception):
    """A log that cannot be read. The message is one line with the place."""


@record
class Logged:
    """One request: its texts in order (system, then turns), the variables where the log has them, and the answer
    (None: not logged). ``turns``: role and text of the messages."""

    texts: tuple[str, ...]
    answer: str | None
    variables: Mapping[str, Any] | None = None
    turns: tuple[tuple[str, str], ...] = ()


def logged(path: str, text: str) -> Iterator[Logged]:
    """The requests of a log. Known are records of Bedrock's model invocation log (Converse, or messages in the body),
    ``{"messages": [...], "output": ...}``, ``{"prompt": ..., "output": ...}`` and ``{"vars": {...}, "output": ...}``.
    Answers may be the events of a stream. Lines of other operations are passed over. Raises LogError."""
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            raise LogError(f"{path}:{number}: the line is not JSON") from None
        if not isinstance(value, dict):
            raise LogError(f"{path}:{number}: a line is an object with messages, prompt or vars, and output")
        one = _request(value)
        if one is not None:
            yield one


def _request(value: Mapping[str, Any]) -> Logged | None:
    match value:
        case {"input": {"inputBodyJson": dict() as body}, **rest}:
            said = rest.get("output")
            answer = said.get("outputBodyJson") if isinstance(said, Mapping) else None
            return Logged(tuple(_texts(body)), _answer(answer), None, tuple(_turns(body)))
        case {"vars": dict() as variables, **rest}:
            return Logged((), _answer(rest.get("output")), variables)
        case {"messages": list()} | {"prompt": str()} | {"input": str()}:
            answer = value.get("output", value.get("completion"))
            return Logged(tuple(_texts(value)), _answer(answer), None, tuple(_turns(value)))
    return None


def _turns(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    turns = body.get("messages")
    for turn in turns if isinstance(turns, list) else ():
        if isinstance(turn, Mapping) and turn.get("role") in ("user", "assistant"):
            yield str(turn["role"]), _content(turn.get("content"))


def _texts(body: Mapping[str, Any]) -> Iterator[str]:
    system = body.get("system")
    if system:
        yield _content(system)
    for turn in body.get("messages", ()) if isinstance(body.get("messages"), list) else ():
        if isinstance(turn, Mapping):
            yield _content(turn.get("content"))
    for name in ("prompt", "input", "inputText"):
        if isinstance(body.get(name), str):
            yield body[name]


def _content(value: object) -> str:
    match value:
        case str():
            return value
        case list():
            return "".join(_content(one) for one in value)
        case {"text": str() as text}:
            return text
    return ""


def _answer(value: object) -> str | None:
    match value:
        case str():
            return value
        case {"output": {"message": {"content": content}}} | {"content": content} | {"message": {"content": content}}:
            return _content(content)
        case {"choices": [{"message": {"content": str() as text}}, *_]}:
            return text
        case {"results": [{"outputText": str() as text}, *_]} | {"outputs": [{"text": str() as text}, *_]}:
            return text
        case {"generation": str() as text} | {"completion": str() as text} | {"text": str() as text}:
            return text
        case [*events] if events:
            pieces = [piece for event in events if (piece := _piece(event)) is not None]
            return "".join(pieces) if pieces else None
    return None


def _piece(event: object) -> str | None:
    """The text in one event of a stream."""
    match event:
        case {"contentBlockDelta": {"delta": {"text": str() as text}}} | {"delta": {"text": str() as text}}:
            return text
        case {"outputText": str() as text} | {"generation": str() as text} | {"completion": str() as text}:
            return text
        case {"choices": [{"delta": {"content": str() as text}}, *_]} | {"outputs": [{"text": str() as text}, *_]}:
            return text
    return None


def values_of(parts: tuple[Part, ...], text: str) -> dict[str, str] | None:
    """The values that fill the holes of a prompt so that it reads ``text``; None where it cannot, or where a hole that
    comes twice would have two values."""
    pattern, names = _pattern(parts)
    found = pattern.fullmatch(text)
    if found is None:
        return None
    values: dict[str, str] = {}
    for number, name in enumerate(names, 1):
        if values.setdefault(name, found[number]) != found[number]:
            return None
    return values


def _pattern(parts: tuple[Part, ...]) -> tuple[re.Pattern[str], list[str]]:
    pieces: list[str] = []
    names: list[str] = []
    for part in parts:
        match part:
            case Literal(text=text):
                pieces.append(re.escape(text))
            case Hole():
                pieces.append("(.*?)")
                names.append(name_of(part))
    return re.compile("".join(pieces), re.DOTALL), names


def variables_of(prompts: tuple[Prompt, ...], request: Logged) -> dict[str, Any] | None:
    """The variables that make the prompts of a call read as in a logged request, matched one after the other; None
    where the request is not of this call."""
    if request.variables is not None:
        return dict(request.variables)
    found: dict[str, Any] = {}
    left = list(request.texts)
    for prompt in prompts:
        match = next(((text, values) for text in left if (values := values_of(prompt.parts, text)) is not None), None)
        if match is None:
            return None
        left.remove(match[0])
        found.update(match[1])
    return found
