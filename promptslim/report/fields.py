"""Fields of a call as the output formats state them."""

from __future__ import annotations

from typing import TypeVar

from promptslim.core.values import Absent, Case, Default, Field, Known, Present, Unknown, Value

T = TypeVar("T")


def state(value: Value[T]) -> str:
    """``known``, ``default``, ``present``, ``absent`` or ``unknown``."""
    match value:
        case Known():
            return "known"
        case Default():
            return "default"
        case Present():
            return "present"
        case Absent():
            return "absent"
        case Unknown():
            return "unknown"


def fallback(value: Value[T]) -> T | None:
    """The value that is sent, as far as it is written: also an SDK default and an environment fallback."""
    match value:
        case Known(value=sent):
            return sent
        case Default(value=sent):
            return sent
        case Present(fallback=sent):
            return sent
        case _:
            return None


def decisive(field: Field[T]) -> Case[T]:
    """The case that stands for a field whose branches differ: one without the setting, since it is what a
    missing cap or cache marker comes down to, else the largest number (an oversized cap), else the first
    that says most."""
    return min(field.cases, key=lambda case: _weight(case.value))


def _weight(value: Value[T]) -> tuple[int, float]:
    number = fallback(value)
    size = -float(number) if isinstance(number, (int, float)) else 0.0
    match value:
        case Absent():
            return 0, 0.0
        case Known():
            return 1, size
        case Default():
            return 2, size
        case Present():
            return 3, size
        case Unknown():
            return 4, 0.0
