"""Finding and reading the one config file of a run."""
# pathlib costs more start-up time than everything in this module.
# ruff: noqa: PTH113, PTH118, PTH119, PTH120, PTH123

from __future__ import annotations

import os

from promptslim.config.decode import Source, decode_options
from promptslim.config.error import ConfigError, printable
from promptslim.config.options import Options
from promptslim.config.readers import describe
from promptslim.core.record import record

OWN_FILE = "promptslim.toml"
PROJECT_FILE = "pyproject.toml"
TABLE = ("tool", "promptslim")


@record
class ConfigFile:
    """A config file that was read. ``folder`` is the absolute folder to which its patterns and paths are
    relative; ``found`` is false where the user named the file, which then says nothing of where the
    project lies."""

    options: Options
    source: Source
    folder: str
    found: bool


def find_config(cwd: str) -> ConfigFile | None:
    """The config file nearest to the absolute folder ``cwd``, upwards; None where there is none.

    In one folder promptslim.toml goes before pyproject.toml; a pyproject.toml without [tool.promptslim] is
    passed over. Raises ConfigError where the file cannot be used.
    """
    folder = cwd
    while True:
        own = os.path.join(folder, OWN_FILE)
        if os.path.isfile(own):
            return _config(own, _read(own, cwd), folder, cwd, found=True)
        project = os.path.join(folder, PROJECT_FILE)
        if os.path.isfile(project):
            data = _read(project, cwd)
            # Most projects do not mention us, and parsing TOML is dear.
            if b"promptslim" in data and (config := _config(project, data, folder, cwd, found=True)):
                return config
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent


def read_config(path: str, cwd: str) -> ConfigFile:
    """The config file that the user named. Its patterns and paths are relative to the working directory.

    Raises ConfigError where it is missing or cannot be used, also for a pyproject.toml without
    [tool.promptslim].
    """
    full = os.path.join(cwd, path)
    config = _config(full, _read(full, cwd), cwd, cwd, found=False)
    if config is None:
        raise ConfigError(f"{_shown(full, cwd)}: has no table [tool.promptslim]; add it or name another file")
    return config


def inline_options(text: str, cwd: str) -> ConfigFile:
    """Options from ``--config KEY=VALUE``: one line of TOML. Raises ConfigError."""
    source = Source(f"--config {describe(text)}", "")
    return ConfigFile(decode_options(_parse(text, source.name), source), source, cwd, found=False)


def _config(path: str, data: bytes, folder: str, cwd: str, *, found: bool) -> ConfigFile | None:
    name = _shown(path, cwd)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{name}: not UTF-8 at byte {error.start + 1}; save it as UTF-8") from None
    table = TABLE if os.path.basename(path) == PROJECT_FILE else ()
    if found and table and table[-1] not in text:
        return None  # most projects: not worth loading a TOML parser
    parsed: object = _parse(text, name)
    for depth, key in enumerate(table):
        if not isinstance(parsed, dict) or key not in parsed:
            return None
        parsed = parsed[key]
        if not isinstance(parsed, dict):
            place = Source(name, text).place(table[: depth + 1])
            raise ConfigError(f"{place}: {'.'.join(table[: depth + 1])!r} must be a table, not {describe(parsed)}")
    source = Source(name, text, table)
    assert isinstance(parsed, dict)  # noqa: S101 (the loop above, or tomllib itself)
    return ConfigFile(decode_options(parsed, source), source, folder, found)


def _parse(text: str, name: str) -> dict[str, object]:
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{name}: not valid TOML: {printable(str(error))}") from None
    except RecursionError:
        raise ConfigError(f"{name}: not valid TOML: nested too deeply") from None


def _read(path: str, cwd: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        hint = "; --config takes a file or KEY=VALUE" if isinstance(error, FileNotFoundError) else ""
        raise ConfigError(f"{_shown(path, cwd)}: cannot read the configuration: {reason}{hint}") from None


def _shown(path: str, cwd: str) -> str:
    """The path relative to the working directory, in printable characters."""
    try:
        relative = os.path.relpath(path, cwd)
    except ValueError:  # another drive on Windows
        relative = path
    return printable(relative.replace(os.sep, "/"))
