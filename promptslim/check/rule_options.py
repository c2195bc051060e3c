"""The options of rules: defaults of their pages under what the configuration says."""

from __future__ import annotations

from collections.abc import Mapping

from promptslim.catalog.rule_meta import RuleMeta
from promptslim.config.error import ConfigError, suggestion
from promptslim.config.readers import describe

_KINDS: Mapping[type, str] = {
    bool: "true or false",
    int: "an integer",
    float: "a number",
    str: "a string",
    list: "a list",
    dict: "a table",
}


def rule_options(
    rules: tuple[RuleMeta, ...], configured: Mapping[str, Mapping[str, object]]
) -> dict[str, Mapping[str, object]]:
    """Code -> options of every rule. ``configured``: rule code or name -> option -> value.

    Raises ConfigError for a rule or an option that does not exist, and for a value of another kind than
    that of the option's default.
    """
    merged: dict[str, Mapping[str, object]] = {rule.code: rule.options for rule in rules}
    known = {key: rule for rule in rules for key in (rule.code, rule.name)}
    for key, options in configured.items():
        rule = known.get(key)
        if rule is None:
            hint = suggestion(key, known, "'promptslim rules' lists them")
            raise ConfigError(f"[rules.{key}]: there is no rule {key!r}; {hint}")
        for option, value in options.items():
            if option not in rule.options:
                hint = suggestion(option, rule.options, "options") if rule.options else "it has none"
                raise ConfigError(f"[rules.{key}]: {rule.name} has no option {option!r}; {hint}")
            kind = _kind(rule.options[option])
            if kind is not _kind(value) and not (kind is float and _kind(value) is int):
                raise ConfigError(f"[rules.{key}]: {option!r} must be {_KINDS[kind]}, not {describe(value)}")
        merged[rule.code] = {**merged[rule.code], **options}
    return merged


def _kind(value: object) -> type:
    return next((kind for kind in _KINDS if isinstance(value, kind)), str)
