"""Changed files as a unified diff, for people and for ``patch``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from difflib import unified_diff

from promptslim.report import escape
from promptslim.report.colour import paint

_COLOURS = {"+": "green", "-": "red", "@": "blue"}


def difference(path: str, before: str, after: str, colour: bool = False) -> Iterator[str]:
    """The lines of the diff of one file. Of a notebook it is that of the source of each cell, under the path of the
    file and the number of the cell: readable, and not for ``patch``."""
    if path.endswith(".ipynb"):
        for number, (old, new) in enumerate(zip(_sources(before), _sources(after), strict=False)):
            yield from _lines(f"{path}:cell {number}", old, new, colour)
    else:
        yield from _lines(path, before, after, colour)


def _sources(text: str) -> list[str]:
    book = json.loads(text)
    cells = book["cells"] if "cells" in book else book["worksheets"][0]["cells"]
    return [_joined(cell.get("source", cell.get("input", ""))) for cell in cells]


def _joined(source: object) -> str:
    return "".join(map(str, source)) if isinstance(source, list) else str(source)


def _lines(name: str, before: str, after: str, colour: bool) -> Iterator[str]:
    if before == after:
        return
    shown = escape.one_line(name)
    for line in unified_diff(_split(before), _split(after), shown, shown):
        ended = line.endswith("\n")
        text = _safe(line.removesuffix("\n"))
        kind = "bold" if text.startswith(("--- ", "+++ ")) else _COLOURS.get(text[:1])
        yield (paint(text, kind, colour) if kind else text) + "\n"
        if not ended:
            yield "\\ No newline at end of file\n"


def _split(text: str) -> list[str]:
    """Lines with their ends; only ``\\n`` ends one."""
    lines = text.split("\n")
    return [*(f"{line}\n" for line in lines[:-1]), *([lines[-1]] if lines[-1] else [])]


def _safe(line: str) -> str:
    """A line without anything that a terminal would act on; tabs stay."""
    return "\t".join(map(escape.one_line, line.split("\t")))
