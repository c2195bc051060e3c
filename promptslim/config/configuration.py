"""The options of all sources put together, each with where it came from."""
# pathlib costs more start-up time than everything in this module.
# ruff: noqa: PTH111, PTH118

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from promptslim.config.config_file import ConfigFile
from promptslim.config.decode import Source
from promptslim.config.options import Options, key_of
from promptslim.config.patterns import rebased
from promptslim.core.record import items, record

_SELECTION = ("select", "extend_select", "ignore", "extend_ignore")
_ADDED = ("extend_select", "extend_ignore", "extend_exclude")
_TABLES = ("per_file_ignores", "wrappers", "models", "rules", "budgets", "calibration")
_PATTERNS = ("include", "exclude", "extend_exclude", "prompts", "per_file_ignores")
_PATHS = ("catalog", "prices", "baseline", "tokenizer")


@record
class Configuration:
    """The merged options. Patterns are relative to ``base``, paths to the working directory.

    ``origins`` gives, for each key that is set, the sources that its value comes from (None: the command
    line). ``folder`` is the absolute folder of the config file that was found upwards from the working
    directory, None where there is none.
    """

    options: Options
    origins: Mapping[str, tuple[Source | None, ...]]
    base: str
    folder: str | None


def merge(config: ConfigFile | None, inline: Sequence[ConfigFile], flags: Options, cwd: str) -> Configuration:
    """Put the sources together: the config file, then ``--config KEY=VALUE`` items, then command-line flags.

    A later source replaces what an earlier one says, except that extend-select, extend-ignore and
    extend-exclude add up and tables are merged key by key. ``--select`` on the command line starts afresh:
    select, ignore and their extensions from elsewhere then do not count.
    """
    folder = config.folder if config is not None and config.found else None
    base = folder or cwd
    layers: list[tuple[dict[str, object], Source | None]] = [
        (_relocated(source.options, source.folder, base, cwd), source.source)
        for source in (config, *inline)
        if source is not None
    ]
    layers.append((_relocated(flags, cwd, base, cwd), None))
    values: dict[str, object] = {}
    origins: dict[str, tuple[Source | None, ...]] = {}
    for item in items(Options):
        said = [(layer[item.name], source) for layer, source in layers if item.name in layer]
        if flags.select is not None and item.name in _SELECTION:
            said = [(value, source) for value, source in said if source is None]
        if not said:
            continue
        if item.name not in _ADDED and item.name not in _TABLES:
            said = said[-1:]
        values[item.name] = _combined([value for value, _ in said])
        origins[key_of(item.name)] = tuple(source for _, source in said)
    return Configuration(Options(**values), origins, base, folder)  # type: ignore[arg-type]


def _combined(values: Sequence[object]) -> object:
    """Lists one after the other; tables key by key, also one level down; of anything else the last."""
    result: Any = values[0]
    for value in values[1:]:
        match result, value:
            case tuple(), tuple():
                result = (*result, *value)
            case dict(), dict():
                both = {key: _combined([result[key], value[key]]) for key in result.keys() & value.keys()}
                result = {**result, **value, **{k: v for k, v in both.items() if isinstance(v, dict)}}
            case _:
                result = value
    return result


def _relocated(options: Options, folder: str, base: str, cwd: str) -> dict[str, object]:
    """What the options set, with patterns relative to ``base`` and paths relative to ``cwd``."""
    values: dict[str, object] = {}
    for item in items(options):
        value = getattr(options, item.name)
        if value is None:
            continue
        if item.name in _PATTERNS:
            values[item.name] = (
                {rebased(pattern, folder, base): codes for pattern, codes in value.items()}
                if isinstance(value, dict)
                else tuple(rebased(pattern, folder, base) for pattern in value)
            )
        elif item.name == "budgets":
            values[item.name] = {_prompt(prompt, folder, cwd): limit for prompt, limit in value.items()}
        elif item.name in _PATHS:
            values[item.name] = (
                _path(value, folder, cwd)
                if isinstance(value, str)
                else tuple(_path(path, folder, cwd) for path in value)
            )
        else:
            values[item.name] = value
    return values


def _prompt(prompt: str, folder: str, cwd: str) -> str:
    """The id of a prompt, which starts with a path."""
    path, colons, name = prompt.partition("::")
    return _path(path, folder, cwd) + colons + name


def _path(path: str, folder: str, cwd: str) -> str:
    full = os.path.join(folder, os.path.expanduser(path))
    try:
        return os.path.relpath(full, cwd).replace(os.sep, "/")
    except ValueError:  # another drive on Windows
        return full
