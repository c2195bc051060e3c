"""Scripted answers: a list in turn, the first rule that fits, or a function in a Python file."""

from __future__ import annotations

import itertools
import json
import re
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from promptslim.verify.local.exchange import Chat, Completion, Source

_SHAPE = 'an answer is a text, or a mapping with "text" and, where wanted, "stop" and "tools"'


class ScriptError(Exception):
    """A script that cannot be used. The message is one line."""


def echo(chat: Chat) -> Completion:
    """The last turn."""
    return Completion(chat.last)


def in_turn(answers: Sequence[Any]) -> Source:
    """The answers one after the other, and again from the first. Raises ScriptError."""
    if not answers:
        raise ScriptError("the list of answers is empty")
    endless = itertools.cycle([_completion(one) for one in answers])
    lock = threading.Lock()

    def answer(_chat: Chat) -> Completion:
        with lock:
            return next(endless)

    return answer


def by_rules(rules: Sequence[Any]) -> Source:
    """The answer of the first rule whose ``match``, a regular expression, is found in the prompt; groups are filled
    in as ``\\1``. A rule without ``match`` always fits. Raises ScriptError."""
    known = [_rule(number, rule) for number, rule in enumerate(rules, 1)]

    def answer(chat: Chat) -> Completion:
        for pattern, completion in known:
            if found := pattern.search(chat.prompt):
                text = found.expand(completion.text) if pattern.pattern else completion.text
                return Completion(text, completion.stop, completion.tools)
        return Completion("")

    return answer


def _rule(number: int, rule: Any) -> tuple[re.Pattern[str], Completion]:  # noqa: ANN401 (data of any form)
    try:
        pattern, completion = re.compile(rule.get("match", ""), re.DOTALL), _completion(rule)
        if pattern.pattern:
            pattern.sub(completion.text, "")  # raises for groups that the pattern does not have
    except (AttributeError, TypeError):
        raise ScriptError(f'rule {number}: {_SHAPE}, with "match"') from None
    except re.error as error:
        raise ScriptError(f"rule {number}: not a regular expression, or not an answer to it: {error}") from None
    return pattern, completion


def _completion(value: Any) -> Completion:  # noqa: ANN401 (data of any form)
    match value:
        case str():
            return Completion(value)
        case {"text": str()} | {"tools": list()}:
            return Completion(value.get("text", ""), str(value.get("stop", "")), tuple(value.get("tools", ())))
    raise ScriptError(_SHAPE)


def from_file(path: Path) -> Source:
    """``.py``: its function ``answer(chat)``, which gives a text or such a mapping; ``.json``: a list of answers, or
    ``{"rules": [...]}``. Raises ScriptError."""
    if path.suffix == ".py":
        return _from_python(path)
    try:
        data = json.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise ScriptError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise ScriptError(f"{path}: not JSON: {error}") from None
    try:
        match data:
            case list():
                return in_turn(data)
            case {"rules": list() as rules}:
                return by_rules(rules)
    except ScriptError as error:
        raise ScriptError(f"{path}: {error}") from None
    raise ScriptError(f'{path}: a script is a list of answers, or {{"rules": [{{"match": ..., "text": ...}}]}}')


def _from_python(path: Path) -> Source:
    import runpy

    try:
        function = runpy.run_path(str(path)).get("answer")
    except Exception as error:  # noqa: BLE001 (the file is the user's, and may raise anything)
        raise ScriptError(f"{path}: cannot be loaded: {' '.join(str(error).split())}") from None
    if not callable(function):
        raise ScriptError(f"{path}: has no function answer(chat)")

    def answer(chat: Chat) -> Completion:
        said = function(chat)
        return said if isinstance(said, Completion) else _completion(said)

    return answer
