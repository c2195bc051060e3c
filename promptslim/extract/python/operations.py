"""What text operations and the known functions of the standard library do to abstract values."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING

from promptslim.core.prompt import Transform
from promptslim.core.record import replace
from promptslim.extract.python.abstract import (
    UNKNOWN,
    Chain,
    Configured,
    Const,
    Entry,
    External,
    FilePath,
    Instance,
    Json,
    Member,
    Opaque,
    Record,
    Sequence,
    Template,
    Text,
    Union,
    Value,
    alternatives,
    as_parts,
    text_value,
    union,
)
from promptslim.extract.python.file_paths import path_call, path_method
from promptslim.extract.python.frames import short
from promptslim.extract.python.orders import SET_METHODS, keys_in_order, listed, order_over, seeded, sorts_keys
from promptslim.extract.python.origins import Effect, First
from promptslim.extract.python.records import spread
from promptslim.extract.python.templates import (
    PACKAGES,
    RENDERS,
    arguments_of,
    chat_filled,
    rendered,
    template_call,
    template_of,
)
from promptslim.extract.python.texts import (
    TEMPLATE_FIELD,
    cut_off,
    dedented,
    derived,
    joined,
    remapped,
    replaced,
    str_format,
    stripped,
    substituted,
    template_field,
)

if TYPE_CHECKING:
    from promptslim.core.text import Location
    from promptslim.extract.python.evaluate import Evaluator
    from promptslim.extract.python.frames import Frame

STRIPS = {"strip": str.strip, "lstrip": str.lstrip, "rstrip": str.rstrip}
CASES: dict[str, Callable[[str], str]] = {
    "lower": str.lower,
    "upper": str.upper,
    "title": str.title,
    "capitalize": str.capitalize,
}


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
        case Sequence(kind="set") if name in SET_METHODS:
            return replace(of, open=True, location=frame.module.locate(node))
        case Sequence() if name == "copy":
            return of
        case External(name="os.environ") if name == "get":
            return Configured("environment", argument(1), frame.module.locate(node))
        case FilePath():
            return path_method(evaluator, of, name, node, frame)
        case Chain() | Template() | Sequence(kind="chat"):
            return _template_method(evaluator, of, name, node, frame)
        case Instance():
            return _instance_method(evaluator, of, name, node, frame)
        case Member():
            root: Value = of
            steps: list[str] = []
            while isinstance(root, Member):
                steps.insert(0, root.name)
                root = root.of
            if isinstance(root, Instance):
                return _instance_result(evaluator, root, (root.name, *steps), name, node, frame)
            return _result(evaluator, "", name, node, frame)
        case _:
            return UNKNOWN


def _instance_method(evaluator: Evaluator, of: Instance, name: str, node: ast.Call, frame: Frame) -> Value:
    """A method of an object from outside the project."""
    if of.name == "string.Template" and name in ("substitute", "safe_substitute") and of.call.args:
        template = evaluator.evaluate(of.call.args[0], of.frame)
        if not isinstance(template, Text):
            return UNKNOWN
        named = keywords(evaluator, node, frame)
        return substituted(template, TEMPLATE_FIELD, template_field(named))
    template_made = template_of(evaluator, of, name, node, frame) if name in TEMPLATE_MAKERS else None
    return template_made or _instance_result(evaluator, of, (of.name,), name, node, frame)


TEMPLATE_MAKERS = frozenset({"get_template", "select_template", "from_string"})


def _template_method(
    evaluator: Evaluator, of: Chain | Template | Sequence, name: str, node: ast.Call, frame: Frame
) -> Value:
    """A method of a template, of the messages of a chat template, or of a chain of steps."""
    if isinstance(of, Chain):
        return of if name in BINDS else Opaque("call", short(frame.module, node), frame.module.locate(node))
    if name not in RENDERS:
        return of if name == "copy" else UNKNOWN
    given = arguments_of(evaluator, node, keywords(evaluator, node, frame), frame)
    if isinstance(of, Sequence):
        return chat_filled(of, given)
    made = rendered(of, given)
    return Template(made.parts, made.location) if name == "partial" else made


BINDS = frozenset({
    "with_structured_output", "bind_tools", "bind", "with_config", "with_retry", "with_fallbacks",
})  # fmt: skip
"""Methods of LangChain's objects that give the same object with other settings."""


