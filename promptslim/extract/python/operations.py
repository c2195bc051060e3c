"""What text operations and the known functions of the standard library do to abstract values."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from promptslim.core.prompt import Hole, Literal, Origin, Part, Transform
from promptslim.core.text import Location
from promptslim.extract.python.abstract import (
    MOST_PARTS,
    UNKNOWN,
    Configured,
    Const,
    Entry,
    External,
    Instance,
    Json,
    Member,
    Opaque,
    Record,
    Sequence,
    Text,
    Union,
    Value,
    as_parts,
    text_of,
    text_value,
    union,
)
from promptslim.extract.python.records import spread

if TYPE_CHECKING:
    from promptslim.extract.python.evaluate import Evaluator
    from promptslim.extract.python.frames import Frame

FORMAT_FIELD = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")
PERCENT_FIELD = re.compile(r"%(?:\((\w+)\))?[-#0 +]*(?:\*|\d+)?(?:\.\d+)?([%a-zA-Z])")
TEMPLATE_FIELD = re.compile(r"\$(?:(\$)|(\w+)|\{(\w+)\})")
STRIPS = {"strip": str.strip, "lstrip": str.lstrip, "rstrip": str.rstrip}
CASES: dict[str, Callable[[str], str]] = {
    "lower": str.lower,
    "upper": str.upper,
    "title": str.title,
    "capitalize": str.capitalize,
}
CLOCKS = frozenset(
    {"now", "today", "utcnow", "time", "ctime", "monotonic", "strftime", "isoformat", "time_ns", "perf_counter"}
)


def concatenate(left: Value, right: Value) -> Value:
    """``left + right`` for texts, lists and numbers."""
    if isinstance(left, Sequence) and isinstance(right, Sequence):
        items = left.items + right.items
        opened = left.open or right.open or len(items) > MOST_PARTS
        return Sequence(items[:MOST_PARTS], opened, left.kind, left.location)
    if isinstance(left, Sequence):
        return replace(left, items=(*left.items, right if isinstance(right, Opaque) else UNKNOWN), open=True)
    if isinstance(right, Sequence):
        return replace(right, items=(left if isinstance(left, Opaque) else UNKNOWN, *right.items), open=True)
    if isinstance(left, Const) and isinstance(right, Const):
        if isinstance(left.value, (int, float)) and isinstance(right.value, (int, float)):
            return Const(left.value + right.value, left.location)
        return UNKNOWN
    if isinstance(left, Union):
        return union([(c, concatenate(v, right)) for c, v in left.cases])
    if isinstance(right, Union):
        return union([(c, concatenate(left, v)) for c, v in right.cases])
    if isinstance(left, Text) or isinstance(right, (Text, Json)) or isinstance(left, Json):
        location = left.location if isinstance(left, Text) else right.location if isinstance(right, Text) else None
        return text_of((*as_parts(left), *as_parts(right)), location)
    return left if isinstance(left, Opaque) else right if isinstance(right, Opaque) else UNKNOWN


def text_from(values: list[Value], location: Location | None) -> Value:
    """Values one after the other as one text; one text for each way through where some have alternatives."""
    result: Value = Text((), location)
    pending: list[Part] = []
    for value in values:
        if isinstance(value, Union):
            result = concatenate(concatenate(result, text_of(tuple(pending))), value)
            pending = []
        else:
            pending.extend(as_parts(value))
    return concatenate(result, text_of(tuple(pending), location))


def subscript(value: Value, key: str | int | None, unknown: Opaque) -> Value:
    """``value[key]``."""
    match value:
        case Record():
            entry = value.entry(str(key)) if key is not None else None
            if entry is not None:
                return entry.value if not entry.maybe else union([(None, entry.value), (None, unknown)])
            return unknown
        case Sequence(items=items, open=opened) if isinstance(key, int):
            if not opened and -len(items) <= key < len(items):
                return items[key]
            return items[key] if opened and 0 <= key < len(items) else unknown
        case Union():
            return union([(c, subscript(v, key, unknown)) for c, v in value.cases])
        case Configured(origin=origin):
            return Configured(origin, None, unknown.location)
        case External(name="os.environ"):
            return Configured("environment", None, unknown.location)
        case Opaque(origin=origin):
            return replace(unknown, origin=origin if origin != "unknown" else unknown.origin)
        case Text():
            hole = Hole(unknown.expression, "unknown", None, (Transform("slice", unknown.location),))
            return Text((hole,), unknown.location)
        case _:
            return unknown


def percent_format(template: Text, arguments: Value) -> Value:
    """``template % arguments``."""
    named = arguments if isinstance(arguments, Record) else None
    values = list(arguments.items) if isinstance(arguments, Sequence) else [arguments]

    def fill(match: re.Match[str]) -> tuple[Part, ...]:
        if match[2] == "%":
            return (Literal("%"),)
        if match[1] is not None and named is not None:
            entry = named.entry(match[1])
            return as_parts(entry.value) if entry is not None else (Hole(match[1]),)
        return as_parts(values.pop(0)) if values else (Hole(match[0]),)

    return _substituted(template, PERCENT_FIELD, fill)


def _substituted(template: Text, pattern: re.Pattern[str], fill: Callable[[re.Match[str]], tuple[Part, ...]]) -> Text:
    """The template with every match in its literal parts replaced by parts."""
    parts: list[Part] = []
    for part in template.parts:
        if not isinstance(part, Literal):
            parts.append(part)
            continue
        position = 0
        for match in pattern.finditer(part.text):
            if match.start() > position:
                parts.append(cut(part, position, match.start()))
            parts.extend(fill(match))
            position = match.end()
            if len(parts) > MOST_PARTS:
                return text_of(tuple(parts), template.location)
        if position < len(part.text):
            parts.append(cut(part, position, len(part.text)))
    return text_of(tuple(parts), template.location)


def cut(part: Literal, start: int, end: int) -> Literal:
    """A range of a literal, with its range of the source map."""
    mapped = part.source_map[start : end + 1] if part.source_map is not None else None
    return Literal(part.text[start:end], part.location, mapped)


def str_format(template: Text, positional: list[Value], named: Record) -> Text:
    """``template.format(...)``; a field that is not given stays a hole."""
    counter = iter(range(len(positional)))

    def fill(match: re.Match[str]) -> tuple[Part, ...]:
        if match[1] is None:
            return (Literal(match[0][0]),)
        name = re.split(r"[.\[!:]", match[1], maxsplit=1)[0]
        plain = name == match[1]
        if name == "" or name.isdigit():
            index = int(name) if name else next(counter, -1)
            value: Value | None = positional[index] if 0 <= index < len(positional) else None
        else:
            entry = named.entry(name)
            value = entry.value if entry is not None else None
        if value is None or not plain:
            return (Hole(match[1] or match[0]),)
        parts = as_parts(value)
        if len(parts) == 1 and isinstance(parts[0], Hole) and not parts[0].expression:
            return (replace(parts[0], expression=name),)
        return parts

    return _substituted(template, FORMAT_FIELD, fill)


def stripped(text: Text, how: Callable[..., str]) -> Text:
    """``strip``, ``lstrip`` or ``rstrip`` without arguments."""
    parts = list(text.parts)
    if how is not str.rstrip:
        while parts and isinstance(parts[0], Literal):
            first = parts[0]
            kept = first.text.lstrip()
            if kept:
                parts[0] = cut(first, len(first.text) - len(kept), len(first.text))
                break
            parts.pop(0)
    if how is not str.lstrip:
        while parts and isinstance(parts[-1], Literal):
            last = parts[-1]
            kept = last.text.rstrip()
            if kept:
                parts[-1] = cut(last, 0, len(kept))
                break
            parts.pop()
    return Text(tuple(parts), text.location)


def dedented(text: Text) -> Text:
    """``textwrap.dedent``: the common margin is that of the whole text, holes taken as one character."""
    whole = "".join(part.text if isinstance(part, Literal) else "\x00" for part in text.parts)
    result = textwrap.dedent(whole)
    if result == whole:
        return text
    margin = _margin(whole, result)
    parts: list[Part] = []
    at_start = True
    for part in text.parts:
        if not isinstance(part, Literal):
            parts.append(part)
            at_start = False
            continue
        kept: list[int] = []
        line_start = at_start
        column = 0
        for index, character in enumerate(part.text):
            if line_start:
                column = 0
                line_start = False
            end = part.text.find("\n", index)
            blank = column == 0 and not part.text[index : end if end >= 0 else None].strip(" \t") and end >= 0
            skip = column < margin and character in " \t" and (at_start or index > 0 or column > 0)
            if character == "\n":
                kept.append(index)
                line_start = True
                at_start = True
                column = 0
                continue
            if not (skip and (at_start or blank)):
                kept.append(index)
                if column >= margin or character not in " \t":
                    at_start = False
            column += 1
        mapped = None
        if part.source_map is not None:
            mapped = (*(part.source_map[i] for i in kept), part.source_map[len(part.text)])
        parts.append(Literal("".join(part.text[i] for i in kept), part.location, mapped))
    joined = "".join(part.text if isinstance(part, Literal) else "\x00" for part in parts)
    if joined == result:
        return Text(tuple(parts), text.location)
    return _without_maps(text, result)


def _margin(before: str, after: str) -> int:
    for old, new in zip(before.split("\n"), after.split("\n"), strict=False):
        if old.strip():
            return len(old) - len(new)
    return 0


def _without_maps(text: Text, result: str) -> Text:
    """The text cut anew at its holes, where a transformation cannot be mapped."""
    holes = iter([part for part in text.parts if isinstance(part, Hole)])
    pieces = result.split("\x00")
    parts: list[Part] = []
    for index, piece in enumerate(pieces):
        if index:
            parts.append(next(holes, Hole("")))
        if piece:
            parts.append(Literal(piece, text.location))
    return Text(tuple(parts), text.location)


def replaced(text: Text, old: str, new: Value) -> Text:
    """``text.replace(old, new)`` in the literal parts."""
    return _substituted(text, re.compile(re.escape(old)), lambda _: as_parts(new)) if old else text


def joined(separator: Text, items: Value) -> Value:
    """``separator.join(items)``."""
    if not isinstance(items, Sequence):
        parts = as_parts(items)
        hole = parts[0] if len(parts) == 1 and isinstance(parts[0], Hole) else Hole("join")
        return Text(
            (replace(hole, transforms=(*hole.transforms, Transform("join", separator.location))),), separator.location
        )
    if items.open and len(items.items) == 1:
        inner = as_parts(items.items[0])
        holes = [part for part in inner if isinstance(part, Hole)]
        origin: Origin = holes[0].origin if holes else "loop"
        transforms = (*(holes[0].transforms if holes else ()), Transform("join", separator.location))
        if items.kind == "set":
            transforms = (*transforms, Transform("set order", items.location))
        expression = holes[0].expression if holes else "join"
        source = holes[0].source if holes else items.location
        return Text((Hole(expression, origin, transforms=transforms, source=source),), separator.location)
    pieces: list[Value] = []
    for index, item in enumerate(items.items):
        if index:
            pieces.append(separator)
        pieces.append(item if isinstance(item, (Text, Union)) else Text(as_parts(item)))
    if items.open:
        pieces.append(Text((Hole("join", "loop", transforms=(Transform("join"),)),)))
    return text_from(pieces, separator.location)


def call_method(evaluator: Evaluator, of: Value, name: str, node: ast.Call, frame: Frame) -> Value:
    """A method called on a value from the standard types, or on something external."""

    def argument(index: int) -> Value | None:
        return evaluator.evaluate(node.args[index], frame) if index < len(node.args) else None

    match of:
        case Text():
            return _text_method(evaluator, of, name, node, frame)
        case Record():
            return _record_method(evaluator, of, name, node, frame)
        case Json() if name in ("encode", "strip"):
            return of
        case Sequence() if name == "copy":
            return of
        case External(name="os.environ") if name == "get":
            return Configured("environment", argument(1), frame.module.locate(node))
        case Instance():
            return _instance_method(evaluator, of, name, node, frame)
        case Member(of=inner):
            root: Value = inner
            while isinstance(root, Member):
                root = root.of
            if isinstance(root, Instance):
                return _instance_result(root.name, name, node, frame, "call")
            return Opaque("call", "", frame.module.locate(node))
        case _:
            return UNKNOWN


def _instance_method(evaluator: Evaluator, of: Instance, name: str, node: ast.Call, frame: Frame) -> Value:
    """A method of an object from outside the project."""
    if of.name == "string.Template" and name in ("substitute", "safe_substitute") and of.call.args:
        template = evaluator.evaluate(of.call.args[0], of.frame)
        if not isinstance(template, Text):
            return UNKNOWN
        named = keywords(evaluator, node, frame)
        return _substituted(template, TEMPLATE_FIELD, lambda match: _template_field(match, named))
    origin: Origin = "clock" if of.name.startswith(("datetime.", "time.")) else "call"
    if of.name.rsplit(".", 1)[-1] == "Path" and name in ("read_text", "read_bytes"):
        origin = "document"
    return _instance_result(of.name, name, node, frame, origin)


def _instance_result(made: str, name: str, node: ast.Call, frame: Frame, origin: Origin) -> Value:
    if name in ("with_options", "copy", "__enter__", "__aenter__"):
        return Instance(made, node, frame)
    if name in ("client", "create_client", "resource", "get_client"):
        return Instance(f"{made}.{name}", node, frame)
    text = " ".join(frame.module.source(node).split())
    return Opaque(origin, text[:80], frame.module.locate(node))


def _template_field(match: re.Match[str], named: Record) -> tuple[Part, ...]:
    if match[1]:
        return (Literal("$"),)
    name = match[2] or match[3]
    entry = named.entry(name)
    return as_parts(entry.value) if entry is not None else (Hole(name),)


def _text_method(evaluator: Evaluator, of: Text, name: str, node: ast.Call, frame: Frame) -> Value:
    values = [evaluator.evaluate(a, frame) for a in node.args]
    match name:
        case "strip" | "lstrip" | "rstrip" if not values:
            return stripped(of, STRIPS[name])
        case "format":
            if any(isinstance(a, ast.Starred) for a in node.args):
                return str_format(of, [], Record(open="*"))
            return str_format(of, values, keywords(evaluator, node, frame))
        case "format_map" if values and isinstance(values[0], Record):
            return str_format(of, [], values[0])
        case "replace" if len(values) >= 2 and isinstance(values[0], Text) and values[0].exact is not None:
            return replaced(of, values[0].exact, values[1])
        case "join" if values:
            return joined(of, values[0])
        case "encode" | "decode" | "expandtabs":
            return of
        case "lower" | "upper" | "title" | "capitalize" if of.exact is not None:
            return text_value(CASES[name](of.exact), of.location)
        case "split" | "splitlines" if of.exact is not None and not values:
            pieces = of.exact.split() if name == "split" else of.exact.splitlines()
            return Sequence(tuple(text_value(piece, of.location) for piece in pieces[:200]), len(pieces) > 200)
        case _:
            return Opaque("unknown", " ".join(frame.module.source(node).split())[:80], frame.module.locate(node))


def _record_method(evaluator: Evaluator, of: Record, name: str, node: ast.Call, frame: Frame) -> Value:
    values = [evaluator.evaluate(a, frame) for a in node.args]
    match name:
        case "get" | "pop" | "setdefault" if values and isinstance(values[0], Text) and values[0].exact is not None:
            entry = of.entry(values[0].exact)
            default = values[1] if len(values) > 1 else Const(None)
            if entry is not None:
                return entry.value if not entry.maybe else union([(None, entry.value), (None, default)])
            if of.open is not None:
                return Configured(of.open, default if len(values) > 1 else None)
            return default
        case "copy" | "model_dump" | "dict":
            return of
        case _:
            return Opaque("unknown", " ".join(frame.module.source(node).split())[:80], frame.module.locate(node))


def keywords(evaluator: Evaluator, node: ast.Call, frame: Frame) -> Record:
    """The keyword arguments of a call as a record."""
    record = Record(location=frame.module.locate(node) if hasattr(node, "end_lineno") else None)
    for keyword in node.keywords:
        value = evaluator.evaluate(keyword.value, frame)
        if keyword.arg is None:
            record = spread(record, value, " ".join(frame.module.source(keyword.value).split())[:60])
        else:
            start = frame.module.offset(keyword.lineno, keyword.col_offset)
            place = frame.module.place(start, start + len(keyword.arg))
            record = record.with_entry(Entry(keyword.arg, value, place))
    return record


def call_external(evaluator: Evaluator, name: str, node: ast.Call, frame: Frame) -> Value:  # noqa: C901
    """A call of something from outside the project, by its dotted name."""

    def argument(index: int) -> Value:
        return evaluator.evaluate(node.args[index], frame) if index < len(node.args) else UNKNOWN

    short = name.removeprefix("builtins.")
    match short:
        case "json.dumps" | "orjson.dumps" | "ujson.dumps" | "simplejson.dumps" | "json.dump":
            indent = any(
                k.arg == "indent" and not (isinstance(k.value, ast.Constant) and not k.value.value)
                for k in node.keywords
            )
            return Json(argument(0), indent, frame.module.locate(node))
        case "dict":
            record = keywords(evaluator, node, frame)
            if node.args:
                base = argument(0)
                return _dict_of(base, record)
            return record
        case "str":
            value = argument(0)
            return value if isinstance(value, (Text, Json, Configured, Opaque)) else Text(as_parts(value))
        case "int" | "float":
            return _number(int if short == "int" else float, argument(0))
        case "list" | "tuple" | "set" | "sorted" | "reversed" | "frozenset" if node.args:
            value = argument(0)
            if isinstance(value, Sequence):
                kind = "set" if short in ("set", "frozenset") else "list"
                return replace(value, kind=kind)
            return Sequence((), True, "set" if short == "set" else "list") if short in ("set", "frozenset") else value
        case "list" | "tuple" | "set":
            return Sequence((), False, short)
        case "min" | "max" if len(node.args) > 1:
            return _extreme(short, [evaluator.evaluate(a, frame) for a in node.args], frame, node)
        case "os.getenv" | "os.environ.get" | "environ.get":
            return Configured(
                "environment", argument(1) if len(node.args) > 1 else _keyword(evaluator, node, frame, "default")
            )
        case "textwrap.dedent" | "dedent":
            value = argument(0)
            return dedented(value) if isinstance(value, Text) else value
        case "inspect.cleandoc":
            value = argument(0)
            if isinstance(value, Text):
                whole = "".join(p.text if isinstance(p, Literal) else "\x00" for p in value.parts)
                return _without_maps(value, inspect.cleandoc(whole))
            return value
        case "copy.deepcopy" | "copy.copy" | "deepcopy":
            return argument(0)
        case "typing.cast" | "typing_extensions.cast":
            return argument(1)
        case "asyncio.wait_for" | "asyncio.shield" | "asyncio.ensure_future" | "asyncio.run":
            return argument(0)
        case "uuid.uuid4" | "uuid.uuid1" | "secrets.token_hex" | "secrets.token_urlsafe":
            return Opaque("identifier", f"{name}()", frame.module.locate(node))
        case "builtins.input" | "input":
            return Opaque("argument", "input()", frame.module.locate(node))
        case "types.SimpleNamespace":
            return Opaque("unknown", "SimpleNamespace", frame.module.locate(node))
    head, _, tail = short.rpartition(".")
    if head.startswith(("datetime", "time", "date", "arrow", "pendulum")) and tail in CLOCKS:
        return Opaque("clock", f"{name}()", frame.module.locate(node))
    if head.startswith(("random", "numpy.random")):
        return Opaque("random", f"{name}()", frame.module.locate(node))
    return Instance(name, node, frame)


def _keyword(evaluator: Evaluator, node: ast.Call, frame: Frame, name: str) -> Value | None:
    return next((evaluator.evaluate(k.value, frame) for k in node.keywords if k.arg == name), None)


def _dict_of(base: Value, extra: Record) -> Value:
    if isinstance(base, Record):
        result = base
        for entry in extra.entries:
            result = result.with_entry(entry)
        return replace(result, open=result.open or extra.open)
    return replace(extra, open="dict(...)")


def _number(kind: type, value: Value) -> Value:
    match value:
        case Const(value=content, location=location) if isinstance(content, (int, float)):
            return Const(kind(content), location)
        case Text() if value.exact is not None:
            try:
                return Const(kind(value.exact), value.location)
            except ValueError:
                return UNKNOWN
        case Configured(origin=origin, fallback=fallback, location=location):
            inner = _number(kind, fallback) if fallback is not None else None
            return Configured(origin, inner if isinstance(inner, Const) else None, location)
        case Union():
            return union([(c, _number(kind, v)) for c, v in value.cases])
        case Opaque():
            return value
        case _:
            return UNKNOWN


def _extreme(which: str, values: list[Value], frame: Frame, node: ast.Call) -> Value:
    numbers = [v for v in values if isinstance(v, Const) and isinstance(v.value, (int, float))]
    if len(numbers) == len(values):
        pick = min if which == "min" else max
        return pick(numbers, key=lambda c: c.value)  # type: ignore[arg-type, return-value]
    return Opaque("unknown", " ".join(frame.module.source(node).split())[:80], frame.module.locate(node))
