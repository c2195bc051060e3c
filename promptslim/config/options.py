"""The options as one source writes them: a config file, or the command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from promptslim.config.readers import OneOf, Reader, TableOf, boolean, factor, plain_table, string, strings, tokens
from promptslim.core.levels import CONFIDENCES, SEVERITIES
from promptslim.core.record import field, items, record


def option(read: Reader[object], meaning: str) -> Any:  # noqa: ANN401 (the type checker takes the type of the field)
    """A field that is None unless a source sets it, read by ``read``; ``meaning`` is what editors show."""
    return field(default=None, metadata={"read": read, "meaning": meaning})


@record
class Options:
    """What one source says; None: it says nothing. The TOML key of a field has hyphens for underscores.

    Selectors: see selectors.py. Patterns are those of .gitignore; patterns and paths are relative to the folder of
    the config file. ``wrappers`` are operations in the schema of ``rules/sdks``, checked by catalog/; ``rules`` are
    checked against the pages of the rules.
    """

    select: tuple[str, ...] | None = option(strings, "Rules to run: codes, starts of codes, names or ALL.")
    ignore: tuple[str, ...] | None = option(strings, "Rules not to run.")
    extend_select: tuple[str, ...] | None = option(strings, "Rules to run besides.")
    extend_ignore: tuple[str, ...] | None = option(strings, "Rules not to run either.")
    per_file_ignores: Mapping[str, tuple[str, ...]] | None = option(
        TableOf(strings), "Pattern of files to rules that are ignored in them; with a leading ! in all others."
    )
    min_confidence: str | None = option(OneOf(CONFIDENCES), "Findings that are less certain are not reported.")
    fail_on: str | None = option(OneOf(SEVERITIES), "Severity from which the exit code is 1.")
    include: tuple[str, ...] | None = option(strings, "Only files that match are analysed.")
    exclude: tuple[str, ...] | None = option(strings, "What is left out, instead of the default folders.")
    extend_exclude: tuple[str, ...] | None = option(strings, "What is left out besides the default folders.")
    respect_gitignore: bool | None = option(boolean, "Leave out what git ignores.")
    include_tests: bool | None = option(boolean, "Analyse test files too.")
    force_exclude: bool | None = option(boolean, "Leave files out even where they are named one by one.")
    prompts: tuple[str, ...] | None = option(strings, "Patterns of files that are prompts; with a leading ! not.")
    wrappers: Mapping[str, Mapping[str, object]] | None = option(
        TableOf(plain_table), "Own functions that call a model: dotted name to the parameters that matter."
    )
    models: Mapping[str, str] | None = option(TableOf(string), "ARN or alias to model id.")
    catalog: tuple[str, ...] | None = option(strings, "Files in the layout of the rule book that add to it.")
    prices: str | None = option(string, "Price file.")
    baseline: str | None = option(string, "Baseline file: known findings, which are not reported.")
    tokenizer: str | None = option(string, "Vocabulary file, or a folder of them.")
    region: str | None = option(string, "Region of the prices.")
    output_format: str | None = option(string, "Format of the findings.")
    budgets: Mapping[str, int] | None = option(TableOf(tokens), "Prompt (path, or path::name) to tokens it may have.")
    calibration: Mapping[str, float] | None = option(
        TableOf(factor), "Tokenizer family to what its estimates are multiplied by, as count --calibrate gives it."
    )
    keep: tuple[str, ...] | None = option(strings, "Texts in prompts that no edit may touch, as they stand there.")
    cache: bool | None = option(boolean, "Keep results between runs.")
    rules: Mapping[str, Mapping[str, object]] | None = option(
        TableOf(plain_table), "Rule (code or name) to its options."
    )


def key_of(name: str) -> str:
    """The TOML key of a field."""
    return name.replace("_", "-")


READERS: Mapping[str, Reader[object]] = {key_of(item.name): item.metadata["read"] for item in items(Options)}
"""TOML key -> reader, in the order of the fields."""
