"""Reading a dotted path out of an abstract request, one outcome per branch."""

from __future__ import annotations

import ast
import json
from typing import TypeVar

from promptslim.core.prompt import Literal
from promptslim.core.record import record
from promptslim.core.text import Location
from promptslim.core.values import Absent, Case, Field, Known, Present, Unknown
from promptslim.core.values import Value as CoreValue
from promptslim.extract.python.abstract import (
    Configured,
    Const,
    Entry,
    External,
    Instance,
    Json,
    Object,
    Opaque,
    Record,
    Sequence,
    Text,
    Union,
    Value,
    alternatives,
)
from promptslim.extract.python.evaluate import Evaluator
from promptslim.extract.python.frames import Frame, is_real
from promptslim.extract.python.operations import keywords

T = TypeVar("T")

UNSET = frozenset({"NOT_GIVEN", "NotGiven", "omit", "Omit", "not_given", "UNSET"})
"""Names of sentinels that SDKs use for "not set"."""


@record
class Found:
    """A value at a path, with the place of its key. ``maybe``: set on some paths of the program only."""

    value: Value
    location: Location | None
    maybe: bool = False


@record
class Missing:
    """Provably not there."""


@record
class Hidden:
    """May be there or not; ``why`` names what hides it."""

    why: str


Outcome = Found | Missing | Hidden


def at_path(evaluator: Evaluator, value: Value, path: str, frame: Frame) -> list[tuple[str | None, Outcome]]:
    """The outcomes of following ``a.b.c`` from a value."""
    steps = path.split(".")
    results: list[tuple[str | None, Outcome]] = []
    for condition, member in alternatives(value):
        results.extend(
            (" and ".join(c for c in (condition, inner) if c) or None, outcome)
            for inner, outcome in _follow(evaluator, member, steps, frame, None)
        )
    return results


def _follow(
    evaluator: Evaluator, value: Value, steps: list[str], frame: Frame, place: Location | None
) -> list[tuple[str | None, Outcome]]:
    if not steps and not isinstance(value, Union):
        return [(None, Found(value, place))]
    if isinstance(value, Union):
        return [
            (" and ".join(x for x in (c, inner) if x) or None, outcome)
            for c, v in value.cases
            for inner, outcome in _follow(evaluator, v, steps, frame, place)
        ]
    record = record_of(evaluator, value, frame)
    if record is None:
        if isinstance(value, Const) and value.value is None:
            return [(None, Missing())]
        if isinstance(value, External) and value.name.rsplit(".", 1)[-1] in UNSET:
            return [(None, Missing())]
        return [(None, Hidden(_why(value)))]
    entry = record.entry(steps[0])
    if entry is None:
        return [(None, Hidden(record.open) if record.open is not None else Missing())]
    found = _follow(evaluator, entry.value, steps[1:], frame, entry.location)
    if entry.maybe:
        return [
            (c, Hidden(f"{steps[0]} is set on some paths only")) if isinstance(o, Missing) else (c, _maybe(o))
            for c, o in found
        ]
    return found


def _maybe(outcome: Outcome) -> Outcome:
    return Found(outcome.value, outcome.location, True) if isinstance(outcome, Found) else outcome


def _why(value: Value) -> str:
    match value:
        case Opaque(expression=expression):
            return expression
        case Configured(origin=origin):
            return origin
        case Instance(name=name):
            return f"{name}()"
        case _:
            return type(value).__name__.lower()


def record_of(evaluator: Evaluator, value: Value, frame: Frame) -> Record | None:
    """A value whose keys can be looked up: a dict, a builder's keywords, JSON text."""
    match value:
        case Record():
            return value
        case Json(value=inner):
            return record_of(evaluator, inner, frame)
        case Instance(call=call, frame=made_in) if is_real(call):
            return keywords(evaluator, call, made_in)
        case Object(call=call, frame=made_in) if call is not None and made_in is not None and is_real(call):
            record = keywords(evaluator, call, made_in)
            return Record(record.entries, f"{value.type.node.name}(...)", record.location)
        case Text():
            return _parsed(value)
        case _:
            return None


def _parsed(text: Text) -> Record | None:
    """The keys of a literal JSON text."""
    source = "".join(part.text if isinstance(part, Literal) else '"\\u0000"' for part in text.parts)
    if not source.lstrip().startswith("{"):
        return None
    try:
        data = json.loads(source)
    except (ValueError, RecursionError):
        return None
    value = _from_json(data, text.location)
    return value if isinstance(value, Record) else None


