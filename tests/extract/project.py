"""A project in memory: texts by path behind the same interface as the files on disk."""

from __future__ import annotations

import json
import posixpath
import re
import textwrap
from collections.abc import Mapping, Sequence
from functools import cache

from promptslim.catalog import Catalog, load
from promptslim.config.settings import Settings, configure, resolve
from promptslim.core.call import LlmCall
from promptslim.core.facts import FileFacts
from promptslim.core.prompt import Prompt
from promptslim.core.values import Absent, Default, Field, Known, Present, Unknown
from promptslim.extract import Analyser

PATH = "app.py"


class MemoryFiles:
    """``core.files.ProjectFiles`` over a dict of texts."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = dict(texts)
        self.asked: list[str] = []

    @property
    def root(self) -> str:
        return "."

    def text(self, path: str) -> str | None:
        self.asked.append(path)
        return self.texts.get(posixpath.normpath(path))

    def exists(self, path: str) -> bool:
        return posixpath.normpath(path) in self.texts

    def callers(self, name: str) -> tuple[str, ...]:
        word = re.compile(rf"\b{re.escape(name)}\b")
        return tuple(sorted(path for path, text in self.texts.items() if word.search(text)))


@cache
def catalog() -> Catalog:
    return load()


@cache
def plain_settings() -> Settings:
    return resolve(configure("/", isolated=True))


def settings_with(**changes: object) -> Settings:
    from dataclasses import replace

    return replace(plain_settings(), **changes)


def analyse(
    text: str, files: Mapping[str, str] | None = None, *, path: str = PATH, settings: Settings | None = None
) -> FileFacts:
    """Facts of ``text`` at ``path``, with other ``files`` around it; indentation common to all lines is removed."""
    source = text if path.endswith(".ipynb") else textwrap.dedent(text)
    around = {name: textwrap.dedent(content) for name, content in (files or {}).items()}
    return _analyser({**around, path: source}, settings).analyse(path, source)


def _analyser(texts: Mapping[str, str], settings: Settings | None = None) -> Analyser:
    return Analyser(MemoryFiles(texts), catalog(), settings or plain_settings())


def calls(text: str, files: Mapping[str, str] | None = None, **options: object) -> tuple[LlmCall, ...]:
    """The calls of a text that has to be free of errors."""
    facts = analyse(text, files, **options)  # type: ignore[arg-type]
    assert facts.errors == ()
    return facts.calls


def call(text: str, files: Mapping[str, str] | None = None, **options: object) -> LlmCall:
    """The one call of a text."""
    (only,) = calls(text, files, **options)
    return only


def said(field: Field[object]) -> object:
    """A field in a word or value that a test can compare; a list where branches differ."""
    words = [_word(case.value) for case in field]
    return words[0] if len(words) == 1 else words


def _word(value: object) -> object:
    match value:
        case Known(value=content):
            return content
        case Default(value=content):
            return ("default", content)
        case Present(fallback=content):
            return ("present", content)
        case Absent():
            return "absent"
        case Unknown():
            return "unknown"
    raise AssertionError(value)


def branches(field: Field[object]) -> dict[str | None, object]:
    """Condition of each branch to what is known there."""
    return {case.condition: _word(case.value) for case in field}


def system_text(call: LlmCall) -> str:
    """The static text of the system prompt, which has to be known."""
    (case,) = call.system
    assert isinstance(case.value, Known), case.value
    return case.value.value.static_text


def messages(call: LlmCall) -> tuple[Prompt, ...]:
    """The messages, which have to be known."""
    (case,) = call.messages
    assert isinstance(case.value, Known), case.value
    return case.value.value


def notebook(*cells: str | tuple[str, str], indent: int | None = 1, **metadata: object) -> str:
    """The JSON of a notebook; a cell is its code, or its type and source."""
    made: list[dict[str, object]] = []
    for cell in cells:
        kind, source = ("code", cell) if isinstance(cell, str) else cell
        lines = textwrap.dedent(source).strip("\n").splitlines(keepends=True)
        entry: dict[str, object] = {"cell_type": kind, "metadata": {}, "source": lines}
        if kind == "code":
            entry |= {"execution_count": None, "outputs": []}
        made.append(entry)
    book = {"cells": made, "metadata": {"kernelspec": {"language": "python"}, **metadata}, "nbformat": 4}
    return json.dumps(book, indent=indent)


def shape(facts: FileFacts) -> Sequence[object]:
    """Everything a reader can see of the facts, comparable between two runs."""
    return [
        [
            (c.id, c.sdk, c.operation, c.primary.start, c.callee, said(c.model), said(c.max_tokens), c.opaque)
            for c in facts.calls
        ],
        [(p.id, p.role, p.static_text, [h.expression for h in p.holes], p.primary.start) for p in facts.prompts],
        [(a.fields, a.location.start) for a in facts.arithmetic],
        [(r.callee, r.retry.cause, r.primary.start) for r in facts.retries],
        [(c.text, c.location.start) for c in facts.comments],
        list(facts.errors),
    ]
