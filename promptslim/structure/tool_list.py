"""The tool definitions of a prompt of shape ``tools``: the JSON text taken apart, with offsets into it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from promptslim.core.lazy_pattern import pattern
from promptslim.core.record import record
from promptslim.structure.flat import HOLE

_STRING = pattern(r'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_SCALAR = pattern(r"[^,\]}\s\"]+")
_SKIPPED = f" \t\r\n,{HOLE}"
DEEPEST = 40


@record
class Node:
    """A JSON value at half-open offsets. ``text`` is a string's content (None for other values and for a string that
    holds a placeholder), ``members`` what an object holds, ``items`` what a list holds."""

    start: int
    end: int
    text: str | None = None
    members: tuple[Member, ...] = ()
    items: tuple[Node, ...] = ()

    def member(self, *keys: str) -> Node | None:
        """The value at a path of keys, None where there is none."""
        node: Node | None = self
        for key in keys:
            node = next((one.value for one in node.members if one.key == key), None) if node is not None else None
        return node


@record
class Member:
    """``key`` and its value; ``start`` is where the key's quotes begin."""

    key: str
    start: int
    value: Node


@record
class Tool:
    """One definition. ``name`` is "" where it is not known, ``schema`` None where it is not written out."""

    name: str
    description: Node | None
    schema: Node | None


@record
class Parameter:
    """A property of a tool's schema, at any depth, or a model that it defines."""

    name: str
    schema: Node

    @property
    def description(self) -> Node | None:
        """Its description, None where it has none."""
        return self.schema.member("description")


def tools_in(text: str) -> Iterator[Tool]:
    """The tools of a list, in the forms of Bedrock (``toolSpec``), Anthropic (``input_schema``), OpenAI
    (``function``, ``parameters``) and Google (``function_declarations``)."""
    root, _ = _value(text, 0, 0)
    for item in root.items or (root,):
        grouped = item.member("function_declarations") or item.member("functionDeclarations")
        for node in grouped.items if grouped is not None else (item,):
            definition = node.member("toolSpec") or node.member("function") or node
            name = definition.member("name")
            schema = (
                definition.member("inputSchema", "json")
                or definition.member("input_schema")
                or definition.member("parameters")
                or definition.member("inputSchema")
            )
            if name is not None or schema is not None:
                yield Tool((name.text if name else None) or "", definition.member("description"), schema)


def parameters(schema: Node) -> Iterator[Parameter]:
    """The properties of a JSON Schema, those of nested objects and of definitions included."""
    for member in schema.members:
        if member.key in ("properties", "$defs", "definitions"):
            for one in member.value.members:
                if member.key == "properties":
                    yield Parameter(one.key, one.value)
                yield from parameters(one.value)
        elif member.value.members:
            yield from parameters(member.value)
        else:
            for item in member.value.items:
                yield from parameters(item)


def definitions(schema: Node) -> Iterator[Parameter]:
    """The models that a JSON Schema defines for its properties to refer to, by name."""
    for key in ("$defs", "definitions"):
        defined = schema.member(key)
        for one in defined.members if defined is not None else ():
            yield Parameter(one.key, one.value)


def _value(text: str, at: int, depth: int) -> tuple[Node, int]:
    at = _skip(text, at, " \t\r\n")
    if at >= len(text) or depth > DEEPEST:
        return Node(at, len(text)), len(text)
    match text[at]:
        case "{":
            return _object(text, at, depth)
        case "[":
            return _list(text, at, depth)
        case '"':
            end = _string_end(text, at)
            return Node(at, end, _content(text[at:end])), end
        case _:
            found = _SCALAR.match(text, at)
            end = found.end() if found else at + 1
            return Node(at, end), end


def _object(text: str, start: int, depth: int) -> tuple[Node, int]:
    members: list[Member] = []
    at = _skip(text, start + 1, _SKIPPED)
    while at < len(text) and text[at] == '"':
        end = _string_end(text, at)
        colon = _skip(text, end, " \t\r\n")
        if text[colon : colon + 1] != ":":
            break
        value, after = _value(text, colon + 1, depth + 1)
        members.append(Member(_content(text[at:end]) or "", at, value))
        at = _skip(text, after, _SKIPPED)
    end = at + 1 if text[at : at + 1] == "}" else at
    return Node(start, end, members=tuple(members)), max(end, start + 1)


def _list(text: str, start: int, depth: int) -> tuple[Node, int]:
    items: list[Node] = []
    at = _skip(text, start + 1, _SKIPPED)
    while at < len(text) and text[at] != "]":
        item, at = _value(text, at, depth + 1)
        items.append(item)
        at = _skip(text, at, _SKIPPED)
    return Node(start, min(at + 1, len(text)), items=tuple(items)), min(at + 1, len(text))


def _skip(text: str, at: int, characters: str) -> int:
    while at < len(text) and text[at] in characters:
        at += 1
    return at


def _string_end(text: str, at: int) -> int:
    match = _STRING.match(text, at)
    return match.end() if match else at + 1


def _content(quoted: str) -> str | None:
    if HOLE in quoted:
        return None
    try:
        content = json.loads(quoted, strict=False)
    except ValueError:
        return None
    return content if isinstance(content, str) else None
