"""Abstract values: what an expression may be at run time, as far as the source shows it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from promptslim.core.prompt import Hole, Literal, Origin, Part, Transform
from promptslim.core.record import record, replace
from promptslim.core.text import Location

if TYPE_CHECKING:
    from promptslim.extract.python.frames import Frame
    from promptslim.extract.python.module import Module

MOST_PARTS = 20_000
"""Parts of one text, and ..."""
MOST_CHARACTERS = 20_000_000
"""... characters of one text: a program can double a text in every line, and what gets longer is not known."""

MOST_CASES = 8
"""Alternatives kept apart for one value; beyond them nothing is claimed."""

DEEPEST_DATA = 8
"""Levels of nested lists and dicts in which an order is looked for."""


@record
class Const:
    """A number, bool, None, bytes or Ellipsis."""

    value: object
    location: Location | None = None


@record
class Text:
    """A string built from literal parts and holes, in order."""

    parts: tuple[Part, ...]
    location: Location | None = None

    @property
    def exact(self) -> str | None:
        """The string, or None where it has holes or pieces that are not always there."""
        if not all(isinstance(part, Literal) and not part.maybe for part in self.parts):
            return None
        return "".join(part.text for part in self.parts if isinstance(part, Literal))


@record
class Entry:
    """One key of a dict or one keyword of a builder. ``maybe``: set on some paths only."""

    key: str
    value: Value
    location: Location | None = None
    maybe: bool = False


@record
class Record:
    """A dict (or keyword builder). ``open`` names why further keys may exist, None where they cannot. ``order`` is
    what gives its keys another order each time."""

    entries: tuple[Entry, ...] = ()
    open: str | None = None
    location: Location | None = None
    order: Transform | None = None

    def entry(self, key: str) -> Entry | None:
        """What a key is set to, None where it is not among the known entries."""
        for entry in reversed(self.entries):
            if entry.key == key:
                return entry
        return None

    def with_entry(self, new: Entry) -> Record:
        """This record with one key set; a key that is only maybe set keeps its older entry as well."""
        old = self.entry(new.key)
        if old is None:
            return replace(self, entries=(*self.entries, new))
        if new.maybe:
            merged = union([(None, old.value), (None, new.value)])
            new = replace(new, value=merged, maybe=old.maybe)
        return replace(self, entries=tuple(new if e is old else e for e in self.entries))


@record
class Sequence:
    """A list, tuple or set. ``open``: may hold further items. ``order`` is what gives its items another order each
    time, None where nothing of the kind can be seen; a set has no order of its own."""

    items: tuple[Value, ...]
    open: bool = False
    kind: str = "list"
    location: Location | None = None
    order: Transform | None = None

    @property
    def disorder(self) -> Transform | None:
        """What makes the order of the items differ from process to process, or from call to call. A set of numbers
        has the same order everywhere: they are their own hash (Python documentation, ``object.__hash__``)."""
        if not self.open and len(self.items) < 2:
            return None
        numbers = not self.open and all(isinstance(item, Const) for item in self.items)
        return Transform("set order", self.location) if self.kind == "set" and not numbers else self.order


@record
class External:
    """Something imported from outside the project, by dotted name (``boto3.client``)."""

    name: str


@record
class Instance:
    """The result of calling something from outside the project."""

    name: str
    call: ast.Call
    frame: Frame


@record
class Member:
    """An attribute of something from outside the project (``client.messages``)."""

    of: Value
    name: str


@record
class Function:
    """A function of the project; ``receiver`` is the object a method was taken from."""

    module: Module
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    frame: Frame | None = None
    receiver: Value | None = None


@record
class Class:
    """A class of the project."""

    module: Module
    node: ast.ClassDef


@record
class Object:
    """An instance of a class of the project; ``call`` is None where only its type is known."""

    type: Class
    call: ast.Call | None = None
    frame: Frame | None = None


@record
class ProjectModule:
    """An imported module of the project."""

    module: Module


@record
class FilePath:
    """A path, or with ``opened`` the file that is open under it. ``path`` is None where it is not known; with
    ``anchored`` it is relative to the working directory of the run (it came from ``__file__`` or a package), else
    as the program writes it."""

    path: str | None
    anchored: bool = False
    opened: bool = False


@record
class Template:
    """A template that is not filled yet: a file or text of a template engine, or of a prompt template class.
    ``parts`` has its placeholders as holes with names."""

    parts: tuple[Part, ...]
    location: Location | None = None


@record
class Chain:
    """Steps joined by ``|`` (LangChain): each gets what the one before it gives."""

    items: tuple[Value, ...]


@record
class Json:
    """The JSON text of a value. ``indent`` is true where it is pretty-printed; ``location`` is the call."""

    value: Value
    indent: bool = False
    location: Location | None = None


@record
class Configured:
    """Decided outside the code (environment, config, an argument) with the value used otherwise."""

    origin: str
    fallback: Value | None = None
    location: Location | None = None


@record
class Opaque:
    """Not known. ``origin`` is where it comes from, ``expression`` its source text, ``location`` the place where
    it is made; ``transforms`` and ``bound`` as in ``Hole``; ``file`` the file of which it is the whole content;
    ``model`` the class of which it is the JSON Schema."""

    origin: Origin = "unknown"
    expression: str = ""
    location: Location | None = None
    transforms: tuple[Transform, ...] = ()
    bound: int | None = None
    file: FilePath | None = None
    model: Class | None = None


@record
class Union:
    """Alternatives in program order, each with the condition of its branch (None: not nameable)."""

    cases: tuple[tuple[str | None, Value], ...]


Value = (
    Const
    | Text
    | Record
    | Sequence
    | External
    | Instance
    | Member
    | Function
    | Class
    | Object
    | ProjectModule
    | FilePath
    | Template
    | Chain
    | Json
    | Configured
    | Opaque
    | Union
)

UNKNOWN = Opaque()


def union(cases: list[tuple[str | None, Value]]) -> Value:
    """Alternatives as one value: nested unions flattened, equal ones merged, too many given up."""
    flat: list[tuple[str | None, Value]] = []
    for condition, value in cases:
        members = value.cases if isinstance(value, Union) else ((None, value),)
        for inner, member in members:
            text = " and ".join(c for c in (condition, inner) if c) or None
            if not any(same(member, old) for _, old in flat):
                flat.append((text, member))
    if not flat:
        return UNKNOWN
    if len(flat) == 1:
        return flat[0][1]
    if len(flat) > MOST_CASES:
        return Opaque(expression=f"{len(flat)} alternatives")
    return Union(tuple(flat))


def same(left: Value, right: Value) -> bool:
    """Equality that tells True from 1."""
    if isinstance(left, Const) and isinstance(right, Const):
        return type(left.value) is type(right.value) and left.value == right.value
    if isinstance(left, Text) and isinstance(right, Text):
        return left.exact is not None and left.exact == right.exact
    if isinstance(left, (Record, Sequence, Union, Json, Member)) or isinstance(
        right, (Record, Sequence, Union, Json, Member)
    ):
        return left is right  # nested values share parts: comparing them part by part has no bound
    return left is right or left == right


def text_of(parts: tuple[Part, ...], location: Location | None = None) -> Text:
    """A text of parts, or one hole where the text would be too long to be worked with."""
    if len(parts) > MOST_PARTS or sum(len(part.text) for part in parts if isinstance(part, Literal)) > MOST_CHARACTERS:
        return Text((Hole("long text"),), location)
    return Text(parts, location)


def alternatives(value: Value) -> tuple[tuple[str | None, Value], ...]:
    """The cases of a union, or the value itself as the only one."""
    return value.cases if isinstance(value, Union) else ((None, value),)


def text_value(content: str, location: Location | None = None, source_map: tuple[int, ...] | None = None) -> Text:
    """A text of one literal."""
    return Text((Literal(content, location, source_map),), location)


def hole_of(value: Opaque) -> Hole:
    """An unknown value as a part of a text."""
    return Hole(value.expression, value.origin, transforms=value.transforms, bound=value.bound, source=value.location)


def _json_part(value: Json) -> Part:
    """JSON text as a part: as it is written where its data is known, else a hole with the origin of its data."""
    transforms = (Transform("indent", value.location),) if value.indent else ()
    inner = as_parts(value.value)
    if (order := nested_disorder(value.value)) is not None:
        transforms = (order, *transforms)
    hole = next((part for part in inner if isinstance(part, Hole)), None)
    origin = hole.origin if hole is not None else "unknown"
    return Hole(
        hole.expression if hole is not None and hole.expression else "json",
        origin,
        transforms=tuple(dict.fromkeys((*(hole.transforms if hole is not None else ()), *transforms))),
        source=(hole.source if hole is not None else None) or value.location,
    )


def nested_disorder(value: Value, depth: int = 0) -> Transform | None:
    """What changes the order of a list or dict, or of one in it; None for what is not known."""
    if depth > DEEPEST_DATA:
        return None
    match value:
        case Sequence(items=items):
            own, inner = value.disorder, list(items)
        case Record(entries=entries, order=own):
            inner = [entry.value for entry in entries]
        case _:
            return None
    return own or next((found for one in inner if (found := nested_disorder(one, depth + 1)) is not None), None)


def as_parts(value: Value) -> tuple[Part, ...]:
    """A value where text is built: literal parts, or a hole that says where it comes from."""
    match value:
        case Text(parts=parts) | Template(parts=parts):
            return parts
        case Const(value=content, location=location) if not isinstance(content, bytes):
            return (Literal(str(content), location),)
        case Opaque():
            return (hole_of(value),)
        case Configured(origin=origin, location=location):
            kind: Origin = (
                "environment" if origin == "environment" else "argument" if origin == "argument" else "unknown"
            )
            return (Hole(origin, kind, source=location),)
        case Json():
            return (_json_part(value),)
        case Sequence(kind=name, location=location) if value.disorder is not None:
            return (Hole(name, transforms=(value.disorder,), source=location),)
        case Record(order=Transform() as order, location=location):
            return (Hole("dict", transforms=(order,), source=location),)
        case Instance(name=name):
            return (Hole(name, "argument" if name.endswith("RunnablePassthrough") else "call"),)
        case Chain(items=(first, *_)):
            return as_parts(first)
        case _:
            return (Hole("", "unknown"),)
