"""From a flat price map (one row per id, profile and region) to model tables.

A row is in the form of our own snapshot::

    "us.amazon.nova-lite-v1:0": {"provider": "bedrock_converse", "in": 0.06, "out": 0.24, "cache_read": 0.015,
                                 "above": {"200000": {"in": ..., "out": ...}}, "ctx": 300000, "max_out": 10000}

in US dollars per million tokens. ``scripts/generate_models.py`` and ``prices update`` both come through
here, so that a user's price file is read like the shipped tables.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from promptslim.catalog.model_id import Grammar, ModelId, family_of, parse
from promptslim.catalog.model_tables import IN_REGION, LIST, index_key
from promptslim.core.record import field, record

RATE_NAMES = {
    "in": "input",
    "out": "output",
    "cache_read": "cache_read",
    "cache_write_5m": "cache_write_5m",
    "cache_write_1h": "cache_write_1h",
    "batch_in": "batch_input",
    "batch_out": "batch_output",
    "flex_in": "flex_input",
    "flex_out": "flex_output",
    "priority_in": "priority_input",
    "priority_out": "priority_output",
}
"""Key in a row -> key in ``[[model.rates]]``."""

PROVIDERS: Mapping[str, tuple[str | None, str | None]] = {
    "bedrock": (None, "bedrock"),
    "bedrock_converse": (None, "bedrock"),
    "bedrock_mantle": (None, "bedrock_mantle"),
    "openai": ("openai", "openai"),
    "gemini": ("google", "google"),
    "anthropic": ("anthropic", "anthropic"),
}
"""Provider of a row -> vendor where the id does not say it, and route."""

NOT_MODELS = frozenset({"openai/container"})

# Cache writes at the price of ordinary input: Nova has no write price, OpenAI before 5.6 and Gemini charge
# none (litellm price map 1.109.1; AWS price list for Nova).
_FREE_WRITES = re.compile(r"amazon\.nova-|google\.gemini-|openai\.(?:o\d|gpt-(?:3\.5|4|5(?:\.[1-5])?)(?:[-.o]|$))")


@record(frozen=False, eq=False)
class PricedModel:
    """All rows of one model on one route; ``rows`` by profile or region."""

    route: str
    base: str
    vendor: str
    family: str
    rows: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    regions: set[str] = field(default_factory=set)
    aliases: set[str] = field(default_factory=set)
    texts: dict[str, str] = field(default_factory=dict)
    """Id as the map writes it -> profile or region."""

    def limit(self, key: str) -> int | None:
        """``ctx`` or ``max_out``. Where profiles differ, the largest: no call within it can break a limit."""
        return max((int(row[key]) for row in self.rows.values() if row.get(key)), default=None)


def grouped(rows: Mapping[str, Mapping[str, Any]], grammar: Grammar) -> dict[str, PricedModel]:
    """The models of a price map, by index key. Rows of unknown providers and non-models are left out."""
    models: dict[str, PricedModel] = {}
    # Ids without "bedrock/" first: where both forms of one id are priced, the plain one counts.
    for text, row in sorted(rows.items(), key=lambda item: (item[0].startswith("bedrock/"), item[0])):
        if text in NOT_MODELS or row.get("provider") not in PROVIDERS:
            continue
        parsed = parse(text, grammar)
        vendor, route = PROVIDERS[row["provider"]]
        vendor, route = parsed.vendor or vendor, parsed.route or route
        if vendor is None or route is None or parsed.opaque:
            continue
        model = _model_of(models, parsed, text, vendor, route)
        profile = parsed.region or parsed.geo or (IN_REGION if route.startswith("bedrock") else LIST)
        if parsed.region:
            model.regions.add(profile)
        model.texts[text] = profile
        if profile not in model.rows or not model.rows[profile].get("in"):
            model.rows[profile] = row
    for model in models.values():
        _settle_bare_claude(model)
    return models


def _model_of(models: dict[str, PricedModel], parsed: ModelId, text: str, vendor: str, route: str) -> PricedModel:
    twin = index_key(route, f"{parsed.base.replace('@', '-')}-v1:0")
    if "@" in parsed.base and twin in models:
        models[twin].aliases.add(parsed.base)
        return models[twin]
    key = index_key(route, parsed.base)
    if key not in models:
        models[key] = PricedModel(route, parsed.base, vendor, family_of(vendor, parsed.name))
    if text.startswith("claude-") and route == "bedrock":
        models[key].aliases.add(text)
    return models[key]


def _settle_bare_claude(model: PricedModel) -> None:
    """A bare Claude id on Bedrock is billed like a geo profile; the price map gives it the global price,
    genai-prices 0.2.3 the geo one. Most bare ids are not callable at all."""
    if model.vendor == "anthropic" and model.route == "bedrock" and {IN_REGION, "us"} <= model.rows.keys():
        model.rows[IN_REGION] = model.rows["us"]


def rate_tables(model: PricedModel) -> list[dict[str, Any]]:
    """``[[model.rates]]`` of a model: profiles and regions with equal prices share a table."""
    tables: list[tuple[dict[str, Any], list[str]]] = []
    for profile in sorted(model.rows, key=lambda name: (name in model.regions, name != IN_REGION, name)):
        table = _rates(model, model.rows[profile])
        if table is None:
            continue
        same = next((names for known, names in tables if known == table), None)
        if same is None:
            tables.append((table, [profile]))
        else:
            same.append(profile)
    result = []
    for table, names in tables:
        profiles = [name for name in names if name not in model.regions and name != LIST]
        regions = [name for name in names if name in model.regions]
        places = {"profiles": profiles, "regions": regions}
        result.append({**{key: value for key, value in places.items() if value}, **table})
    return result


def _rates(model: PricedModel, row: Mapping[str, Any]) -> dict[str, Any] | None:
    # Zero means an experiment that is free for now, not a price.
    if row.get("in") is None or row.get("out") is None or not (row["in"] or row["out"]):
        return None
    given = {new: _decimal(row[old]) for old, new in RATE_NAMES.items() if row.get(old) is not None}
    if "cache_read" in given and _FREE_WRITES.match(f"{model.vendor}.{model.family}"):
        given.setdefault("cache_write_5m", given["input"])
    table: dict[str, Any] = {name: given[name] for name in RATE_NAMES.values() if name in given}
    context = model.limit("ctx") or 0
    above = []
    for tokens, prices in sorted(row.get("above", {}).items(), key=lambda item: int(item[0])):
        # A band above the context window cannot be reached (the 1M window of Sonnet 4.5 was withdrawn).
        if int(tokens) < context:
            whole = {**{key: row[key] for key in ("in", "out")}, **prices}
            dearer = {new: _decimal(whole[old]) for old, new in RATE_NAMES.items() if whole.get(old) is not None}
            above.append({"tokens": int(tokens), **dearer})
    return {**table, "above": above} if above else table


def _decimal(price: float | Decimal) -> Decimal:
    return Decimal(str(price)).normalize()


def model_table(model: PricedModel) -> dict[str, Any]:
    """``[[model]]`` of a priced model: id, route, family, aliases, limits and rates."""
    entry: dict[str, Any] = {"id": model.base, "route": model.route, "vendor": model.vendor, "family": model.family}
    if model.aliases:
        entry["aliases"] = sorted(model.aliases)
    for key, name in (("ctx", "context"), ("max_out", "max_output")):
        limit = model.limit(key)
        if limit is not None:
            entry[name] = limit
    rates = rate_tables(model)
    if rates:
        entry["rates"] = rates
    return entry
