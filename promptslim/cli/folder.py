"""The commands, found by walking ``commands/``: a module is a command, a package a group of commands."""

from __future__ import annotations

import importlib
import os
from types import ModuleType

from promptslim.core.record import record

COMMANDS = "promptslim.cli.commands"


@record
class Entry:
    """A command module or, where ``group``, a package of them. Nothing is imported before ``load``."""

    module: str
    group: bool

    def load(self) -> ModuleType:
        """The module: its first docstring line is the summary; a command has PARAMETERS and run."""
        return importlib.import_module(self.module)


def entries(package: str) -> dict[str, Entry]:
    """Commands and groups of a package, by the name that users type (a trailing ``_`` keeps a module name
    off a Python keyword)."""
    inner = package.removeprefix("promptslim.cli").replace(".", "/")
    found: dict[str, Entry] = {}
    with os.scandir(f"{os.path.dirname(__file__)}{inner}") as items:  # noqa: PTH120 (pathlib takes longer to load)
        for item in items:
            stem, dot, suffix = item.name.partition(".")
            if stem.startswith("_") or (dot and suffix != "py"):
                continue
            found[stem.rstrip("_").replace("_", "-")] = Entry(f"{package}.{stem}", group=not dot)
    return dict(sorted(found.items()))


def find(words: list[str]) -> tuple[Entry, list[str]] | None:
    """The command that a command line names and the words after it; None where it names none."""
    package = COMMANDS
    for index, word in enumerate(words):
        entry = entries(package).get(word)
        if entry is None:
            return None
        if not entry.group:
            return entry, words[index + 1 :]
        package = entry.module
    return None
