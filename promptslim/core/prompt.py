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


@record
class Literal:
    """Text that is always sent as it is.

    ``source_map`` is None, or has one offset per character plus the end, into ``location.document.text``.
    Text that came through ``.format``, ``dedent`` or the like and cannot be mapped has none.
    """

    text: str
    location: Location | None = None
    source_map: Sequence[int] | None = None


@record
class Hole:
    """A part that is filled at run time.

    ``expression`` is the source text of what fills it, ``origin`` where its value comes from,
    ``transforms`` what happens to it on the way (``indent``, ``slice``, ``set order``, ``html`` ...),
    ``bound`` an upper bound in characters where one is visible.
    """

    expression: str
    origin: Origin = "unknown"
    location: Location | None = None
    transforms: tuple[str, ...] = ()
    bound: int | None = None


Part = Literal | Hole


@record
class Prompt:
    """One prompt text: a system prompt, a message, the tools, or a prompt file.

    ``id`` is a label for people: module path and name, or the file's path. ``location`` is the whole
    definition, ``primary`` its small first place (name or first line) for a report.
    """

    id: str
    role: Role
    parts: tuple[Part, ...]
    location: Location
    primary: Location
    scope: str = ""
    used_by: tuple[str, ...] = ()

    @property
    def static_text(self) -> str:
        """The literal parts joined: what is known to be sent, a lower bound of the prompt."""
        return "".join(part.text for part in self.parts if isinstance(part, Literal))

    @property
    def holes(self) -> tuple[Hole, ...]:
        """The parts that are filled at run time, in order."""
        return tuple(part for part in self.parts if isinstance(part, Hole))
