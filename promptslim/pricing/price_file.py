"""A price file of the user: what ``prices update --from FILE`` reads and writes.

Two formats are read: the price map of litellm (US dollars per token) and our own, which is also what is
written (US dollars per million tokens, see price_map.py)::

    {"_source": "litellm price map 1.109.1", "_as_of": "2026-11-23", "models": {ID: ROW, ...}}
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from promptslim.catalog.model_id import Grammar
from promptslim.core.record import record
from promptslim.pricing.price_map import PROVIDERS, RATE_NAMES, grouped, model_table

_MILLION = Decimal(1_000_000)
_HIGHEST = Decimal(10_000)
"""No model costs this much per million tokens: a higher figure is in another unit."""

_PER_TOKEN = {
    "input_cost_per_token": "in",
    "output_cost_per_token": "out",
    "cache_read_input_token_cost": "cache_read",
    "cache_creation_input_token_cost": "cache_write_5m",
    "cache_creation_input_token_cost_above_1hr": "cache_write_1h",
    "input_cost_per_token_batches": "batch_in",
    "output_cost_per_token_batches": "batch_out",
    "input_cost_per_token_flex": "flex_in",
    "output_cost_per_token_flex": "flex_out",
    "input_cost_per_token_priority": "priority_in",
    "output_cost_per_token_priority": "priority_out",
}
_BAND = re.compile(r"(.+)_above_(\d+)k_tokens")
_TEXT_MODES = (None, "chat", "completion", "responses")
_KEPT = frozenset({"provider", "above", "ctx", "max_out", *RATE_NAMES})
_LIMITS = {"max_input_tokens": "ctx", "max_output_tokens": "max_out"}


class PriceFileError(ValueError):
    """A price file that cannot be used: one line with the file, the place in it, and what to do."""


@record
class PriceFile:
    """``models`` in the form of price_map.py, with Decimal prices. ``skipped`` counts entries that are for
    other providers or make no text; it is not written."""

    source: str
    as_of: date
    models: Mapping[str, Mapping[str, Any]]
    skipped: int = 0


def read_prices(text: str, name: str, as_of: date) -> PriceFile:
    """Read either format. ``name`` is the file for messages; ``as_of`` dates a litellm map, which carries
    no date. Raises PriceFileError."""
    try:
        data = json.loads(text, parse_float=Decimal, parse_constant=_no_constant)
    except RecursionError:
        raise PriceFileError(f"{name}: nested too deeply for a price file") from None
    except ValueError as error:
        line = f":{error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        reason = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        raise PriceFileError(f"{name}{line}: not JSON: {reason}") from None
    if not isinstance(data, dict):
        raise PriceFileError(f"{name}: a price file is an object of model ids; this is a {type(data).__name__}")
    if "models" in data or "_as_of" in data:
        return _own(data, name)
    return _litellm(data, name, as_of)


def _no_constant(constant: str) -> object:
    raise ValueError(f"{constant} is not a price")


def _own(data: Mapping[str, Any], name: str) -> PriceFile:
    source, stamp, models = data.get("_source"), data.get("_as_of"), data.get("models")
    if not isinstance(source, str) or not isinstance(stamp, str) or not isinstance(models, dict):
        raise PriceFileError(f'{name}: needs "_source" and "_as_of" as texts and "models" as an object')
    try:
        as_of = date.fromisoformat(stamp)
    except ValueError:
        raise PriceFileError(f'{name}: "_as_of" is {stamp!r}, not a date such as 2026-11-23') from None
    return PriceFile(source, as_of, {key: _checked_row(row, f"{name}: {_shown(key)}") for key, row in models.items()})


def _checked_row(row: object, where: str) -> dict[str, Any]:
    """The row with the keys that count here."""
    if not isinstance(row, dict) or not _is_known(row.get("provider")):
        raise PriceFileError(f'{where}: needs a "provider": {", ".join(sorted(PROVIDERS))}')
    bands = row.get("above", {})
    if not isinstance(bands, dict) or not all(
        str(tokens).isascii() and str(tokens).isdigit() and isinstance(prices, dict) for tokens, prices in bands.items()
    ):
        raise PriceFileError(f'{where}: "above" has to map token counts to prices')
    for prices in (row, *bands.values()):
        for key in RATE_NAMES:
            if key in prices:
                _price(prices[key], f"{where}: {key}")
    for key in ("ctx", "max_out"):
        if key in row and not _is_count(row[key]):
            raise PriceFileError(f"{where}: {key} has to be a number of tokens, not {row[key]!r}")
    return {key: value for key, value in row.items() if key in _KEPT}


def _litellm(data: Mapping[str, Any], name: str, as_of: date) -> PriceFile:
    models: dict[str, dict[str, Any]] = {}
    for model_id, entry in data.items():
        if not isinstance(entry, dict):
            raise PriceFileError(f"{name}: {_shown(model_id)}: neither a litellm price map nor a promptslim price file")
        priced = any(key in entry for key in _PER_TOKEN)
        if _is_known(entry.get("litellm_provider")) and entry.get("mode") in _TEXT_MODES and priced:
            models[model_id] = _litellm_row(entry, f"{name}: {_shown(model_id)}")
    if not models:
        raise PriceFileError(f"{name}: no model with a price that is known here; is this a litellm price map?")
    return PriceFile(f"litellm price map, {Path(name).name}", as_of, models, len(data) - len(models))


def _litellm_row(entry: Mapping[str, Any], where: str) -> dict[str, Any]:
    row: dict[str, Any] = {"provider": entry["litellm_provider"]}
    above: dict[str, dict[str, Decimal]] = {}
    for key, value in entry.items():
        banded = _BAND.fullmatch(key)
        plain = _PER_TOKEN.get(banded[1] if banded else key)
        if plain is None or value is None:
            continue
        price = _price(value, f"{where}: {key}", _MILLION)
        if banded:
            above.setdefault(f"{banded[2]}000", {})[plain] = price
        else:
            row[plain] = price
    row |= {new: int(entry[old]) for old, new in _LIMITS.items() if _is_count(entry.get(old))}
    return {**row, "above": above} if above else row


def _price(value: object, where: str, per: Decimal = Decimal(1)) -> Decimal:
    """``value`` times ``per`` as dollars per million tokens."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise PriceFileError(f"{where} is {value!r}, not a price")
    if not 0 <= value < _HIGHEST / per:
        unit = "token" if per > 1 else "million tokens"
        raise PriceFileError(f"{where} is {value} dollars per {unit}: a wrong unit?")
    return (Decimal(value) * per).normalize()


