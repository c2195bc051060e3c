"""The output formats, found by walking the folders: ``report/<command>/<format>.py``.

A dash in the name of a format is an underscore in that of its file: ``json-lines`` is ``json_lines.py``.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, TypeAlias, cast

from promptslim.core.record import field, record

if TYPE_CHECKING:
    from types import ModuleType

    from promptslim.core.result import CheckResult, Inventory


SUMMARY_BYTES = 1_000_000
"""Bytes that a job summary may take; GitHub refuses one of more than 1 MiB per step."""


class RenderError(Exception):
    """A format that cannot be written as it was asked for. The message is one line: what, where, what to do."""


@record
class Template:
    """A template of the user for the format ``template``: the path that messages name, and its text."""

    path: str
    text: str


def _no_page(code: str) -> str:  # noqa: ARG001 (the same for every rule)
    return ""


@record
class View:
    """How a result is to be shown.

    ``colour``: terminal colours, where the format has any. ``summary``: end with a summary, where the
    format has one. ``copies`` maps a path to the first path with the same content, for formats that fold
    the findings of copies. ``rules`` maps a rule code to what its page declares (``name``, ``family``,
    ``summary``, ``severity``, ``confidence``); ``page`` gives the text of its page, "" where there is none.
    ``version`` is that of promptslim. ``room`` bounds the bytes of a job summary, ``summarised`` says that
    one is written beside this output. ``template`` is for the format of that name.
    """

    colour: bool = False
    summary: bool = True
    copies: Mapping[str, str] = field(default_factory=dict)
    rules: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    page: Callable[[str], str] = _no_page
    version: str = ""
    room: int = SUMMARY_BYTES
    summarised: bool = False
    template: Template | None = None


CheckRenderer: TypeAlias = "Callable[[CheckResult, View], Iterator[str]]"
InventoryRenderer: TypeAlias = "Callable[[Inventory, View], Iterator[str]]"


def names(command: str) -> tuple[str, ...]:
    """Formats of a command, ``text`` first, then by name."""
    folder = f"{os.path.dirname(__file__)}/{command}"  # noqa: PTH120 (pathlib would be loaded for this alone)
    with os.scandir(folder) as entries:
        files = [entry.name for entry in entries if entry.name.endswith(".py") and not entry.name.startswith("_")]
    found = {name[:-3].replace("_", "-") for name in files}
    return ("text", *sorted(found - {"text"}))


def check_renderer(name: str) -> CheckRenderer:
    """The renderer of a format in ``names("check")``: an iterator of lines with their line breaks."""
    return cast("CheckRenderer", _module("check", name).render)


def inventory_renderer(name: str) -> InventoryRenderer:
    """The renderer of a format in ``names("inventory")``: an iterator of lines with their line breaks."""
    return cast("InventoryRenderer", _module("inventory", name).render)


def _module(command: str, name: str) -> ModuleType:
    return importlib.import_module(f"promptslim.report.{command}.{name.replace('-', '_')}")