def _instance_result(
    evaluator: Evaluator, of: Value, path: tuple[str, ...], name: str, node: ast.Call, frame: Frame
) -> Value:
    """A method of an object, or of what its attributes lead to: ``path`` is what made the object and the attributes."""
    made = path[0]
    if name in BINDS and made.startswith(PACKAGES):
        return of
    if name in ("with_options", "copy", "__enter__", "__aenter__"):
        return Instance(made, node, frame)
    if name in ("client", "create_client", "resource", "get_client"):
        return Instance(f"{made}.{name}", node, frame)
    return _result(evaluator, ".".join(path), name, node, frame)


def _result(evaluator: Evaluator, made: str, method: str, node: ast.Call, frame: Frame) -> Value:
    """What a method of an object from outside gives: by the table of origins, else the result of some call."""
    effect = evaluator.origins.of_method(method, _first(evaluator, node, frame), made)
    place = frame.module.locate(node)
    if indents(method, node):
        return Opaque("call", short(frame.module, node), place, (Transform("indent", place),))
    if effect is None:
        return Opaque("call", short(frame.module, node), place)
    if effect.gives is not None:
        return Instance(effect.gives, node, frame)
    given = evaluator.evaluate(node.args[0], frame) if effect.passes and node.args else None
    taken = given if isinstance(given, Opaque) else Opaque("call", location=place)
    if not effect.concerns(taken):
        return Opaque("call", short(frame.module, node), place)
    return effect.on(taken, short(frame.module, node), place)


def _first(evaluator: Evaluator, node: ast.Call, frame: Frame) -> First:
    """The first argument of a call, read when it is asked for."""

    def first() -> str | None:
        value = evaluator.evaluate(node.args[0], frame) if node.args else None
        return value.exact if isinstance(value, Text) else None

    return first


def indents(method: str, node: ast.Call) -> bool:
    """True for ``model_dump_json(indent=2)`` and the like."""
    return "json" in method and any(
        keyword.arg == "indent" and isinstance(keyword.value, ast.Constant) and bool(keyword.value.value)
        for keyword in node.keywords
    )


TAKES_APART = frozenset({"pop", "popleft", "popitem"})