def _is_known(provider: object) -> bool:
    return isinstance(provider, str) and provider in PROVIDERS


def _shown(model_id: str) -> str:
    """An id for a message: a file may hold anything, terminal escapes included."""
    return model_id if model_id.isprintable() else ascii(model_id)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def written_prices(prices: PriceFile) -> str:
    """The file in our own format: sorted, one id per line, the same bytes for the same prices."""
    rows = (f"{json.dumps(model_id)}: {_written(prices.models[model_id])}" for model_id in sorted(prices.models))
    head = f'"_source": {json.dumps(prices.source)},\n"_as_of": "{prices.as_of.isoformat()}",\n"models": {{\n'
    return "{\n" + head + ",\n".join(rows) + "\n}}\n"


def _written(value: object) -> str:
    """JSON with prices digit for digit: the standard encoder knows binary fractions only."""
    match value:
        case Decimal():
            return format(value, "f")
        case dict():
            return "{" + ", ".join(f"{json.dumps(key)}: {_written(value[key])}" for key in sorted(value)) + "}"
    return json.dumps(value)


def prices_table(prices: PriceFile, grammar: Grammar) -> dict[str, Any]:
    """The file as a model table for ``Catalog.with_user``."""
    models = grouped(prices.models, grammar)
    return {
        "source": prices.source,
        "as_of": prices.as_of,
        "model": [model_table(models[key]) for key in sorted(models)],
    }
