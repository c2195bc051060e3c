"""From a model id to what is known of the model."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from promptslim.catalog.model_facts import CacheRules, Lifecycle, ModelFacts, Rates
from promptslim.catalog.model_id import Grammar, ModelId, family_of, parse
from promptslim.catalog.model_tables import IN_REGION, LIST, PRICES, Compiled, index_key, kind_of, said_of
from promptslim.core.record import replace

_OTHERS = ("other", "local", "azure")
"""Routes whose prices and limits no table holds, whatever the id says."""


class Models:
    """The compiled model tables with the user's own names for models.

    ``names`` maps an ARN, the last part of an ARN, or any alias to a model id. ``region`` is that of a
    Bedrock id without one.
    """

    __slots__ = ("_compiled", "_found", "_grammar", "_names", "_region")

    def __init__(
        self, compiled: Compiled, grammar: Grammar, names: Mapping[str, str], region: str | None = None
    ) -> None:
        self._compiled = compiled
        self._grammar = grammar
        self._names = names
        self._region = region
        self._found: dict[tuple[str, str | None], ModelFacts | None] = {}

    def find(self, text: str, route: str | None) -> ModelFacts | None:
        """See ``Catalog.model``."""
        key = (text, route)
        if key not in self._found:
            self._found[key] = self._facts(text, route)
        return self._found[key]

    def every(self) -> tuple[ModelFacts, ...]:
        """One entry per id, geo profile and region that the tables hold, in order of id."""
        texts = set()
        for model in self._compiled["models"]:
            profiles = model.get("rates") or {LIST: None}
            texts |= {self._written(model, profile) for profile in profiles}
        found = (self.find(text, None) for text in sorted(texts))
        return tuple(facts for facts in found if facts is not None)

    def _written(self, model: Mapping[str, Any], profile: str) -> str:
        """The id as a caller writes it for one profile or region of a model."""
        mantle = model["route"] == "bedrock_mantle"
        if profile in self._grammar.geos:
            return f"{profile}.{model['id']}"
        if profile in (IN_REGION, LIST):
            return f"bedrock_mantle/{model['id']}" if mantle else model["id"]
        return f"{'bedrock_mantle' if mantle else 'bedrock'}/{profile}/{model['id']}"

    def _facts(self, text: str, route: str | None) -> ModelFacts | None:
        target, seen = text, set()
        parsed = parse(target, self._grammar)
        while (name := self._named(target, parsed)) is not None and name not in seen:
            seen.add(name)
            target = name
            parsed = parse(target, self._grammar)
        if parsed.opaque:
            return None
        if self._region and parsed.region is None and parsed.route in ("bedrock", "bedrock_mantle"):
            parsed = replace(parsed, region=self._region)
        if route == "bedrock_mantle" and parsed.route == "bedrock":
            parsed = replace(parsed, route=route)
        model = self._model(parsed)
        if model is None and parsed.vendor is None:
            return None
        return self._assembled(text, parsed, model, route)

    def _named(self, target: str, parsed: ModelId) -> str | None:
        if target in self._names:
            return self._names[target]
        if not parsed.opaque:
            return None
        return self._names.get(parsed.base) or self._names.get(parsed.base.rpartition("/")[2])

    def _model(self, parsed: ModelId) -> Mapping[str, Any] | None:
        index = self._compiled["index"]
        route = parsed.route or "direct"
        bases = dict.fromkeys((parsed.base, parsed.base.replace("@", "-"), parsed.base.removesuffix(":0")))
        for base in bases:
            for suffix in self._grammar.suffixes:
                number = index.get(index_key(route, base + suffix))
                if number is not None:
                    model: Mapping[str, Any] = self._compiled["models"][number]
                    return model
        return None

    def _assembled(self, text: str, parsed: ModelId, model: Mapping[str, Any] | None, asked: str | None) -> ModelFacts:
        vendor = (model["vendor"] if model else None) or parsed.vendor or "unknown"
        family = model["family"] if model else family_of(vendor, parsed.name)
        known = self._compiled["families"].get(family, {})
        if known.get("vendor") != vendor:
            known = said_of(self._grammar, vendor, family)
        route = asked if asked in _OTHERS else parsed.route or (model["route"] if model else None) or "other"
        given = model if model and parsed.limited and route not in ("local", "azure") else {}
        # A table that prices a model at such an endpoint (the user's own) is about that endpoint.
        priced = bool(given) and parsed.priced and (asked not in _OTHERS or given["route"] == asked)
        return ModelFacts(
            id=text,
            base=parsed.base,
            route=route,
            geo=parsed.geo,
            vendor=vendor,
            family=family,
            kind=model["kind"] if model else kind_of(self._grammar, vendor, parsed.name),
            tier=known.get("tier"),
            cheaper=known.get("cheaper"),
            context=given.get("context"),
            max_output=given.get("max_output"),
            thinks=known["thinks"],
            thinks_off=tuple(known["thinks_off"]),
            reasoning=known["reasoning"],
            tokenizer=known["tokenizer"],
            body=self._body(parsed) if route == "bedrock" else None,
            cache=_cache([self._compiled["caches"][number] for number in known.get("cache", ())], route),
            lifecycle=_lifecycle(given.get("lifecycle") if parsed.priced else None),
            rates=self._rates(given, _profiles(parsed)) if priced else None,
            global_rates=self._rates(given, ("global",)) if priced and route == "bedrock" else None,
            burndown=tuple(known["burndown"]) if route == "bedrock" and "burndown" in known else None,
        )

    def _body(self, parsed: ModelId) -> str | None:
        fitting = (body for prefix, body in self._compiled["bodies"] if parsed.base.startswith(prefix))
        return next(fitting, None)

    def _rates(self, model: Mapping[str, Any], profiles: tuple[str, ...]) -> Rates | None:
        offered = model.get("rates", {})
        profile = next((name for name in profiles if name in offered), None)
        return None if profile is None else _rates_of(self._compiled["rates"][offered[profile]], profile)


def _profiles(parsed: ModelId) -> tuple[str, ...]:
    """Profiles whose price applies, best first. A government region has no price outside its own."""
    region = (parsed.region,) if parsed.region else ()
    if parsed.geo:
        return (parsed.geo, *region)
    if parsed.region and parsed.region.startswith("us-gov"):
        return (*region, "us-gov")
    return (*region, IN_REGION, LIST)


def _rates_of(row: list[Any], profile: str) -> Rates:
    prices = {name: _decimal(value) for name, value in zip(PRICES, row, strict=False)}
    above, source, as_of = row[len(PRICES) :]
    label = {IN_REGION: "in-Region", LIST: "list price"}.get(profile, f"{profile} profile")
    return Rates(
        input=prices["input"] or Decimal(0),
        output=prices["output"] or Decimal(0),
        cache_read=prices["cache_read"],
        cache_write_5m=prices["cache_write_5m"],
        cache_write_1h=prices["cache_write_1h"],
        batch_input=prices["batch_input"],
        batch_output=prices["batch_output"],
        above=tuple((band[0], Decimal(band[1]), Decimal(band[2])) for band in above),
        source=source,
        as_of=date.fromisoformat(as_of),
        region=label,
        flex_input=prices["flex_input"],
        flex_output=prices["flex_output"],
        priority_input=prices["priority_input"],
        priority_output=prices["priority_output"],
        above_cached=tuple((band[0], _decimal(band[3]), _decimal(band[4])) for band in above),
    )


def _decimal(price: str | None) -> Decimal | None:
    return None if price is None else Decimal(price)


def _cache(rules: list[Any], route: str) -> CacheRules | None:
    rule = next((rule for rule in rules if route in rule["routes"]), None)
    if rule is None:
        return None
    return CacheRules(
        min_possible=rule["min_possible"],
        min_certain=rule["min_certain"],
        max_points=rule.get("max_points"),
        fields=tuple(rule["fields"]),
        ttl=tuple(rule.get("ttl", ())),
        max_tokens=rule.get("max_tokens"),
        source=rule["source"],
    )


def _lifecycle(given: Mapping[str, Any] | None) -> Lifecycle | None:
    if given is None:
        return None
    return Lifecycle(
        end=date.fromisoformat(given["end"]) if "end" in given else None,
        extended=date.fromisoformat(given["extended"]) if "extended" in given else None,
        successor=given.get("successor"),
        source=given["source"],
    )
