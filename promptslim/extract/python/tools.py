"""Tool definitions as the text that a request carries: compact JSON, with the descriptions mapped to the source."""

from __future__ import annotations

import ast
import json

from promptslim.core.prompt import BlockEnd, CachePoint, Hole, Literal, Part, Prompt, Transform
from promptslim.core.record import record, replace
from promptslim.core.text import Location
from promptslim.extract.python.abstract import (
    Class,
    Configured,
    Const,
    Entry,
    Function,
    Instance,
    Json,
    Object,
    Opaque,
    Record,
    Sequence,
    Text,
    Union,
    Value,
    as_parts,
)
from promptslim.extract.python.evaluate import Evaluator
from promptslim.extract.python.frames import Frame, last_name, short
from promptslim.extract.python.lookup import record_of
from promptslim.extract.python.model_schema import function_tool, model_schema
from promptslim.extract.python.orders import ORDERS
from promptslim.extract.python.prompts import MARKERS, cache_point, definition_id, first_line

MOST_PARTS = 10_000
DEEPEST = 24
TOOL_KEYS = frozenset(
    {"name", "description", "toolSpec", "input_schema", "function", "parameters", "type", "inputSchema"}
)
"""Keys of a tool definition in the APIs of Bedrock, Anthropic, OpenAI and Google: a dict without any is no tool."""


@record
class _Written:
    """JSON text of a value; ``hidden``: something in it could not be seen, ``named``: it holds a key or text of a
    tool definition."""

    parts: tuple[Part, ...]
    hidden: bool
    named: bool


def tools_of(evaluator: Evaluator, value: Value, frame: Frame, where: Location, label: str) -> Prompt:
    """The tools argument as one prompt of shape ``tools``.

    Its parts are the tool list as compact JSON, a ``BlockEnd`` between two tools; cache markers are
    ``CachePoint`` parts at their place. Functions given as tools are written with their name and docstring, the
    schema that a framework derives from them is a hole. Nothing is static where no definition can be seen.
    """
    written = _Writer(evaluator, frame).tools(value)
    orders = (one for part in written.parts if isinstance(part, Hole) for one in part.transforms if one.kind in ORDERS)
    unseen = Hole("tools", transforms=tuple(dict.fromkeys(orders)), source=where)
    parts = _merged(written.parts) if written.named else (unseen,)
    place = _place(value, parts) or where
    prompt_id = definition_id(place, frame) or f"{label}:tools"
    sure = 0 if written.hidden else None
    return Prompt(prompt_id, "tools", parts, place, first_line(place), used_by=(label,), shape="tools", sure=sure)


def _place(value: Value, parts: tuple[Part, ...]) -> Location | None:
    """The display of the list where there is one, else the first thing that is written out."""
    if isinstance(value, Sequence | Record | Json) and value.location is not None:
        return value.location
    return next((part.location for part in parts if isinstance(part, Literal) and part.location is not None), None)


