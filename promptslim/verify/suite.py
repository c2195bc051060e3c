"""Eval suites: YAML (or JSON, TOML) in promptfoo's words.

A suite names the prompts that it is about, the model and parameters, what is to be proved, and its tests: variables
and assertions. It is data in, data out: files that it names are read through a function that is passed in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from promptslim.core.record import field, record
from promptslim.verify.answer import Check

Read = Callable[[str], bytes | None]

HOLE = re.compile(r"\{\{\s*([A-Za-z_][\w-]*(?:\.[\w-]+)*)\s*\}\}")
_MISSING = object()


@record
class Model:
    """The model as it is named, without a provider's prefix, how it is called, and the parameters of the requests."""

    id: str
    route: str = "converse"
    parameters: Mapping[str, Any] = field(default_factory=dict)


@record
class Item:
    """One test: its id (stable while variables and assertions are the same), variables and checks; see ``Pair`` for
    cluster and slices. ``threshold``: of the weighted score, None where every check has to pass. ``place``: file and
    line for messages."""

    id: str
    variables: Mapping[str, Any]
    checks: tuple[Check, ...]
    place: str
    threshold: float | None = None
    cluster: str = ""
    slices: tuple[str, ...] = ()


@record
class Label:
    """An answer to a test that people have judged: ``passed`` says whether it is good enough. ``original`` is the
    answer that it is compared with, for pairwise judges (None: not given)."""

    test: str
    output: str
    passed: bool
    original: str | None = None


@record
class Judge:
    """The model that grades by criteria, and the labelled answers that its errors are measured on."""

    model: Model
    labels: tuple[Label, ...] = ()


@record
class Suite:
    """A suite with everything filled in. ``prompts``: ids of prompts in the code, ``file://`` paths, or texts.
    ``margin`` None: the smallest that the number of items can prove. ``critical``: slices that may not get worse.
    ``repeat``: runs of each item. ``files``: the suite and the files that its items come from, in order. ``judge``:
    what grades llm-rubric and pairwise assertions. ``parameters``: those for every model, one that the suite does not
    name among them. ``notes``: what was passed over."""

    path: str
    prompts: tuple[str, ...]
    models: tuple[Model, ...]
    items: tuple[Item, ...]
    margin: float | None = None
    alpha: float = 0.05
    looks: int | None = 1
    critical: tuple[str, ...] = ()
    repeat: int = 1
    description: str = ""
    files: tuple[str, ...] = ()
    judge: Judge | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class SuiteError(Exception):
    """A suite that cannot be used. The message is one line: file, line, what is wrong and what would be right."""

    def __init__(self, path: str, line: int | None, message: str) -> None:
        super().__init__(f"{path}:{line}: {message}" if line else f"{path}: {message}")
        self.path = path
        self.line = line


class NoShorterPromptError(SuiteError):
    """A suite with one prompt, for which no shorter one is known yet: it can be planned, and not run."""


def read_suite(path: str, read: Read) -> Suite:
    """The suite in a file, with the files that it names. Raises SuiteError."""
    from promptslim.verify.suite_reader import Reader

    return Reader(path, read).suite()


def rendered(text: str, variables: Mapping[str, Any]) -> str:
    """A text with ``{{name}}`` replaced by variables, ``{{name.inner}}`` by what is in them; others stay as they are.

    Texts go in as they are and are not looked at again, so that data cannot name variables; other values go in as
    JSON.
    """
    return HOLE.sub(lambda match: _value(match, variables), text)


def unfilled(text: str, variables: Mapping[str, Any]) -> tuple[str, ...]:
    """The names in ``text`` that no variable fills, in order."""
    names = (match[1] for match in HOLE.finditer(text))
    return tuple(dict.fromkeys(name for name in names if _lookup(name, variables) is _MISSING))


def _value(match: re.Match[str], variables: Mapping[str, Any]) -> str:
    found = _lookup(match[1], variables)
    if found is _MISSING:
        return match[0]
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)


def _lookup(name: str, variables: Mapping[str, Any]) -> Any:  # noqa: ANN401 (a variable of any type)
    found: Any = variables
    for part in name.split("."):
        if not isinstance(found, Mapping) or part not in found:
            return _MISSING
        found = found[part]
    return found


def filled(value: Any, variables: Mapping[str, Any]) -> Any:  # noqa: ANN401 (data of any form)
    """Data with ``rendered`` applied to every text in it."""
    match value:
        case str():
            return rendered(value, variables)
        case list():
            return [filled(one, variables) for one in value]
        case dict():
            return {key: filled(one, variables) for key, one in value.items()}
        case _:
            return value
