"""What calls into libraries give and do: rules/origins.toml as the evaluator asks it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from promptslim.core.prompt import Origin, Transform, TransformKind
from promptslim.core.record import record
from promptslim.core.text import Location
from promptslim.extract.python.abstract import Opaque
from promptslim.extract.python.dotted import fits

First = Callable[[], str | None]
"""Gives the first argument of a call, None where it is no text or is not known."""


@record
class Effect:
    """One entry of the table; ``passes``: the result is what was given, as ``argument`` (a position). ``gives`` is the
    class of the object that a call gives, ``of`` the transformation without which nothing happens, ``given`` what the
    first argument has to be."""

    origin: Origin | None
    transform: TransformKind | None
    clean: TransformKind | None
    passes: bool
    argument: int = 0
    gives: str | None = None
    of: TransformKind | None = None
    given: str | None = None

    def concerns(self, value: Opaque) -> bool:
        """False for a value that the entry says nothing of."""
        return self.of is None or any(one.kind == self.of for one in value.transforms)

    def takes(self, first: First) -> bool:
        """Whether a call with this first argument is meant. One that is not known is where something may be taken
        out: what is gone then is not claimed to be there."""
        if self.given is None:
            return True
        text = first()
        return self.clean is not None if text is None else _compiled(self.given).fullmatch(text) is not None

    def on(self, given: Opaque, expression: str, place: Location) -> Opaque:
        """What ``given`` is after the call at ``place``."""
        transforms = tuple(one for one in given.transforms if one.kind != self.clean)
        if self.transform is not None:
            transforms = (*transforms, Transform(self.transform, place))
        origin = self.origin or given.origin
        keep = self.origin is None and given.origin != "unknown" and given.location is not None
        bound = given.bound if self.origin is None and self.transform is None else None
        return Opaque(origin, expression, given.location if keep else place, transforms, bound)


@lru_cache(maxsize=32)
def _compiled(given: str) -> re.Pattern[str]:
    return re.compile(given, re.DOTALL)


@record
class Origins:
    """The effects by the last name of a function, by the name of a method, and by the name of a field."""

    functions: Mapping[str, tuple[tuple[str, str, Effect], ...]]
    methods: Mapping[str, Effect]
    fields: Mapping[str, Effect]

    def of_function(self, dotted: str, first: First) -> Effect | None:
        """The effect of calling something from outside, None where the table does not say."""
        for root, name, effect in self.functions.get(dotted.rpartition(".")[2], ()):
            if fits(dotted, root, name) and effect.takes(first):
                return effect
        return None

    def of_method(self, name: str, first: First, made: str = "") -> Effect | None:
        """The effect of a method of an object from outside, None where the table does not say. ``made``: what made
        the object, by its dotted name, where that is known."""
        for root, method, effect in self.functions.get(name, ()) if made else ():
            if "." in method and fits(f"{made}.{name}", root, method) and effect.takes(first):
                return effect
        found = self.methods.get(name)
        return found if found is not None and found.takes(first) else None

    def cuts(self, method: str) -> bool:
        """Whether a method gives a part of its object, or figures of it."""
        effect = self.methods.get(method)
        return effect is not None and effect.transform == "slice"

    def of_field(self, name: str) -> Effect | None:
        """The effect of reading a field of an object from outside, None where the table does not say."""
        return self.fields.get(name)


def origins(table: Mapping[str, Any]) -> Origins:
    """Reads the table."""
    functions: dict[str, tuple[tuple[str, str, Effect], ...]] = {}
    methods: dict[str, Effect] = {}
    fields: dict[str, Effect] = {}
    for raw in table.get("effect", ()):
        effect = Effect(
            raw.get("origin"),
            raw.get("transform"),
            raw.get("clean"),
            bool(raw.get("passes")),
            raw.get("argument", 0),
            raw.get("gives"),
            raw.get("of"),
            raw.get("given"),
        )
        for entry in raw.get("functions", ()):
            root, _, name = entry.partition(":")
            last = name.rpartition(".")[2]
            functions[last] = (*functions.get(last, ()), (root, name, effect))
        for name in raw.get("methods", ()):
            methods[name] = effect
        for name in raw.get("fields", ()):
            fields[name] = effect
    return Origins(functions, methods, fields)
