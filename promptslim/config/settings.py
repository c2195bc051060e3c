"""The settings of a run: everything decided, nothing left open that need not be."""
# pathlib costs more start-up time than everything in this module.
# ruff: noqa: PTH113, PTH118

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import cast

from promptslim.config.config_file import find_config, inline_options, read_config
from promptslim.config.configuration import Configuration, merge
from promptslim.config.error import ConfigError
from promptslim.config.options import Options
from promptslim.core.levels import Confidence, Severity
from promptslim.core.record import record

DEFAULT_EXCLUDE = (
    ".bzr", ".direnv", ".eggs", ".git", ".git-rewrite", ".hg", ".ipynb_checkpoints", ".mypy_cache", ".nox", ".pants.d",
    ".pyenv", ".pytest_cache", ".pytype", ".ruff_cache", ".svn", ".tox", ".venv", ".vscode", "__pycache__",
    "__pypackages__", "_build", "buck-out", "build", "dist", "node_modules", "site-packages", "venv",
)  # fmt: skip
"""Folders that hold no source of the project: version control, environments, caches, build results."""


@record
class Settings:
    """See options.py for the meaning of each field.

    ``base`` is the absolute folder to which all patterns are relative (of the config file that was found,
    else the working directory), ``folder`` the same but None where no config file was found. ``select``
    None: every rule that is not pedantic. ``include`` empty: every kind of file that is read. Paths are
    relative to the working directory, those of ``budgets`` too. ``region`` None: not stated.
    """

    base: str
    folder: str | None
    select: tuple[str, ...] | None
    ignore: tuple[str, ...]
    extend_select: tuple[str, ...]
    per_file_ignores: Mapping[str, tuple[str, ...]]
    min_confidence: Confidence
    fail_on: Severity
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    respect_gitignore: bool
    include_tests: bool
    force_exclude: bool
    prompts: tuple[str, ...]
    wrappers: Mapping[str, Mapping[str, object]]
    models: Mapping[str, str]
    catalog: tuple[str, ...]
    prices: str | None
    baseline: str | None
    tokenizer: str | None
    region: str | None
    output_format: str
    budgets: Mapping[str, int]
    calibration: Mapping[str, float]
    keep: tuple[str, ...]
    cache: bool
    rules: Mapping[str, Mapping[str, object]]


def resolve(configuration: Configuration) -> Settings:
    """Fill in the defaults. Pure."""
    options = configuration.options
    exclude = DEFAULT_EXCLUDE if options.exclude is None else options.exclude
    return Settings(
        base=configuration.base,
        folder=configuration.folder,
        select=options.select,
        ignore=(*(options.ignore or ()), *(options.extend_ignore or ())),
        extend_select=options.extend_select or (),
        per_file_ignores=options.per_file_ignores or {},
        min_confidence=cast("Confidence", options.min_confidence or "low"),
        fail_on=cast("Severity", options.fail_on or "info"),
        include=options.include or (),
        exclude=(*exclude, *(options.extend_exclude or ())),
        respect_gitignore=options.respect_gitignore is not False,
        include_tests=options.include_tests is True,
        force_exclude=options.force_exclude is True,
        prompts=options.prompts or (),
        wrappers=options.wrappers or {},
        models=options.models or {},
        catalog=options.catalog or (),
        prices=options.prices,
        baseline=options.baseline,
        tokenizer=options.tokenizer,
        region=options.region,
        output_format=options.output_format or "text",
        budgets=options.budgets or {},
        calibration=options.calibration or {},
        keep=options.keep or (),
        cache=options.cache is not False,
        rules=options.rules or {},
    )


def configure(
    cwd: str, config: Sequence[str] = (), flags: Options | None = None, isolated: bool = False
) -> Configuration:
    """Read and merge the configuration of a run in the absolute folder ``cwd``.

    ``config`` is what ``--config`` gives: at most one file, and any number of ``KEY=VALUE`` items. Without a
    file the nearest one upwards from ``cwd`` counts, unless ``isolated``. Raises ConfigError.
    """
    inline = [item for item in config if "=" in item and not os.path.isfile(os.path.join(cwd, item))]
    files = [item for item in config if item not in inline]
    if len(files) > 1:
        raise ConfigError(f"--config names two files, {files[0]!r} and {files[1]!r}; a run has one")
    found = read_config(files[0], cwd) if files else None if isolated else find_config(cwd)
    return merge(found, [inline_options(item, cwd) for item in inline], flags or Options(), cwd)
