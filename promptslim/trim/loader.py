"""The trimmers, found by walking their folder."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from functools import cache

from promptslim.core.record import record
from promptslim.trim import trimmers as folder
from promptslim.trim.change import Change, Level
from promptslim.trim.subject import Subject


@record
class Trimmer:
    """One file of ``trimmers/``: its name, what its changes are called, their level, and what proposes them."""

    name: str
    title: str
    level: Level
    changes: Callable[[Subject], Iterator[Change]]


@cache
def trimmers() -> tuple[Trimmer, ...]:
    """All of them, in the order of their names."""
    found: list[Trimmer] = []
    for item in sorted(pkgutil.iter_modules(folder.__path__), key=lambda item: item.name):
        module = importlib.import_module(f"{folder.__name__}.{item.name}")
        found.append(Trimmer(item.name.replace("_", "-"), module.TITLE, module.LEVEL, module.changes))
    return tuple(found)
