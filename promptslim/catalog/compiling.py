"""Everything in ``rules/`` as two JSON values: what every check needs, and the model tables."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from promptslim.catalog.errors import CatalogError
from promptslim.catalog.model_id import Grammar
from promptslim.catalog.model_tables import Place, empty, extended
from promptslim.catalog.rule_page import read_rule_page

FAMILIES = ("caps", "prompts", "caching", "context", "models", "calls", "proofs", "meta")
"""Folders of rule pages, in order of their codes."""

_HEAD = re.compile(r"\s*\[\[\s*(family|model|body)\s*\]\]")
_TOML_PLACE = re.compile(r" \(at line (\d+), column \d+\)$| \(at end of document\)$")


def compiled_rules(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """``folder`` (``rules/``, or the same tree in an installed package) compiled.

    First value: ``rules``, ``sdks``, ``thresholds``, ``phrases``, ``origins`` and ``as_of``. Second: ``ids`` (how ids
    are read) and ``tables`` (see model_tables). Raises CatalogError with file and line.
    """
    ids = _toml(folder / "model_ids.toml", folder)
    grammar = _grammar(ids, folder)
    tables = empty()
    for path in sorted((folder / "models").glob("*.toml")):
        table = _toml(path, folder, exact=True)
        tables = extended(tables, table, grammar, _places(path, folder))
    core = {
        "rules": _rules(folder),
        "sdks": [_toml(path, folder) for path in sorted((folder / "sdks").glob("*.toml"))],
        "thresholds": _thresholds(folder),
        "phrases": _phrases(folder),
        "origins": _toml(folder / "origins.toml", folder),
        "as_of": tables["as_of"],
    }
    return core, {"ids": ids, "tables": tables}


def read_user_table(path: Path, grammar: Grammar) -> Mapping[str, Any]:
    """A model table of the user, in the layout of ``rules/models``, checked; prices as Decimal.

    Raises CatalogError with file and line.
    """
    table = _toml(path, None, exact=True)
    extended(empty(), table, grammar, _places(path, None))
    return table


def shown(path: Path, folder: Path | None) -> str:
    """A path for messages: ``rules/caps/x.md`` for the project's own files, as given for the user's."""
    return f"rules/{path.relative_to(folder).as_posix()}" if folder else str(path)


def _toml(path: Path, folder: Path | None, *, exact: bool = False) -> dict[str, Any]:
    text = _text(path, folder)
    try:
        return tomllib.loads(text, parse_float=Decimal if exact else float)
    except tomllib.TOMLDecodeError as error:
        place = _TOML_PLACE.search(str(error))
        line = int(place[1]) if place and place[1] else text.count("\n") + 1 if place else None
        raise CatalogError(shown(path, folder), line, f"not TOML: {_TOML_PLACE.sub('', str(error))}") from None


def _text(path: Path, folder: Path | None) -> str:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise CatalogError(shown(path, folder), None, f"not UTF-8 (byte {error.start})") from None
    except OSError as error:
        raise CatalogError(shown(path, folder), None, f"cannot be read: {error.strerror}") from None


def _places(path: Path, folder: Path | None) -> Place:
    """Where the n-th ``[[family]]``, ``[[model]]`` or ``[[body]]`` of a file stands."""
    name, lines = shown(path, folder), defaultdict[str, list[int]](list)
    for number, line in enumerate(_text(path, folder).split("\n"), 1):
        if head := _HEAD.match(line):
            lines[head[1]].append(number)

    def place(kind: str, number: int) -> tuple[str, int | None]:
        return name, lines[kind][number] if number < len(lines[kind]) else None

    return place


def _grammar(ids: Mapping[str, Any], folder: Path) -> Grammar:
    try:
        return Grammar(ids)
    except (KeyError, TypeError, AttributeError, re.error) as error:
        path = shown(folder / "model_ids.toml", folder)
        raise CatalogError(path, None, f"cannot be used: {type(error).__name__} {error}") from None


def _rules(folder: Path) -> list[dict[str, Any]]:
    rules: dict[str, dict[str, Any]] = {}
    for family in FAMILIES:
        for path in sorted((folder / family).glob("*.md")):
            page = read_rule_page(_text(path, folder), shown(path, folder), family, path.stem)
            for other in rules.values():
                if page["code"] == other["code"] or page["name"] == other["name"]:
                    twin = f"rules/{other['family']}/{other['name']}.md"
                    raise CatalogError(shown(path, folder), 1, f"code or name is already taken by {twin}")
            rules[page["code"]] = page
    return [rules[code] for code in sorted(rules)]


def _thresholds(folder: Path) -> dict[str, Any]:
    """Name -> number. Each is written as a table with its value, its unit and a reason."""
    path = folder / "thresholds.toml"
    table = _toml(path, folder)
    for name, entry in table.items():
        if not isinstance(entry, dict) or not {"value", "reason"} <= entry.keys() <= {"value", "unit", "reason"}:
            line = _line_of(rf"\[{re.escape(name)}\]", path, folder)
            raise CatalogError(shown(path, folder), line, f"[{name}] needs value, reason and at most a unit")
    return {name: entry["value"] for name, entry in table.items()}


def _phrases(folder: Path) -> dict[str, Any]:
    """The table as it is; every ``pattern`` in it has to be a regular expression."""
    path = folder / "phrases.toml"
    table = _toml(path, folder)
    for pattern in _patterns(table):
        try:
            re.compile(pattern)
        except (re.error, TypeError) as error:
            line = _line_of(rf".*{re.escape(str(pattern)[:40])}", path, folder)
            raise CatalogError(shown(path, folder), line, f"not a regular expression: {error}") from None
    return table


def _patterns(entry: object) -> Iterator[Any]:
    match entry:
        case dict():
            for key, value in entry.items():
                if key == "pattern":
                    yield value
                else:
                    yield from _patterns(value)
        case list():
            for value in entry:
                yield from _patterns(value)


def _line_of(pattern: str, path: Path, folder: Path) -> int | None:
    lines = _text(path, folder).split("\n")
    return next((number for number, line in enumerate(lines, 1) if re.match(pattern, line)), None)
