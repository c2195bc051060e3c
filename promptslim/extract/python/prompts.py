"""Abstract values to prompts: system text, messages, tools, and the cache markers among them."""

from __future__ import annotations

import ast

from promptslim.core.prompt import BlockEnd, CachePoint, Hole, Literal, Part, Prompt, Role
from promptslim.core.record import record, replace
from promptslim.core.text import Location, Span
from promptslim.extract.message_roles import ROLES
from promptslim.extract.python.abstract import (
    Configured,
    Const,
    Entry,
    Instance,
    Json,
    Object,
    Opaque,
    Record,
    Sequence,
    Template,
    Text,
    Union,
    Value,
    alternatives,
    as_parts,
)
from promptslim.extract.python.evaluate import Evaluator
from promptslim.extract.python.frames import Frame
from promptslim.extract.python.lookup import record_of

MARKERS = frozenset({"cachePoint", "cache_control", "prompt_cache_breakpoint", "cache_point"})
MOST_PARTS = 2000


@record
class Texts:
    """The parts of one text argument. ``sure``: how many of them, from the first one on, are all that is sent up to
    there, None for all of them."""

    parts: tuple[Part, ...]
    sure: int | None

    @property
    def hidden(self) -> bool:
        """Whether something in it could not be seen."""
        return self.sure is not None

    @property
    def size(self) -> int:
        """Characters that are known to be sent."""
        return sum(len(part.text) for part in self.parts if isinstance(part, Literal))


def texts_of(evaluator: Evaluator, value: Value, frame: Frame, depth: int = 0) -> Texts:
    """The text that a value contributes to a prompt: strings, content blocks, lists of them."""
    if depth > 6:
        return Texts((Hole("nested"),), 0)
    match value:
        case Text(parts=parts) | Template(parts=parts):
            return Texts(parts, None)
        case Const(value=None):
            return Texts((), None)
        case Sequence():
            return _texts_of_items(evaluator, value, frame, depth)
        case Union(cases=cases):
            # The longest static branch stands for all: every branch is sent at some time.
            choices = [texts_of(evaluator, member, frame, depth + 1) for _, member in cases]
            best = max(choices, key=lambda texts: (texts.size, len(texts.parts)))
            return replace(best, sure=0)
        case Configured(fallback=fallback) if fallback is not None:
            return replace(texts_of(evaluator, fallback, frame, depth + 1), sure=0)
        case Record() | Instance() | Object():
            return _texts_of_block(evaluator, value, frame, depth)
        case Json():
            return Texts(as_parts(value), None)
        case Opaque():
            return Texts(as_parts(value), 0)
        case _:
            return Texts(as_parts(value), 0)


def _texts_of_items(evaluator: Evaluator, value: Sequence, frame: Frame, depth: int) -> Texts:
    collected: list[Part] = []
    sure = 0 if value.open else None
    for index, item in enumerate(value.items):
        inner = texts_of(evaluator, item, frame, depth + 1)
        if index and any(not isinstance(part, CachePoint) for part in inner.parts):
            collected.append(BlockEnd())
        if sure is None and inner.sure is not None:
            sure = len(collected) + inner.sure
        collected.extend(inner.parts)
        if len(collected) > MOST_PARTS:
            return Texts(tuple(collected), sure or 0)
    if value.open:
        collected.append(Hole("...", "unknown"))
    return Texts(tuple(collected), sure)


def _texts_of_block(evaluator: Evaluator, value: Record | Instance | Object, frame: Frame, depth: int) -> Texts:
    """The text of a content block or message: a dict, or an object built by keywords."""
    record = record_of(evaluator, value, frame)
    if record is not None:
        points = tuple(cache_point(entry) for entry in record.entries if entry.key in MARKERS)
        for key in ("text", "content", "parts", "input", "value", "template", "prompt"):
            entry = record.entry(key)
            if entry is not None:
                inner = texts_of(evaluator, entry.value, frame, depth + 1)
                return Texts((*inner.parts, *points), inner.sure)
        if points:
            alone = all(entry.key in MARKERS or entry.key == "type" for entry in record.entries)
            content = () if alone else (Hole("block", "unknown", source=record.location),)
            return Texts((*content, *points), None)
        if isinstance(value, Record) and value.open is None:
            return Texts((Hole("block", "unknown", source=value.location),), None)
    return Texts(as_parts(value), 0)


def cache_point(entry: Entry) -> CachePoint:
    """The cache marker that an entry with one of the ``MARKERS`` keys sets."""
    ttl = entry.value.entry("ttl") if isinstance(entry.value, Record) else None
    text = ttl.value.exact if ttl is not None and isinstance(ttl.value, Text) else None
    return CachePoint(entry.key, entry.location, text, known=not entry.maybe)


@record
class Messages:
    """The prompts of a message list in order; ``hidden``: more may be sent than is seen."""

    prompts: tuple[Prompt, ...]
    hidden: bool


