"""The settings as TOML, each with where it comes from, for ``promptslim config``."""

from __future__ import annotations

import json
from collections.abc import Mapping

from promptslim.config.configuration import Configuration
from promptslim.config.options import Options, key_of
from promptslim.config.settings import Settings
from promptslim.core.record import items

_MERGED_INTO = {"extend-ignore": "ignore", "extend-exclude": "exclude"}


def render_settings(settings: Settings, configuration: Configuration) -> str:
    """One line per key in the order of options.py, tables last; what is not set stands as a comment.

    The text is valid TOML. Extensions of a list are written into the list that they extend, patterns are
    relative to the folder of the config file and paths to the working directory: where these two are the
    same, the text read as promptslim.toml gives the same settings.
    """
    lines: list[str] = []
    tables: list[str] = []
    for item in items(Options):
        key = key_of(item.name)
        if key in _MERGED_INTO:
            continue
        value = getattr(settings, item.name)
        origin = _origin(key, configuration)
        if value is None or value == {}:
            lines.append(f"# {key}: not set")
        elif isinstance(value, Mapping):
            tables.extend(_table(key, value, origin))
        else:
            lines.append(f"{key} = {_value(value)}  # {origin}")
    return "\n".join((*lines, *tables)) + "\n"


def _origin(key: str, configuration: Configuration) -> str:
    places: list[str] = []
    for written in (key, *(other for other, target in _MERGED_INTO.items() if target == key)):
        for source in configuration.origins.get(written, ()):
            places.append("command line" if source is None else source.place((written,)))
    if key == "exclude" and key not in configuration.origins:
        places.insert(0, "default")
    return ", ".join(places) or "default"


def _table(key: str, table: Mapping[str, object], origin: str) -> list[str]:
    return ["", f"[{key}]  # {origin}", *(f"{_key(name)} = {_value(value)}" for name, value in sorted(table.items()))]


def _value(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return _string(value)
        case list() | tuple():
            return f"[{', '.join(_value(item) for item in value)}]"
        case Mapping():
            return "{" + ", ".join(f"{_key(name)} = {_value(item)}" for name, item in sorted(value.items())) + "}"
        case _:
            return str(value)


def _key(name: str) -> str:
    bare = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    return name if bare else _string(name)


def _string(text: str) -> str:
    """A basic string; what a terminal would act on is escaped."""
    quoted = json.dumps(text, ensure_ascii=False)[1:-1]
    return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08X}" for c in quoted) + '"'
