"""The JSON Schema of the configuration, for editors: made from the options themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from promptslim.config.options import Options, key_of
from promptslim.config.readers import (
    LARGEST_FACTOR,
    LEAST_FACTOR,
    OneOf,
    TableOf,
    boolean,
    factor,
    plain_table,
    string,
    strings,
    tokens,
)
from promptslim.config.selectors import ALL, Rule
from promptslim.core.record import items

_SELECTORS = ("select", "ignore", "extend-select", "extend-ignore")


class RuleWithOptions(Rule, Protocol):
    """What the schema needs of a rule."""

    @property
    def options(self) -> Mapping[str, object]:
        """Default of each option by its name."""


def config_schema(rules: Sequence[RuleWithOptions], formats: Sequence[str]) -> dict[str, object]:
    """The schema of promptslim.toml, and of [tool.promptslim] in pyproject.toml (JSON Schema, draft 2020-12)."""
    properties: dict[str, dict[str, object]] = {}
    for item in items(Options):
        key = key_of(item.name)
        properties[key] = {"description": item.metadata["meaning"], **_type(item.metadata["read"])}
    words = sorted({ALL, *(rule.code for rule in rules), *(rule.name for rule in rules)})
    selector = {"anyOf": [{"enum": words}, {"type": "string", "pattern": "^PS[0-9]{0,3}$"}]}
    for key in _SELECTORS:
        properties[key]["items"] = selector
    properties["per-file-ignores"]["additionalProperties"] = {"type": "array", "items": selector}
    properties["output-format"]["enum"] = list(formats)
    properties["rules"] |= {"properties": _rules(rules), "additionalProperties": False}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "promptslim",
        "description": "promptslim.toml, and [tool.promptslim] in pyproject.toml",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }


def _type(read: object) -> dict[str, object]:
    if read is strings:
        return {"type": "array", "items": {"type": "string"}}
    if read is boolean:
        return {"type": "boolean"}
    if read is string:
        return {"type": "string"}
    if read is tokens:
        return {"type": "integer", "minimum": 1}
    if read is factor:
        return {"type": "number", "minimum": LEAST_FACTOR, "maximum": LARGEST_FACTOR}
    match read:
        case OneOf(choices=choices):
            return {"enum": list(choices)}
        case TableOf(item=item):
            return {"type": "object", "additionalProperties": _type(item)}
        case _ if read is plain_table:
            return {"type": "object"}
        case _:
            raise TypeError(f"no schema for {read!r}")


def _rules(rules: Sequence[RuleWithOptions]) -> dict[str, object]:
    """Both names of every rule that has options."""
    tables: dict[str, object] = {}
    for rule in rules:
        options = {name: {**_kind(default), "default": default} for name, default in sorted(rule.options.items())}
        for key in (rule.code, rule.name):
            tables[key] = {"type": "object", "properties": options, "additionalProperties": False}
    return tables


def _kind(default: object) -> dict[str, object]:
    match default:
        case bool():
            return {"type": "boolean"}
        case int():
            return {"type": "integer"}
        case float():
            return {"type": "number"}
        case list() | tuple():
            return {"type": "array"}
        case Mapping():
            return {"type": "object"}
        case _:
            return {"type": "string"}
