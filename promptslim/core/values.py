"""What is known of one field of a call.

Known, Default, Present, Absent and Unknown are five classes, because a rule that takes Unknown for
Absent is a bug. A field has one case, or one per branch where branches of the program differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, Never, TypeVar

from promptslim.core.record import record
from promptslim.core.text import Location

T = TypeVar("T", covariant=True)
S = TypeVar("S")


@record
class Known(Generic[T]):
    """The value that is sent, and where it is written (None: nowhere in the project)."""

    value: T
    location: Location | None = None


@record
class Default(Generic[T]):
    """Not set in the code; the SDK fills in ``value`` (None: a value of its own, see ``note``)."""

    value: T | None
    sdk_version: str
    note: str = ""


@record
class Present(Generic[T]):
    """Set, but the value is decided at run time. ``fallback`` is what is sent if nothing overrides it."""

    origin: str
    fallback: T | None = None
    location: Location | None = None


@record
class Absent:
    """Provably not set."""


@record
class Unknown:
    """Nothing can be said; ``origin`` says why (``parameter max_tokens``, ``**kwargs`` ...)."""

    origin: str = ""


Value = Known[T] | Default[T] | Present[T] | Absent | Unknown


@record
class Case(Generic[T]):
    """One value and the branch that leads to it (source text of the condition; None: always)."""

    value: Value[T]
    condition: str | None = None


@record
class Field(Generic[T]):
    """All cases of a field, in program order; never empty."""

    cases: tuple[Case[T], ...]

    def __iter__(self) -> Iterator[Case[T]]:
        return iter(self.cases)

    @property
    def only(self) -> Value[T] | None:
        """The value where there is one case, None where branches differ."""
        return self.cases[0].value if len(self.cases) == 1 else None

    def known(self) -> tuple[T, ...]:
        """Every value that is certain in its branch, SDK defaults included."""
        found: list[T] = []
        for case in self.cases:
            match case.value:
                case Known(value=value):
                    found.append(value)
                case Default(value=value) if value is not None:
                    found.append(value)
        return tuple(found)


def known(value: S, location: Location | None = None) -> Field[S]:
    """A field with one certain value."""
    return Field((Case(Known(value, location)),))


ABSENT: Field[Never] = Field((Case(Absent()),))
"""A field that is provably not set, whatever its type."""


def unknown(origin: str = "") -> Field[Never]:
    """A field of which nothing can be said, and why."""
    return Field((Case(Unknown(origin)),))
