"""Prompt text as the program builds it: literal parts and holes, in order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal as Choice

from promptslim.core.record import record
from promptslim.core.text import Location

Origin = Choice[
    "clock",
    "random",
    "identifier",
    "argument",
    "document",
    "retrieval",
    "history",
    "loop",
    "environment",
    "call",
    "unknown",
]
Role = Choice["system", "user", "assistant", "tool", "tools", "unknown"]


TransformKind = Choice[
    "indent",
    "slice",
    "item",
    "join",
    "set order",
    "random order",
    "html",
    "base64",
    "data frame",
    "formatted",
]
"""indent: pretty-printed JSON. slice: a bounded head, tail or sample. item: one of several (a loop over pages, an
index). join: several values in a row, a whole loop's included. set order: the order of a set. random order: shuffled
or sampled. html: markup as it came. base64: encoded bytes. data frame: a whole table as text. formatted: rounded, cut
to a date, or otherwise formatted."""


@record
class Transform:
    """One thing that happens to a value on its way into a prompt, and where (the call or subscript)."""

    kind: TransformKind
    location: Location | None = None


@record
class Literal:
    """Text that is sent as it is.

    ``source_map`` is None, or has one offset per character plus the end, into ``location.document.text``.
    Text that came through a transformation that cannot be followed has none. ``maybe``: it stands in a
    branch of a template (``{% if %}``, ``{% for %}``) and is not sent with every request.
    """

    text: str
    location: Location | None = None
    source_map: Sequence[int] | None = None
    maybe: bool = False


@record
class Hole:
    """A part that is filled at run time.

    ``expression`` is the source text of what fills it, ``origin`` where its value comes from, ``location``
    the hole's own place in the prompt, ``source`` the place where the value is made (the call of a clock,
    the ``open``, the parameter). ``transforms`` is what happens to it on the way, in order; ``bound`` an
    upper bound in characters where one is visible. ``name`` is the placeholder's name where the template
    binds by name.
    """

    expression: str
    origin: Origin = "unknown"
    location: Location | None = None
    transforms: tuple[Transform, ...] = ()
    bound: int | None = None
    source: Location | None = None
    name: str | None = None

    def transform(self, kind: TransformKind) -> Transform | None:
        """The first transformation of a kind, None where there is none."""
        return next((one for one in self.transforms if one.kind == kind), None)


@record
class CachePoint:
    """The place up to which the provider may cache: a ``cachePoint`` block, or ``cache_control`` on the block
    before it. ``key`` is the marker as written, ``ttl`` its duration as written (None: the default),
    ``known`` is false where the marker is set on some paths only."""

    key: str
    location: Location | None = None
    ttl: str | None = None
    known: bool = True


@record
class BlockEnd:
    """The end of a content block: what follows is a block of its own (nothing is sent for it)."""


Part = Literal | Hole | CachePoint | BlockEnd


Shape = Choice["python", "format", "jinja", "mustache", "plain", "tools"]


@record
class Prompt:
    """One prompt text: a system prompt, a message, the tools, or a prompt file.

    ``id`` is a label for people: module path and name, or the file's path. ``location`` is the whole
    definition, ``primary`` its small first place (name or first line) for a report. ``used_by`` holds the
    ids of the calls that send it. ``shape`` says what the text is written as, which decides what is a
    placeholder in it: ``python`` (a literal of a program, holes are followed), ``format`` (``{name}``),
    ``jinja``, ``mustache`` (``{{name}}``), ``plain`` (no placeholders), ``tools`` (tool definitions).
    ``sure``: how many parts, from the first one on, are all that is sent up to there (None: all of them); in what
    follows one branch stands for others, or something cannot be seen.
    """

    id: str
    role: Role
    parts: tuple[Part, ...]
    location: Location
    primary: Location
    scope: str = ""
    used_by: tuple[str, ...] = ()
    shape: Shape = "python"
    sure: int | None = None

    @property
    def static_text(self) -> str:
        """The literal parts joined: what is known to be sent, a lower bound of the prompt."""
        return "".join(part.text for part in self.parts if isinstance(part, Literal))

    @property
    def holes(self) -> tuple[Hole, ...]:
        """The parts that are filled at run time, in order."""
        return tuple(part for part in self.parts if isinstance(part, Hole))
