"""Where the compiled catalog lies, and when it has to be made again.

A wheel carries it (``catalog.jsonl`` beside the rule pages, made by the build hook). A checkout or an
editable install keeps it in the user's cache folder: its first line lists name, size and time of every
data file, and it is made anew when that line differs. A cache that cannot be read or written costs time,
nothing else. The file is JSON, three lines: that list, the core, the model tables.
"""
# pathlib costs more start-up time than everything in this module.
# ruff: noqa: PTH116, PTH118, PTH120, PTH123

from __future__ import annotations

import json
import os
import sys
import zlib
from collections.abc import Iterator

from promptslim.config.cache_folder import cache_folder, keep

COMPILED = "catalog.jsonl"
_SUFFIXES = (".md", ".toml")
_COMPILER = ("compiling.py", "model_id.py", "model_tables.py", "rule_page.py")


def compiled_text(folder: str) -> tuple[str, str]:
    """The JSON texts of core and model tables for the data in ``folder``, compiled where need be.

    Raises CatalogError where a data file is broken.
    """
    shipped = _read(os.path.join(folder, COMPILED))
    if shipped is not None:
        return shipped[1], shipped[2]
    signature = _signature(folder)
    # The key only keeps checkouts apart; the signature decides.
    path = os.path.join(cache_folder(), f"catalog-{zlib.crc32(os.fsencode(folder)):08x}.jsonl")
    kept = _read(path)
    if kept is not None and kept[0] == signature:
        return kept[1], kept[2]
    text = compiled_file(folder, signature)
    keep(path, text.encode("ascii"))
    _, core, models = text.rstrip("\n").split("\n")
    return core, models


def compiled_file(folder: str, signature: str = "null") -> str:
    """The whole compiled file for the data in ``folder``: the same bytes for the same data."""
    from pathlib import Path

    from promptslim.catalog.compiling import compiled_rules

    # Dates become text (2026-11-23); prices are text already.
    parts = (
        json.dumps(part, ensure_ascii=True, separators=(",", ":"), default=str) for part in compiled_rules(Path(folder))
    )
    return "\n".join((signature, *parts)) + "\n"


def installation(folder: str) -> str:
    """What tells this installation, with its data in ``folder``, from an earlier or later one: the version of Python,
    and size and time of its files (in a wheel of the compiled catalog, which is new in each)."""
    try:
        status = os.stat(os.path.join(folder, COMPILED))
        files = [(COMPILED, status.st_size, status.st_mtime_ns)]
    except OSError:
        package = os.path.dirname(os.path.dirname(__file__))
        files = [*_stamps(folder, ""), *_stamps(package, ".py")]
    return json.dumps([sys.version, folder, sorted(files)])


def _stamps(folder: str, suffixes: str | tuple[str, ...]) -> Iterator[tuple[str, int, int]]:
    """Path, size and time of the files below a folder."""
    stack = [folder]
    while stack:
        with os.scandir(stack.pop()) as found:
            for entry in found:
                if entry.is_dir():
                    stack.append(entry.path)
                elif entry.name.endswith(suffixes):
                    status = entry.stat()
                    yield entry.path, status.st_size, status.st_mtime_ns


def _signature(folder: str) -> str:
    """Name, size and time of the data files and of the code that compiles them."""
    entries: list[tuple[str, int, int]] = [(folder, 0, 0)]
    for name in _COMPILER:
        status = os.stat(os.path.join(os.path.dirname(__file__), name))
        entries.append((name, status.st_size, status.st_mtime_ns))
    entries += _stamps(folder, _SUFFIXES)
    return json.dumps(sorted(entries), ensure_ascii=True)


def _read(path: str) -> list[str] | None:
    try:
        with open(path, encoding="ascii", newline="") as file:
            lines = file.read().split("\n")
    except (OSError, ValueError):
        return None
    return lines if len(lines) == 4 and lines[3] == "" else None
