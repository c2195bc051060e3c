"""Records merged with one another, and the value of ``first or second``."""

from __future__ import annotations

from promptslim.core.record import replace
from promptslim.extract.python.abstract import (
    Configured,
    Const,
    Entry,
    Instance,
    Object,
    Opaque,
    Record,
    Text,
    Union,
    Value,
    union,
)


def spread(record: Record, value: Value, expression: str) -> Record:
    """A record with the keys of another value merged over it (``{**a, **b}``, ``update``)."""
    if isinstance(value, Record):
        for entry in value.entries:
            record = record.with_entry(entry)
        return replace(record, open=record.open or value.open)
    if isinstance(value, Union) and all(isinstance(v, Record) for _, v in value.cases):
        return spread(record, merged([v for _, v in value.cases if isinstance(v, Record)]), expression)
    if isinstance(value, Const) and value.value is None:
        return record
    return replace(record, open=record.open or f"**{expression}")


def merged(records: list[Record]) -> Record:
    """One record for several paths: keys that not every path sets are maybe set."""
    keys = list(dict.fromkeys(entry.key for record in records for entry in record.entries))
    entries: list[Entry] = []
    for key in keys:
        found = [entry for record in records if (entry := record.entry(key)) is not None]
        maybe = len(found) < len(records) or any(entry.maybe for entry in found)
        values = [entry.value for entry in found]
        if all(isinstance(value, Record) for value in values):
            value: Value = merged([value for value in values if isinstance(value, Record)])
        else:
            value = union([(None, value) for value in values])
        entries.append(Entry(key, value, found[0].location, maybe))
    opened = next((record.open for record in records if record.open), None)
    return Record(tuple(entries), opened, records[0].location)


def either(first: Value, second: Value, expression: str) -> Value:
    """``first or second``."""
    match first:
        case Const(value=value):
            return first if value else second
        case Text(parts=parts):
            return first if parts else second
        case Record(entries=entries, open=opened) if entries or opened is None:
            return first if entries else second
        case Configured(origin=origin, fallback=fallback):
            return Configured(origin, fallback if _truthy(fallback) else second, first.location)
        case Opaque(origin=origin, location=location):
            if isinstance(second, (Const, Text, Configured)):
                kept = second.fallback if isinstance(second, Configured) else second
                return Configured(origin if origin != "unknown" else expression, kept, location)
            if isinstance(second, Record):
                return merged([second, Record(open=expression)])
            # "given or Client()": what is given is of the same kind.
            return second if isinstance(second, (Instance, Object)) else first
        case Union():
            return union([(c, either(v, second, expression)) for c, v in first.cases])
        case _:
            return first


def _truthy(value: Value | None) -> bool:
    return (isinstance(value, Const) and bool(value.value)) or (isinstance(value, Text) and bool(value.parts))