def opaque_method(evaluator: Evaluator, of: Opaque, method: str, node: ast.Call, frame: Frame) -> Value:
    """A method of something that is not known: of the same origin, unless the table says otherwise."""
    effect = evaluator.origins.of_method(method, _first(evaluator, node, frame))
    place = frame.module.locate(node)
    expression = short(frame.module, node)
    if indents(method, node):
        return derived(of, expression, place, Transform("indent", place))
    if effect is not None and effect.gives is not None and of.origin != "document":
        return Instance(effect.gives, node, frame)
    if effect is not None and effect.gives is None and effect.concerns(of):
        return effect.on(of, expression, place)
    if of.origin == "unknown":
        return Opaque("call", expression, place, of.transforms)
    return derived(of, expression, place, *((Transform("item", place),) if method in TAKES_APART else ()))


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
            return joined(of, listed(evaluator, "list", values[0], node, frame))
        case "encode" | "decode" | "expandtabs":
            return of
        case "strip" | "lstrip" | "rstrip" | "removeprefix" | "removesuffix" | "lower" | "upper" if of.exact is None:
            return of
        case "lower" | "upper" | "title" | "capitalize" if of.exact is not None:
            return text_value(CASES[name](of.exact), of.location)
        case "split" | "splitlines" if of.exact is not None and not values:
            pieces = of.exact.split() if name == "split" else of.exact.splitlines()
            return Sequence(tuple(text_value(piece, of.location) for piece in pieces[:200]), len(pieces) > 200)
        case _:
            return Opaque("unknown", short(frame.module, node), frame.module.locate(node))


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
            return Opaque("unknown", short(frame.module, node), frame.module.locate(node))


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

    bare = name.removeprefix("builtins.")
    match bare:
        case "json.dumps" | "orjson.dumps" | "ujson.dumps" | "simplejson.dumps" | "json.dump":
            indent = any(
                k.arg == "indent" and not (isinstance(k.value, ast.Constant) and not k.value.value)
                for k in node.keywords
            )
            data = keys_in_order(argument(0)) if sorts_keys(node) else argument(0)
            return Json(data, indent, frame.module.locate(node))
        case "dict":
            record = keywords(evaluator, node, frame)
            if node.args:
                base = argument(0)
                return _dict_of(base, record)
            return record
        case "str" if node.args:
            value = argument(0)
            return value if isinstance(value, (Text, Json, Configured, Opaque)) else Text(as_parts(value))
        case "int" | "float":
            return _number(int if bare == "int" else float, argument(0))
        case "list" | "tuple" | "set" | "sorted" | "reversed" | "frozenset" if node.args:
            return listed(evaluator, bare, argument(0), node, frame)
        case "list" | "tuple":
            return Sequence((), False, bare)
        case "set" | "frozenset":
            return Sequence((), True, "set", frame.module.locate(node))
        case "dict.fromkeys":
            return Record(
                (), bare, frame.module.locate(node), order_over(evaluator, node.args[0], frame) if node.args else None
            )
        case "min" | "max" if len(node.args) > 1:
            return _extreme(bare, [evaluator.evaluate(a, frame) for a in node.args], frame, node)
        case "os.getenv" | "os.environ.get" | "environ.get":
            return Configured(
                "environment", argument(1) if len(node.args) > 1 else _keyword(evaluator, node, frame, "default")
            )
        case "textwrap.dedent" | "dedent":
            return union([(c, dedented(v) if isinstance(v, Text) else v) for c, v in alternatives(argument(0))])
        case "inspect.cleandoc":
            from inspect import cleandoc  # 5 ms, and few files come here

            return union(
                [(c, remapped(v, cleandoc) if isinstance(v, Text) else v) for c, v in alternatives(argument(0))]
            )
        case "copy.deepcopy" | "copy.copy" | "deepcopy":
            return argument(0)
        case "typing.cast" | "typing_extensions.cast":
            return argument(1)
        case "asyncio.wait_for" | "asyncio.shield" | "asyncio.ensure_future" | "asyncio.run":
            return argument(0)
        case "types.SimpleNamespace":
            return Opaque("unknown", "SimpleNamespace", frame.module.locate(node))
    made = path_call(evaluator, name, node, frame)
    if made is None and (name.startswith(PACKAGES) or name == "jinja2.Template"):
        made = template_call(evaluator, name, node, keywords(evaluator, node, frame), frame)
    if made is not None:
        return made
    effect = evaluator.origins.of_function(name, _first(evaluator, node, frame))
    return _affected(evaluator, effect, node, frame) if effect is not None else Instance(name, node, frame)


def _affected(evaluator: Evaluator, effect: Effect, node: ast.Call, frame: Frame) -> Value:
    """The result of a function that the table of origins knows."""
    place, expression = frame.module.locate(node), short(frame.module, node)
    if not effect.passes:
        return effect.on(Opaque(), expression, place)
    given = evaluator.evaluate(node.args[effect.argument], frame) if len(node.args) > effect.argument else UNKNOWN
    if effect.transform == "random order" and seeded(frame.module):
        return given
    return union([(c, _passed(effect, one, expression, place)) for c, one in alternatives(given)])


def _passed(effect: Effect, given: Value, expression: str, place: Location) -> Value:
    """What a function makes of what it is given and hands on."""
    match given:
        case Opaque():
            return effect.on(given, expression, place)
        case Text() if effect.transform is not None:
            return cut_off(given, Opaque("unknown", expression, place), None, effect.transform)
        case Sequence() if effect.transform == "random order":
            return replace(given, kind="list", order=Transform("random order", place))
        case Instance():
            return effect.on(Opaque("call", expression, place), expression, place)
        case _:
            return given


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
    return Opaque("unknown", short(frame.module, node), frame.module.locate(node))
