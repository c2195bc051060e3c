"""What tool definitions say twice or say without content."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from promptslim.core.lazy_pattern import pattern
from promptslim.core.record import record
from promptslim.structure.tool_list import Node, Parameter, Tool, parameters, tools_in

LEAST_SHARED_WORDS = 15
"""Words of a paragraph that several tools share; shorter ones ("path: file to read") are what each tool needs."""

LEAST_REPEATED_WORDS = 5
"""Words of a parameter's description that the description of its own tool repeats."""

LEAST_ENUM = 3

REPEATS_NAME = "descriptions repeat the name"
REPEATS_TITLE = "titles repeat the name"
REPEATS_ENUM = "descriptions list the values of the enum"

_WORD = pattern(r"[^\W_]+")
_CAMEL = pattern(r"(?<=[a-z0-9])(?=[A-Z])")


@record
class Padding:
    """A range of the tool list that can go; ``why`` says in a few words what it repeats, ``shown`` is the text to
    point at."""

    start: int
    end: int
    why: str
    example: str
    shown: tuple[int, int]


def padding_in(text: str, table: Mapping[str, Any]) -> tuple[Padding, ...]:
    """What can go from a tool list, in order and without overlap. ``table``: ``[tool_wording]`` of the phrases."""
    tools = tuple(tools_in(text))
    found = [*_shared_paragraphs(tools, text)]
    for tool in tools:
        if tool.schema is None:
            continue
        found += _titles(tool.schema, text)
        own = _normal(tool.description.text) if tool.description is not None and tool.description.text else ""
        for one in parameters(tool.schema):
            found += _of_parameter(one, own, text, table)
    kept: list[Padding] = []
    for padded in sorted(found, key=lambda one: (one.start, -one.end)):
        if not kept or padded.start >= kept[-1].end:
            kept.append(padded)
    return tuple(kept)


def _of_parameter(one: Parameter, own: str, text: str, table: Mapping[str, Any]) -> Iterator[Padding]:
    """Its description where that repeats its name or the tool's description; the list of values that its enum gives."""
    node = one.description
    if node is None or not node.text:
        return
    words = _normal(node.text)
    if not _words(node.text) - set(table["empty"]) - _words(_CAMEL.sub(" ", one.name)):
        yield _member(one.schema, "description", text, REPEATS_NAME, f"{one.name}: {node.text}")
    elif len(words.split()) >= LEAST_REPEATED_WORDS and f" {words} " in f" {own} ":
        yield _member(
            one.schema,
            "description",
            text,
            "descriptions stand in the tool's description too",
            f"{one.name}: {node.text}",
        )
    else:
        yield from _enumerated(one, node, text, table["enumeration"]["pattern"])


def _enumerated(one: Parameter, node: Node, text: str, pattern: str) -> Iterator[Padding]:
    enum = one.schema.member("enum")
    values = [item.text for item in enum.items if item.text] if enum is not None else []
    if enum is None or len(values) < max(LEAST_ENUM, len(enum.items)):
        return
    written = text[node.start : node.end]
    for clause in re.finditer(pattern, written, re.IGNORECASE):
        inside = clause[0].lower()
        if not all(re.search(rf"(?<![\w-]){re.escape(value.lower())}(?![\w-])", inside) for value in values):
            continue
        rest = _words(inside) - {word for value in values for word in _words(value)}
        if len(rest) <= LEAST_REPEATED_WORDS:
            end = min(clause.end(), len(written) - 1)
            start = node.start + clause.start()
            why = REPEATS_ENUM
            yield Padding(start, node.start + end, why, clause[0].strip(), (start, node.start + end))
            return


def _titles(schema: Node, text: str) -> Iterator[Padding]:
    """``title`` as pydantic writes it: the name of the property in other letters."""
    for one in parameters(schema):
        title = one.schema.member("title")
        if title is not None and title.text and _words(title.text) == _words(_CAMEL.sub(" ", one.name)):
            yield _member(one.schema, "title", text, REPEATS_TITLE, title.text)


def _shared_paragraphs(tools: Sequence[Tool], text: str) -> Iterator[Padding]:
    """Paragraphs that the descriptions of several tools share, the first time apart."""
    seen: set[str] = set()
    for tool in tools:
        node = tool.description
        if node is None or not node.text:
            continue
        own: set[str] = set()
        at = node.start + 1
        for piece in re.split(r"((?:\\n)+)", text[node.start + 1 : node.end - 1]):
            words = _normal(piece)
            if len(words.split()) >= LEAST_SHARED_WORDS:
                if words in seen:
                    yield Padding(
                        at, at + len(piece), "paragraphs stand in several tools", piece, (at, at + len(piece))
                    )
                own.add(words)
            at += len(piece)
        seen |= own


def _member(schema: Node, key: str, text: str, why: str, example: str) -> Padding:
    """A whole member of an object, with the comma after or before it."""
    found = next(one for one in schema.members if one.key == key)
    start, end = found.start, found.value.end
    if text[end : end + 1] == ",":
        end += 1
    elif text[start - 1 : start] == ",":
        start -= 1
    return Padding(start, end, why, example, (found.value.start + 1, found.value.end - 1))


def _normal(text: str | None) -> str:
    return " ".join(word.lower() for word in _WORD.findall(text or ""))


def _words(text: str) -> set[str]:
    return {word.lower() for word in _WORD.findall(text)}