@record
class _Writer:
    evaluator: Evaluator
    frame: Frame

    def tools(self, value: Value, depth: int = 0) -> _Written:
        match value:
            case Sequence():
                return self._list(value, depth)
            case Union(cases=cases):
                choices = [self.tools(member, depth + 1) for _, member in cases]
                return replace(max(choices, key=_static_length), hidden=True)
            case Configured(fallback=fallback) if fallback is not None:
                return replace(self.tools(fallback, depth + 1), hidden=True)
            case Json(value=inner) if depth < DEEPEST:
                return self.tools(inner, depth + 1)
            case _:
                return self._tool(value, depth)

    def _list(self, listed: Sequence, depth: int) -> _Written:
        items, opened, order = listed.items, listed.open, _order(listed)
        collected: list[Part] = [Literal("[")]
        hidden, named, first = opened, False, True
        for item in items:
            marker = _marker_item(item)
            if marker is not None:
                collected.append(marker)
                continue
            tool = self._tool(item, depth + 1)
            if not first:
                collected += [Literal(","), BlockEnd()]
            first = False
            collected += tool.parts
            hidden, named = hidden or tool.hidden, named or tool.named
            if len(collected) > MOST_PARTS:
                return _Written(tuple(collected), True, named)
        if opened or order:
            collected.append(Hole("further tools" if opened else "order of the tools", transforms=order))
        return _Written((*collected, Literal("]")), hidden, named)

    def _tool(self, value: Value, depth: int) -> _Written:
        match value:
            case Function():
                return self._function(value)
            case Instance() if (made := function_tool(self.evaluator, value)) is not None:
                return replace(self._object(made, depth), named=True)
            case Record() | Instance() | Object():
                entries = record_of(self.evaluator, value, self.frame)
                if entries is None or not TOOL_KEYS & {entry.key for entry in entries.entries}:
                    return _Written((Hole("tool"),), True, False)
                written = self._object(entries, depth)
                return replace(written, named=True)
            case _:
                return _Written(as_parts(value), True, False)

    def _function(self, function: Function) -> _Written:
        """A function that a framework makes a tool of."""
        node = function.node
        name = getattr(node, "name", None)
        if name is None or isinstance(node, ast.Lambda):
            return _Written((Hole("function"),), True, False)
        parts: list[Part] = [Literal(f'{{"name":{json.dumps(name)}')]
        first = node.body[0]
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
            scope = self.evaluator.root_frame(function.module, function.module.scope(node))
            text = self.evaluator.evaluate(first.value, scope)
            parts += [Literal(',"description":'), *_string(as_parts(text))]
        elif any(keyword for one in node.decorator_list if isinstance(one, ast.Call) for keyword in one.keywords):
            parts.append(Hole(f"@{last_name(node.decorator_list[0])}"))
        parts += [Hole(f"schema of {name}", "call"), Literal("}")]
        return _Written(tuple(parts), True, True)

    def _object(self, entries: Record, depth: int) -> _Written:
        collected: list[Part] = [Literal("{")]
        points: list[CachePoint] = []
        hidden, first = entries.open is not None, True
        for entry in entries.entries:
            if entry.key in MARKERS:
                points.append(cache_point(entry))
                continue
            inner = self._value(entry.value, depth + 1)
            collected += (Literal("" if first else ","), _key(entry), Literal(":"))
            first = False
            collected += inner.parts
            hidden = hidden or inner.hidden or entry.maybe
            if len(collected) > MOST_PARTS:
                return _Written((*collected, Hole("..."), Literal("}"), *points), True, True)
        if entries.open is not None:
            collected.append(Hole(entries.open))
        return _Written((*collected, Literal("}"), *points), hidden, True)

    def _value(self, value: Value, depth: int) -> _Written:
        if depth > DEEPEST:
            return _Written((Hole("nested"),), True, False)
        match value:
            case Text(parts=parts):
                return _Written(_string(parts), False, True)
            case Const(value=bool() | int() | float() | None as content, location=location):
                return _Written((Literal(json.dumps(content), location),), False, False)
            case Record():
                return self._object(value, depth)
            case Sequence():
                return self._array(value, depth)
            case Union(cases=cases):
                choices = [self._value(member, depth + 1) for _, member in cases]
                return replace(max(choices, key=_static_length), hidden=True)
            case Configured(fallback=fallback) if fallback is not None:
                return replace(self._value(fallback, depth + 1), hidden=True)
            case Instance() | Object():
                entries = record_of(self.evaluator, value, self.frame)
                if entries is not None and entries.entries and entries.open is None:
                    return self._object(entries, depth)
                name = value.name if isinstance(value, Instance) else short(value.type.module, value.type.node)
                return _Written((Hole(name, "call"),), True, False)
            case Opaque(model=Class() as model) if (schema := model_schema(self.evaluator, model)) is not None:
                return self._object(schema, depth)
            case _:
                return _Written(as_parts(value), True, False)

    def _array(self, listed: Sequence, depth: int) -> _Written:
        items, opened, order = listed.items, listed.open, _order(listed)
        collected: list[Part] = [Literal("[")]
        hidden = opened
        for index, item in enumerate(items):
            inner = self._value(item, depth + 1)
            if index:
                collected.append(Literal(","))
            collected += inner.parts
            hidden = hidden or inner.hidden
            if len(collected) > MOST_PARTS:
                return _Written((*collected, Hole("..."), Literal("]")), True, False)
        if opened or order:
            collected.append(Hole("...", transforms=order))
        return _Written((*collected, Literal("]")), hidden, False)


def _order(listed: Sequence) -> tuple[Transform, ...]:
    return (listed.disorder,) if listed.disorder is not None else ()


def _key(entry: Entry) -> Literal:
    """A key in quotes, mapped to where it stands as such in the source."""
    quoted = json.dumps(entry.key, ensure_ascii=False)
    place = entry.location
    if place is None or place.text[1:-1] != quoted[1:-1]:
        return Literal(quoted, place)
    return Literal(quoted, place, range(place.span.start, place.span.end + 1))


def _marker_item(item: Value) -> CachePoint | None:
    """The item of a tool list that is nothing but a cache marker (``{"cachePoint": {...}}``)."""
    if isinstance(item, Record) and len(item.entries) == 1 and item.entries[0].key in MARKERS:
        return cache_point(item.entries[0])
    return None


def _string(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """The parts of a text as a JSON string; every character of an escape leads to the character it stands for."""
    escaped = [_escaped(part) if isinstance(part, Literal) else part for part in parts]
    return Literal('"'), *escaped, Literal('"')


def _escaped(part: Literal) -> Literal:
    pieces = [json.dumps(character, ensure_ascii=False)[1:-1] for character in part.text]
    text = "".join(pieces)
    if part.source_map is None or text == part.text:
        return replace(part, text=text)
    offsets = [offset for piece, offset in zip(pieces, part.source_map, strict=False) for _ in piece]
    return replace(part, text=text, source_map=(*offsets, part.source_map[len(part.text)]))


def _merged(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """The parts with neighbouring literals joined that are not mapped and stand at one place or none."""
    merged: list[Part] = []
    for part in parts:
        last = merged[-1] if merged else None
        if isinstance(part, Literal) and not part.text:
            continue
        if isinstance(part, Literal) and isinstance(last, Literal) and _at_one_place(last, part):
            merged[-1] = Literal(last.text + part.text, last.location or part.location)
        else:
            merged.append(part)
    return tuple(merged)


def _at_one_place(first: Literal, second: Literal) -> bool:
    if first.source_map or second.source_map:
        return False
    return None in (first.location, second.location) or first.location == second.location


def _static_length(written: _Written) -> int:
    return sum(len(part.text) for part in written.parts if isinstance(part, Literal))
