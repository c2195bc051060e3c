"""Options that several commands share, and the settings that they lead to."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from promptslim.cli.error import UsageError
from promptslim.cli.parameters import Argument, Given, Option, Parameters

if TYPE_CHECKING:
    from promptslim.config.configuration import Configuration
    from promptslim.pipeline.run import Place

PATHS = Argument("paths", "Files, folders or patterns; - reads one file from standard input.", many=True)

CONFIGURATION: Parameters = (
    Option(
        ("--config",),
        "Read this pyproject.toml or promptslim.toml instead of the nearest one; or set one key: KEY=VALUE.",
        "list",
        metavar="FILE|KEY=VALUE",
    ),
    Option(("--isolated",), "Read no configuration file."),
)

FILES: Parameters = (
    Option(("--exclude",), "Leave these out instead of the default folders.", "list", "PATTERNS", commas=True),
    Option(("--extend-exclude",), "Leave these out too.", "list", "PATTERNS", commas=True),
    Option(("--include-tests",), "Look at test files too."),
    Option(("--no-respect-gitignore",), "Look at files that git ignores too."),
    Option(("--force-exclude",), "Leave files out even where they are named one by one."),
    Option(("--stdin-filename",), "The path that standard input stands for.", "value", "PATH"),
)

OUTPUT: Parameters = (
    Option(("--color",), "Colours: auto (a terminal), always or never.", "value", choices=("auto", "always", "never")),
    Option(("--quiet", "-q"), "Only results; -qq only the exit code.", "count"),
    Option(("--verbose", "-v"), "Say what is done; -vv with the traceback of a crash.", "count"),
)


def configured(given: Given) -> tuple[Place, Configuration]:
    """Find, read and merge the configuration: what it comes to, and where each part is from.

    Raises ConfigError and UsageError.
    """
    from promptslim.config.options import Options
    from promptslim.config.settings import configure, resolve
    from promptslim.pipeline.run import Place

    flags = Options(
        select=given.listed("select"),
        ignore=given.listed("ignore"),
        extend_select=given.listed("extend_select"),
        per_file_ignores=_per_file(given.listed("per_file_ignores")),
        min_confidence=given.value("min_confidence"),
        fail_on=given.value("fail_on"),
        exclude=given.listed("exclude"),
        extend_exclude=given.listed("extend_exclude"),
        respect_gitignore=False if given.flag("no_respect_gitignore") else None,
        include_tests=given.flag("include_tests") or None,
        force_exclude=given.flag("force_exclude") or None,
        baseline=given.value("baseline"),
        tokenizer=given.value("tokenizer"),
        output_format=given.value("output_format"),
        cache=False if given.flag("no_cache") else None,
    )
    cwd = _cwd()
    configuration = configure(cwd, given.listed("config") or (), flags, given.flag("isolated"))
    return Place(cwd, resolve(configuration)), configuration


def _cwd() -> str:
    try:
        return os.getcwd()  # noqa: PTH109 (pathlib takes longer to load)
    except OSError as error:
        raise UsageError(f"the working directory cannot be read: {error.strerror}; change to another") from None


def _per_file(pairs: tuple[str, ...] | None) -> dict[str, tuple[str, ...]] | None:
    """``PATTERN:RULE`` pairs by pattern."""
    if pairs is None:
        return None
    by_pattern: dict[str, tuple[str, ...]] = {}
    for pair in pairs:
        pattern, colon, rule = pair.rpartition(":")
        if not (pattern and colon and rule):
            raise UsageError(f"--per-file-ignores: {pair!r} is not PATTERN:RULE; write for example 'tests/*:PS101'")
        by_pattern[pattern] = (*by_pattern.get(pattern, ()), rule)
    return by_pattern