def messages_of(evaluator: Evaluator, value: Value, frame: Frame, where: Location, label: str) -> Messages:
    """The messages argument as prompts."""
    found: list[Prompt] = []
    hidden = False
    for _, member in alternatives(value)[:1] if not isinstance(value, Union) else alternatives(value)[-1:]:
        items = member.items if isinstance(member, Sequence) else (member,)
        hidden = hidden or (isinstance(member, Sequence) and member.open) or isinstance(member, (Opaque, Configured))
        for index, item in enumerate(items):
            role: Role = "user"
            record = record_of(evaluator, item, frame) if isinstance(item, (Record, Instance, Object)) else None
            if record is not None:
                entry = record.entry("role")
                name = entry.value.exact if entry is not None and isinstance(entry.value, Text) else None
                role = ROLES.get(name or "", "unknown" if entry is not None else "user")
            texts = texts_of(evaluator, item, frame)
            hidden = hidden or texts.hidden
            place = definition_place(item, texts.parts) or where
            prompt_id = definition_id(place, frame) or f"{label}:messages[{index}]"
            found.append(Prompt(prompt_id, role, texts.parts, place, first_line(place), sure=texts.sure))
    return Messages(tuple(found), hidden or isinstance(value, Union))


DEFINES = 0.6
"""Share of the static text from which the place of one literal is taken for the place of the whole prompt."""


def definition_place(value: Value, parts: tuple[Part, ...]) -> Location | None:
    """Where a prompt is defined: the literal or the file that holds most of its text, else where it is put
    together, else where its first piece stands."""
    sizes: dict[tuple[str, int | None, int], int] = {}
    places: dict[tuple[str, int | None, int], Location] = {}
    for part in parts:
        if isinstance(part, Literal) and part.location is not None:
            place = part.location
            in_code = place.path.endswith((".py", ".ipynb"))
            key = place.path, place.cell, place.span.start if in_code else -1
            sizes[key] = sizes.get(key, 0) + len(part.text)
            places.setdefault(key, place)
    whole = value.location if isinstance(value, (Text, Template)) else None
    if not sizes:
        return whole or _place(parts)
    main = max(sizes, key=lambda key: sizes[key])
    if sizes[main] < DEFINES * sum(sizes.values()):
        return whole or _place(parts)
    inside = whole is not None and whole.path == main[0] and main[2] < 0
    return whole if inside else places[main]


def _place(parts: tuple[Part, ...]) -> Location | None:
    """Where the text of a prompt begins: its first literal, else its first hole."""
    of_text = (part.location for part in parts if isinstance(part, Literal) and part.location is not None)
    of_holes = (part.location or part.source for part in parts if isinstance(part, Hole))
    return next(of_text, None) or next((place for place in of_holes if place is not None), None)


def first_line(location: Location) -> Location:
    """The first line of a location, as a small place to point at."""
    text = location.document.text
    end = text.find("\n", location.span.start, location.span.end)
    return Location(location.document, Span(location.span.start, location.span.end if end < 0 else end))


def prompt_of(evaluator: Evaluator, value: Value, frame: Frame, role: Role, where: Location, label: str) -> Prompt:
    """One prompt of a text argument."""
    texts = texts_of(evaluator, value, frame)
    place = definition_place(value, texts.parts) or where
    prompt_id = definition_id(place, frame) or f"{label}:{role}"
    return Prompt(prompt_id, role, texts.parts, place, first_line(place), used_by=(label,), sure=texts.sure)


def definition_id(place: Location, frame: Frame) -> str | None:
    """``path::NAME`` where the text is what a module-level or class-level name is bound to."""
    module = frame.module
    if place.span.start == 0 and place.span.end == len(place.document.text) and place.path != module.path:
        return place.path
    if place.path != module.path:
        module_text = place.document.text
        line_start = module_text.rfind("\n", 0, place.span.start) + 1
        head = module_text[line_start : place.span.start].split("=", 1)[0].split(":", 1)[0].strip()
        return f"{place.path}::{head}" if head.isidentifier() else None
    for statement in module.tree.body:
        if isinstance(statement, (ast.Assign, ast.AnnAssign)) and statement.value is not None:
            target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
            if isinstance(target, ast.Name):
                location = module.locate(statement)
                inside = location.document is place.document or location.document == place.document
                if inside and location.span.start <= place.span.start < location.span.end:
                    return f"{module.path}::{target.id}"
    return None


def markers_in(value: Value) -> tuple[int, bool]:
    """How many cache markers a value carries, and whether more may be hidden in it."""
    return _markers(value, 0, {})


def _markers(value: Value, depth: int, seen: dict[tuple[int, int], tuple[int, bool]]) -> tuple[int, bool]:
    if depth > 7:
        return 0, True
    if not isinstance(value, (Record, Sequence, Union)):
        return _markers_of(value, depth, seen)
    key = id(value), depth  # values share parts: without a memory the work grows with every level
    if key not in seen:
        seen[key] = _markers_of(value, depth, seen)
    return seen[key]


def _markers_of(value: Value, depth: int, seen: dict[tuple[int, int], tuple[int, bool]]) -> tuple[int, bool]:
    match value:
        case Record(entries=entries, open=opened):
            count = sum(entry.key in MARKERS for entry in entries)
            hidden = opened is not None
            for entry in entries:
                if entry.key in ("text", "role") or entry.key in MARKERS:
                    hidden = hidden or entry.maybe
                    continue
                inner, inner_hidden = _markers(entry.value, depth + 1, seen)
                count += inner
                hidden = hidden or inner_hidden
            return count, hidden
        case Sequence(items=items, open=opened):
            results = [_markers(item, depth + 1, seen) for item in items]
            return sum(n for n, _ in results), opened or any(h for _, h in results)
        case Union(cases=cases):
            results = [_markers(member, depth + 1, seen) for _, member in cases]
            return max(n for n, _ in results), any(h for _, h in results) or len({n for n, _ in results}) > 1
        case Text() | Const() | Json():
            return 0, False
        case _:
            return 0, True
