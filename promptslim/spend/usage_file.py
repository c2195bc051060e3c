"""The usage file ``promptslim-usage.toml``: traffic of call sites by their ids, in the spirit of Infracost's.

version = 1

[default_usage]
cache_hit_rate = 0.6

[usage."src/app.py::ask:converse"]
calls_per_hour = 40
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from decimal import Decimal

from promptslim.config.error import ConfigError, printable, suggestion
from promptslim.core.record import record
from promptslim.pricing.cache_economics import poisson_hit_rate

NAME = "promptslim-usage.toml"
VERSION = 1
SHARES = frozenset({"cache_hit_rate", "retry_rate", "success_rate", "batch_share"})
KEYS = SHARES | {"calls_per_month", "calls_per_hour", "output_tokens_p50", "output_tokens_p95"}


@record
class Usage:
    """Figures of call sites by id, under those that hold for all."""

    default: Mapping[str, Decimal]
    calls: Mapping[str, Mapping[str, Decimal]]

    def hit_rate(self, call_id: str, lifetime_seconds: int) -> Decimal | None:
        """Share of cache hits of a call: as given, else of Poisson arrivals at its calls per hour; None where the
        file says neither."""
        for figures in (self.calls.get(call_id, {}), self.default):
            if "cache_hit_rate" in figures:
                return figures["cache_hit_rate"]
            if "calls_per_hour" in figures:
                return poisson_hit_rate(figures["calls_per_hour"], lifetime_seconds)
        return None


def read_usage(text: str, path: str) -> Usage:
    """Parse a usage file. Raises ConfigError with one line: what, where, what to do next."""
    try:
        table = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {printable(str(error))}; correct the file") from None
    known = {"version", "default_usage", "usage"}
    for key in table.keys() - known:
        hint = suggestion(key, known, "the keys are version, default_usage and usage")
        raise ConfigError(f"{path}: unknown key {printable(repr(key))}; {hint}")
    if table.get("version") != VERSION:
        raise ConfigError(f"{path}: version has to be {VERSION}; add `version = {VERSION}`")
    calls = table.get("usage", {})
    if not isinstance(calls, dict):
        raise ConfigError(f'{path}: usage has to be tables, one a call: [usage."src/app.py::ask:converse"]')
    return Usage(
        _figures(table.get("default_usage", {}), "default_usage", path),
        {name: _figures(figures, f"usage.{printable(repr(name))}", path) for name, figures in calls.items()},
    )


def _figures(table: object, where: str, path: str) -> dict[str, Decimal]:
    if not isinstance(table, dict):
        raise ConfigError(f"{path}: {where} has to be a table of figures")
    figures: dict[str, Decimal] = {}
    for key, value in table.items():
        if key not in KEYS:
            hint = suggestion(key, KEYS, f"the keys are {', '.join(sorted(KEYS))}")
            raise ConfigError(f"{path}: {where}: unknown key {printable(repr(key))}; {hint}")
        number = isinstance(value, int | Decimal) and not isinstance(value, bool) and Decimal(value).is_finite()
        most = 1 if key in SHARES else None
        if not number or value < 0 or (most is not None and value > most):
            raise ConfigError(f"{path}: {where}.{key} has to be a number {'from 0 to 1' if most else 'of 0 or more'}")
        figures[key] = Decimal(value)
    return figures
