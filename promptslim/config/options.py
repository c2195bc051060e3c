"""The options as one source writes them: a config file, or the command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, fields
from typing import Any

from promptslim.config.readers import Reader, boolean, one_of, plain_table, string, strings, table_of
from promptslim.core.levels import CONFIDENCES, SEVERITIES
from promptslim.core.record import record


def option(read: Reader[object]) -> Any:  # noqa: ANN401 (the type checker takes the type of the field)
    """A field that is None unless a source sets it, read by ``read``."""
    return field(default=None, metadata={"read": read})


@record
class Options:
    """What one source says; None: it says nothing. The TOML key of a field has hyphens for underscores.

    select, ignore, extend_select, extend_ignore: selectors (see selectors.py).
    per_file_ignores: pattern -> selectors that are ignored in the files it matches; with a leading ``!``
        in all the others.
    min_confidence: findings below it are not reported. fail_on: findings below this severity are
        reported, but do not make the exit code 1.
    include: where given, only files that match are analysed. exclude replaces the folders that are left
        out by default, extend_exclude adds to them. include_tests: analyse test files too.
        force_exclude: apply all this also to files that are given one by one.
    prompts: patterns of files that are prompts.
    wrappers: dotted name -> operation in the schema of ``rules/sdks``, checked by catalog/.
    models: ARN or alias -> model id.
    catalog: TOML files in the layout of ``rules/`` that add to the catalog, later ones win. prices: price
        file. baseline: baseline file. tokenizer: vocabulary file or folder. region: region of the prices.
    output_format: name of a renderer in report/. cache: keep results between runs.
    rules: rule name -> option -> value, checked against the rule's page.

    Patterns are those of .gitignore; patterns and paths are relative to the folder of the config file.
    """

    select: tuple[str, ...] | None = option(strings)
    ignore: tuple[str, ...] | None = option(strings)
    extend_select: tuple[str, ...] | None = option(strings)
    extend_ignore: tuple[str, ...] | None = option(strings)
    per_file_ignores: Mapping[str, tuple[str, ...]] | None = option(table_of(strings))
    min_confidence: str | None = option(one_of(CONFIDENCES))
    fail_on: str | None = option(one_of(SEVERITIES))
    include: tuple[str, ...] | None = option(strings)
    exclude: tuple[str, ...] | None = option(strings)
    extend_exclude: tuple[str, ...] | None = option(strings)
    respect_gitignore: bool | None = option(boolean)
    include_tests: bool | None = option(boolean)
    force_exclude: bool | None = option(boolean)
    prompts: tuple[str, ...] | None = option(strings)
    wrappers: Mapping[str, Mapping[str, object]] | None = option(table_of(plain_table))
    models: Mapping[str, str] | None = option(table_of(string))
    catalog: tuple[str, ...] | None = option(strings)
    prices: str | None = option(string)
    baseline: str | None = option(string)
    tokenizer: str | None = option(string)
    region: str | None = option(string)
    output_format: str | None = option(string)
    cache: bool | None = option(boolean)
    rules: Mapping[str, Mapping[str, object]] | None = option(table_of(plain_table))


def key_of(name: str) -> str:
    """The TOML key of a field."""
    return name.replace("_", "-")


READERS: Mapping[str, Reader[object]] = {key_of(item.name): item.metadata["read"] for item in fields(Options)}
"""TOML key -> reader, in the order of the fields."""
