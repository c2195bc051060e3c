"""What tool definitions say twice or say without content."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from promptslim.core.lazy_pattern import pattern
from promptslim.core.record import record
from promptslim.structure.tool_list import Node, Parameter, Tool, definitions, parameters, tools_in

LEAST_SHARED_WORDS = 15
"""Words of a paragraph that several tools share; shorter ones ("path: file to read") are what each tool needs."""

LEAST_REPEATED_WORDS = 5
"""Words of a description that the description of its own tool repeats."""

LEAST_ENUM = 2

REPEATS_NAME = "descriptions repeat the name"
REPEATS_TITLE = "titles repeat the name"
REPEATS_ENUM = "descriptions list the values of the enum"
REPEATS_TOOL = "descriptions stand in the tool's description too"
REPEATS_ARGUMENT = "lines on arguments repeat the name"

_WORD = pattern(r"[^\W_]+")
_CAMEL = pattern(r"(?<=[a-z0-9])(?=[A-Z])")
_LINE = pattern(r"\\n|((?:[^\\]|\\[^n])+)")
"""The end of a line, or a line, of a text that is written as a JSON string."""

_ARGUMENTS = pattern(r"[ \t]*(?:args|arguments|parameters|params)[ \t]*:[ \t]*", re.IGNORECASE)
_ARGUMENT = pattern(r"[ \t]+(?:[-*] )?`?([A-Za-z_]\w*)`?[ \t]*(?:\([^()]{0,60}\))?[ \t]*:[ \t]*(.*)")
_LISTED = r"[ \t]*(?:\((?P<inside>{values})\)|[:\u2013\u2014-][ \t]*{values}(?=[.]|$))"
_QUOTES = r"(?:[`'*]|\\?\")*"
_BETWEEN = r"(?:[ \t]*[,;/|][ \t]*(?:(?:or|and)\b[ \t]*)?|[ \t]+(?:or|and)[ \t]+)"


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
            found += _arguments(tool, text, table)
            continue
        own = _normal(tool.description.text) if tool.description is not None and tool.description.text else ""
        found += _of_model(tool, tool.schema, own, text)
        for one in parameters(tool.schema):
            found += _of_parameter(one, own, text, table)
    kept: list[Padding] = []
    for padded in sorted(found, key=lambda one: (one.start, -one.end)):
        if not kept or padded.start >= kept[-1].end:
            kept.append(padded)
    return tuple(kept)


def _of_parameter(one: Parameter, own: str, text: str, table: Mapping[str, Any]) -> Iterator[Padding]:
    """Its title and description where they repeat its name or the tool's description; the list of values that its
    enum gives."""
    title = one.schema.member("title")
    if title is not None and title.text and _letters(title.text) == _letters(one.name):
        yield _member(one.schema, "title", text, REPEATS_TITLE, title.text)
    node = one.description
    if node is None or not node.text:
        return
    words = _normal(node.text)
    if _only_repeats(node.text, one.name, table):
        yield _member(one.schema, "description", text, REPEATS_NAME, f"{one.name}: {node.text}")
    elif len(words.split()) >= LEAST_REPEATED_WORDS and f" {words} " in f" {own} ":
        yield _member(one.schema, "description", text, REPEATS_TOOL, f"{one.name}: {node.text}")
    else:
        yield from _enumerated(one, node, text, table["enumeration"]["pattern"])


def _only_repeats(said: str, name: str, table: Mapping[str, Any]) -> bool:
    return bool(_words(said)) and not _words(said) - set(table["empty"]) - _words(_CAMEL.sub(" ", name))


def _enumerated(one: Parameter, node: Node, text: str, pattern: str) -> Iterator[Padding]:
    enum = one.schema.member("enum")
    values = [item.text for item in enum.items if item.text] if enum is not None else []
    if enum is None or len(values) < max(LEAST_ENUM, len(enum.items)):
        return
    written = text[node.start : node.end]
    for clause in (*re.finditer(pattern, written, re.IGNORECASE), *_listed(written, values)):
        inside = clause[0].lower()
        if not all(re.search(rf"(?<![\w-]){re.escape(value.lower())}(?![\w-])", inside) for value in values):
            continue
        rest = _words(inside) - {word for value in values for word in _words(value)}
        if len(rest) <= LEAST_REPEATED_WORDS:
            start, end = node.start + clause.start(), node.start + min(clause.end(), len(written) - 1)
            yield Padding(start, end, REPEATS_ENUM, clause[0].strip(), (start, end))
            return


def _listed(written: str, values: Sequence[str]) -> Iterator[re.Match[str]]:
    """Lists of nothing but values in parentheses, or after a colon up to the end of the sentence."""
    one = _QUOTES + "(?:" + "|".join(re.escape(value) for value in values) + r")(?![\w-])" + _QUOTES
    listed = one + f"(?:{_BETWEEN}{one})+"
    return re.finditer(_LISTED.format(values=listed), written[:-1], re.IGNORECASE)


def _of_model(tool: Tool, schema: Node, own: str, text: str) -> Iterator[Padding]:
    """What pydantic writes of a whole model: its name as a title, and its docstring, which the tool has as well."""
    title = schema.member("title")
    if title is not None and title.text and _letters(title.text) == _letters(tool.name):
        yield _member(schema, "title", text, REPEATS_TITLE, title.text)
    node = schema.member("description")
    if node is not None and node.text and len(own.split()) >= LEAST_REPEATED_WORDS and _normal(node.text) == own:
        yield _member(schema, "description", text, REPEATS_TOOL, f"{tool.name}: {node.text}")
    for one in definitions(schema):
        title = one.schema.member("title")
        if title is not None and title.text == one.name:
            yield _member(one.schema, "title", text, REPEATS_TITLE, title.text)


def _arguments(tool: Tool, text: str, table: Mapping[str, Any]) -> Iterator[Padding]:
    """Lines of a function's docstring that say of an argument nothing but its name."""
    node = tool.description
    if node is None or not node.text:
        return
    lines = [(one.start(), one[1]) for one in _LINE.finditer(text, node.start + 1, node.end - 1) if one[1]]
    inside = False
    for at, (start, line) in enumerate(lines):
        if inside and text[start - 4 : start] == r"\n\n":
            inside = False
        match = _ARGUMENT.fullmatch(line) if inside else None
        if match is None:
            inside = inside or _ARGUMENTS.fullmatch(line) is not None
            continue
        after = lines[at + 1][1] if at + 1 < len(lines) else ""
        goes_on = _indent(after) > _indent(line) and text[start + len(line) : start + len(line) + 4] != r"\n\n"
        if not goes_on and _only_repeats(match[2], match[1], table):
            end = start + len(line)
            yield Padding(start - 2, end, REPEATS_ARGUMENT, line.strip(), (start + _indent(line), end))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))


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


def _letters(text: str) -> str:
    """Letters and digits alone: pydantic makes ``Orderid`` of ``orderId``."""
    return "".join(_WORD.findall(text)).lower()


def _words(text: str) -> set[str]:
    return {word.lower() for word in _WORD.findall(text)}
