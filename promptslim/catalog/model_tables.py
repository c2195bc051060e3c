"""Model tables (``rules/models/*.toml`` and the user's own) checked and compiled.

The compiled form is plain JSON data::

    {"as_of": "2026-11-23",
     "families": {"claude-haiku-4-5": {"vendor": ..., "tier": ..., "cache": [0, 1], ...}},
     "models":   [{"route": ..., "id": ..., "family": ..., "rates": {"global": 17, "us": 18}, ...}],
     "index":    {"bedrock|anthropic.claude-haiku-4-5-20251001-v1:0": 3},
     "rates":    [["1.0", "5.0", ...], ...],
     "caches":   [{"routes": [...], "min_possible": 4096, ...}, ...],
     "bodies":   [["anthropic.", "anthropic"], ...]}

Prices stay text until they are asked for, so that no binary fraction comes between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from promptslim.catalog.errors import CatalogError
from promptslim.catalog.model_id import Grammar, family_of, parse

Compiled = dict[str, Any]
Place = Callable[[str, int], tuple[str, int | None]]
"""Where the n-th ``[[table]]`` of a file stands: its path and line."""

IN_REGION, LIST = "in-region", "list"
"""Profiles of a Bedrock id without geo prefix, and of a provider that has one price."""

PRICES = (
    "input",
    "output",
    "cache_read",
    "cache_write_5m",
    "cache_write_1h",
    "batch_input",
    "batch_output",
    "flex_input",
    "flex_output",
    "priority_input",
    "priority_output",
)
_TOP: Mapping[str, type] = {
    "source": str,
    "as_of": date,
    "vendor": str,
    "family": list,
    "model": list,
    "body": list,
}
_SOURCED: Mapping[str, type] = {"source": str, "as_of": date}
_FAMILY: Mapping[str, type] = {
    "name": str,
    "vendor": str,
    "tier": str,
    "cheaper": str,
    "tokenizer": str,
    "reasoning": bool,
    "thinks": dict,
    "burndown": dict,
    "cache": list,
    **_SOURCED,
}
_CACHE: Mapping[str, type] = {
    "routes": tuple,
    "min_possible": int,
    "min_certain": int,
    "max_points": int,
    "fields": tuple,
    "ttl": tuple,
    "max_tokens": int,
    **_SOURCED,
}
_MODEL: Mapping[str, type] = {
    "id": str,
    "aliases": tuple,
    "route": str,
    "vendor": str,
    "family": str,
    "kind": str,
    "context": int,
    "max_output": int,
    "lifecycle": dict,
    "rates": list,
    **_SOURCED,
}
_LIFECYCLE: Mapping[str, type] = {"end": date, "extended": date, "successor": str, **_SOURCED}
_RATES: Mapping[str, type] = {
    "profiles": tuple,
    "regions": tuple,
    "above": list,
    **dict.fromkeys(PRICES, Decimal),
    **_SOURCED,
}
_ABOVE: Mapping[str, type] = {"tokens": int, **dict.fromkeys(PRICES[:5], Decimal)}
_BODY: Mapping[str, type] = {"name": str, "match": tuple}
_NAMES: Mapping[type, str] = {
    str: "text in quotes",
    int: "a whole number",
    list: "a list",
    tuple: "a list of texts",
    dict: "a table",
    date: "a date (2026-11-23)",
    Decimal: "a price of zero or more",
}


def empty() -> Compiled:
    """Compiled tables without any entry."""
    return {"as_of": "", "families": {}, "models": [], "index": {}, "rates": [], "caches": [], "bodies": []}


def extended(compiled: Compiled, table: Mapping[str, Any], grammar: Grammar, place: Place) -> Compiled:
    """``compiled`` with the entries of ``table``; a later entry of the same id wins key by key.

    Raises CatalogError, with the place of the offending entry.
    """
    checked(table, _TOP, place("", 0))
    result: Compiled = {
        "as_of": compiled["as_of"],
        "families": dict(compiled["families"]),
        "models": list(compiled["models"]),
        "index": dict(compiled["index"]),
        "rates": list(compiled["rates"]),
        "caches": list(compiled["caches"]),
        "bodies": list(compiled["bodies"]),
    }
    for number, family in enumerate(table.get("family", ())):
        _add_family(result, family, table, grammar, place("family", number))
    for number, model in enumerate(table.get("model", ())):
        _add_model(result, model, table, grammar, place("model", number))
    for number, body in enumerate(table.get("body", ())):
        checked(body, _BODY, place("body", number), required=("name", "match"))
        result["bodies"] += [[prefix, body["name"]] for prefix in body["match"]]
    if "as_of" in table and any("rates" in model for model in table.get("model", ())):
        stamps = [stamp for stamp in (result["as_of"], table["as_of"].isoformat()) if stamp]
        result["as_of"] = min(stamps)
    return result


def _add_family(
    result: Compiled,
    family: Mapping[str, Any],
    table: Mapping[str, Any],
    grammar: Grammar,
    where: tuple[str, int | None],
) -> None:
    checked(family, _FAMILY, where, required=("name",))
    entry: dict[str, Any] = dict(result["families"].get(family["name"], {}))
    vendor = family.get("vendor", table.get("vendor", entry.get("vendor")))
    if vendor is None:
        raise CatalogError(*where, f'family {family["name"]!r} names no vendor: add vendor = "..."')
    entry["vendor"] = vendor
    entry |= {key: family[key] for key in ("tier", "cheaper", "tokenizer", "reasoning") if key in family}
    if "thinks" in family:
        checked(family["thinks"], {"always": bool, **_SOURCED}, where, required=("always", "source"))
        entry |= {"thinks": family["thinks"]["always"], "thinks_off": []}
    if "burndown" in family:
        checked(family["burndown"], {"low": int, "high": int, **_SOURCED}, where, required=("low", "high"))
        entry["burndown"] = [family["burndown"]["low"], family["burndown"]["high"]]
    if "cache" in family:
        entry["cache"] = [_number(result["caches"], _cache(rule, table, where)) for rule in family["cache"]]
    result["families"][family["name"]] = {**_said(grammar, vendor, family["name"]), **entry}


def _cache(rule: Mapping[str, Any], table: Mapping[str, Any], where: tuple[str, int | None]) -> dict[str, Any]:
    checked(rule, _CACHE, where, required=("routes", "min_possible", "min_certain", "fields"))
    if rule["min_possible"] > rule["min_certain"]:
        raise CatalogError(*where, "min_possible is above min_certain")
    entry = {key: rule[key] for key in _CACHE if key in rule and key not in _SOURCED}
    return {**entry, "source": _source(rule, table)}


def _add_model(
    result: Compiled,
    model: Mapping[str, Any],
    table: Mapping[str, Any],
    grammar: Grammar,
    where: tuple[str, int | None],
) -> None:
    checked(model, _MODEL, where, required=("id",))
    parsed = parse(model["id"], grammar)
    route = model.get("route") or parsed.route or "other"
    key = index_key(route, parsed.base)
    known = result["index"].get(key)
    entry: dict[str, Any] = dict(result["models"][known]) if known is not None else {}
    vendor = model.get("vendor") or parsed.vendor or entry.get("vendor") or table.get("vendor")
    if vendor is None:
        raise CatalogError(*where, f'model {model["id"]!r} names no vendor: add vendor = "..."')
    family = model.get("family") or entry.get("family") or family_of(vendor, parsed.name)
    entry |= {"route": route, "id": parsed.base, "vendor": vendor, "family": family}
    entry |= {name: model[name] for name in ("context", "max_output") if name in model}
    entry["kind"] = model.get("kind") or entry.get("kind") or kind_of(grammar, vendor, parsed.name)
    result["families"].setdefault(family, said_of(grammar, vendor, family))
    if "lifecycle" in model:
        checked(model["lifecycle"], _LIFECYCLE, where)
        entry["lifecycle"] = _lifecycle(model["lifecycle"], table)
    default = parsed.geo or (IN_REGION if route in ("bedrock", "bedrock_mantle") else LIST)
    for rates in model.get("rates", ()):
        entry["rates"] = entry.get("rates", {}) | _rates(result, rates, table, default, where)
    number = len(result["models"]) if known is None else known
    result["models"][number:] = [entry, *result["models"][number + 1 :]]
    result["index"][key] = number
    for alias in model.get("aliases", ()):
        result["index"][index_key(route, parse(alias, grammar).base)] = number


def _said(grammar: Grammar, vendor: str, name: str) -> dict[str, Any]:
    """What the name of a family says by itself (rules/model_ids.toml): worked out here, because matching
    some thirty patterns at every start would cost more than everything else."""
    tokenizer = grammar.says("tokenizer", vendor, name)
    thinks = grammar.says("thinks", vendor, name)
    return {
        "tokenizer": tokenizer["key"] if tokenizer else f"{vendor}.{name}",
        "reasoning": grammar.says("reasoning", vendor, name) is not None,
        "thinks": thinks is not None,
        "thinks_off": thinks["off"] if thinks else [],
    }


def said_of(grammar: Grammar, vendor: str, family: str) -> dict[str, Any]:
    """A family that no table holds."""
    return {"vendor": vendor, **_said(grammar, vendor, family)}


def kind_of(grammar: Grammar, vendor: str, name: str) -> str:
    """chat, embedding, image ... by the id without geo and vendor."""
    said = grammar.says("kind", vendor, name)
    return said["kind"] if said else "chat"


def index_key(route: str, base: str) -> str:
    """Bedrock and mantle have ids of their own; all other routes share one name space."""
    return f"{route if route in ('bedrock', 'bedrock_mantle') else 'direct'}|{base}"


def _lifecycle(given: Mapping[str, Any], table: Mapping[str, Any]) -> dict[str, Any]:
    entry = {key: given[key].isoformat() for key in ("end", "extended") if key in given}
    if "successor" in given:
        entry["successor"] = given["successor"]
    return {**entry, "source": _source(given, table)}


def _rates(
    result: Compiled, given: Mapping[str, Any], table: Mapping[str, Any], default: str, where: tuple[str, int | None]
) -> dict[str, int]:
    checked(given, _RATES, where, required=("input", "output"))
    above = []
    for band in given.get("above", ()):
        checked(band, _ABOVE, where, required=("tokens", "input", "output"))
        above.append([band["tokens"], *(_price(band, name) for name in PRICES[:5])])
    stamp = given.get("as_of", table.get("as_of"))
    source = given.get("source", table.get("source"))
    if stamp is None or source is None:
        raise CatalogError(*where, "prices need a source and a date: add source = and as_of = to the table or the file")
    row = [*(_price(given, name) for name in PRICES), sorted(above), source, stamp.isoformat()]
    names = [*given.get("profiles", ()), *given.get("regions", ())] or [default]
    return dict.fromkeys(names, _number(result["rates"], row))


def _number(rows: list[Any], row: object) -> int:
    """Place of ``row`` in ``rows``, where equal rows stand once."""
    if row in rows:
        return rows.index(row)
    rows.append(row)
    return len(rows) - 1


def _price(given: Mapping[str, Any], name: str) -> str | None:
    return str(given[name]) if name in given else None


def _source(given: Mapping[str, Any], table: Mapping[str, Any]) -> str:
    source = given.get("source", table.get("source", ""))
    stamp = given.get("as_of", table.get("as_of"))
    return f"{source}, {stamp.isoformat()}" if stamp else source


def checked(
    given: object, schema: Mapping[str, type], where: tuple[str, int | None], required: Iterable[str] = ()
) -> None:
    """Raise CatalogError unless ``given`` is a table with the keys and types of ``schema``."""
    if not isinstance(given, Mapping):
        raise CatalogError(*where, "this has to be a table")
    for key, value in given.items():
        if key not in schema:
            raise CatalogError(*where, f"unknown key {key!r}{_nearest(key, schema)}")
        if not _fits(value, schema[key]):
            raise CatalogError(*where, f"{key} has to be {_NAMES.get(schema[key], 'true or false')}, not {value!r}")
    for key in required:
        if key not in given:
            raise CatalogError(*where, f"the key {key!r} is missing")


def _fits(value: object, kind: type) -> bool:
    if kind is Decimal:
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
            return False
        price = Decimal(str(value))
        return price.is_finite() and price >= 0
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool) and value >= 0
    if kind is tuple:
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    return isinstance(value, kind)


def _nearest(key: str, schema: Iterable[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(key, list(schema), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