def _from_json(data: object, location: Location | None) -> Value:
    match data:
        case dict():
            return Record(
                tuple(Entry(str(k), _from_json(v, location), location) for k, v in data.items()), None, location
            )
        case list():
            return Sequence(tuple(_from_json(item, location) for item in data), location=location)
        case "\x00":
            return Opaque(expression="template")
        case str():
            return Text((Literal(data, location),), location)
        case _:
            return Const(data, location)


def request_of(evaluator: Evaluator, node: ast.Call, positional: tuple[str, ...], frame: Frame) -> Record:
    """The arguments of a call as one record: keywords, ``**`` spreads, and known positions."""
    record = keywords(evaluator, node, frame)
    for index, argument in enumerate(node.args):
        if isinstance(argument, ast.Starred):
            return Record(record.entries, record.open or "*args", record.location)
        if index < len(positional) and record.entry(positional[index]) is None:
            value = evaluator.evaluate(argument, frame)
            record = record.with_entry(Entry(positional[index], value, frame.module.locate(argument)))
    return record


def integer(outcome: Outcome) -> CoreValue[int]:
    """What an outcome says of an output cap."""
    match outcome:
        case Missing():
            return Absent()
        case Hidden(why=why):
            return Unknown(why)
        case Found(value=value, location=location, maybe=maybe):
            result = _integer(value, location)
            if maybe and isinstance(result, Known):
                return Present("set on some paths", result.value, location)
            return Unknown("set on some paths") if maybe and isinstance(result, Absent) else result
    raise AssertionError(outcome)


def _integer(value: Value, location: Location | None) -> CoreValue[int]:
    match value:
        case Const(value=bool()):
            return Unknown("a boolean")
        case Const(value=int() as number):
            return Known(number, value.location or location)
        case Const(value=float() as number) if number.is_integer():
            return Known(int(number), value.location or location)
        case Const(value=None):
            return Absent()
        case External(name=name) | Instance(name=name) if name.rsplit(".", 1)[-1] in UNSET:
            return Absent()
        case Configured(origin=origin, fallback=fallback):
            inner = _integer(fallback, None) if fallback is not None else None
            return Present(origin, inner.value if isinstance(inner, Known) else None, location)
        case Text() if value.exact is not None and value.exact.strip().isdigit():
            return Known(int(value.exact), location)
        case Opaque(expression=expression):
            return Unknown(expression)
        case _:
            return Unknown(_why(value))


def string(outcome: Outcome) -> CoreValue[str]:
    """What an outcome says of a model id."""
    match outcome:
        case Missing():
            return Absent()
        case Hidden(why=why):
            return Unknown(why)
        case Found(value=value, location=location):
            return _string(value, location)
    raise AssertionError(outcome)


def _string(value: Value, location: Location | None) -> CoreValue[str]:
    match value:
        case Text() if value.exact is not None:
            return Known(value.exact, value.location or location)
        case Const(value=None):
            return Absent()
        case Configured(origin=origin, fallback=fallback):
            text = fallback.exact if isinstance(fallback, Text) else None
            return Present(origin, text, location)
        case Opaque(expression=expression):
            return Unknown(expression)
        case _:
            return Unknown(_why(value))


def anything(outcome: Outcome) -> CoreValue[object]:
    """Whether something is set at all."""
    match outcome:
        case Missing():
            return Absent()
        case Hidden(why=why):
            return Unknown(why)
        case Found(value=Const(value=None)):
            return Absent()
        case Found(value=External(name=name)) if name.rsplit(".", 1)[-1] in UNSET:
            return Absent()
        case Found(value=value, location=location):
            plain = plain_of(value)
            return Known(plain, location) if plain is not None else Present(_why(value), None, location)
    raise AssertionError(outcome)


def plain_of(value: Value, depth: int = 0) -> object:
    """The plain data of a value that is fully known, else None; what is nested deeper than settings are is None."""
    if depth > 4:
        return None
    match value:
        case Const(value=content):
            return content
        case Text():
            return value.exact
        case Record(entries=entries, open=None):
            return {entry.key: plain_of(entry.value, depth + 1) for entry in entries}
        case Sequence(items=items, open=False):
            return [plain_of(item, depth + 1) for item in items]
        case _:
            return None


def field_of(cases: list[tuple[str | None, CoreValue[T]]]) -> Field[T]:
    """Cases as a field: equal ones merged, conditions dropped where nothing differs."""
    merged: list[Case[T]] = []
    for condition, value in cases:
        if not any(_alike(value, case.value) for case in merged):
            merged.append(Case(value, condition))
    if len(merged) == 1:
        return Field((Case(merged[0].value),))
    return Field(tuple(merged))


def _alike(left: object, right: object) -> bool:
    if type(left) is not type(right):
        return False
    if isinstance(left, Unknown):
        return True
    if isinstance(left, Known) and isinstance(right, Known):
        return bool(left.value == right.value)
    return left == right
