"""Reading model ids: prefixes of SDKs and gateways, ARNs, geo profiles, dates and versions.

The grammar is data (``rules/model_ids.toml``); matching is exact in case and never by substring.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from promptslim.core.record import record, replace

# Patterns are text and compiled at their first use (the re module keeps them): most ids need none or few.
_REGION = r"[a-z]{2}(?:-[a-z]+)+-\d"
_ARN = r"arn:aws[a-z-]*:(?P<service>[a-z0-9-]+):(?P<region>[a-z0-9-]*):\d*:(?P<kind>[a-z-]+)/(?P<name>.+)"
_VERSIONED = (
    r"(?P<model>.+?)(?:-(?P<date>\d{8}|\d{4}-\d{2}-\d{2}))?(?:-v(?P<version>\d+))?"
    r"(?::(?P<revision>\d+))?(?::(?:\d+[km]|mm|flex|priority))?"
)
_BEDROCK_CLAUDE = r"claude-.+-\d{8}-v\d+(?::\d+)?"
_CONTEXT_VARIANT = r"(.+:\d+):(?:\d+k|mm)"


@record
class ModelId:
    """A model id taken apart.

    ``base`` has no prefix, geo or ARN; ``name`` is ``base`` without the Bedrock vendor. ``opaque``: the
    model cannot be read from the id (application profiles, prompts, imported models); ``base`` is then
    the ARN. ``priced`` and ``limited`` are false where the route has prices or limits of its own that no
    table holds (Vertex, Azure deployments, gateways).
    """

    text: str
    route: str | None
    region: str | None
    geo: str | None
    vendor: str | None
    base: str
    name: str
    opaque: bool = False
    priced: bool = True
    limited: bool = True


class Grammar:
    """``rules/model_ids.toml``, ready for use. Raises KeyError or TypeError for a table without its keys."""

    __slots__ = ("bedrock_parts", "direct", "geos", "prefixes", "said", "suffixes", "vendors")

    def __init__(self, table: Mapping[str, Any]) -> None:
        self.geos = frozenset(table["geos"])
        self.bedrock_parts = frozenset(table["bedrock_parts"])
        self.suffixes = tuple(table["suffixes"])
        self.vendors = {prefix: vendor for vendor, names in table["vendors"].items() for prefix in names}
        prefixes = [(text, entry) for entry in table["prefix"] for text in entry["texts"]]
        self.prefixes = tuple(sorted(prefixes, key=lambda entry: -len(entry[0])))
        self.direct = tuple((entry["match"], entry["vendor"], entry["route"]) for entry in table["direct"])
        self.said = {key: table[key] for key in ("kind", "tokenizer", "reasoning", "thinks")}

    def says(self, key: str, vendor: str, name: str) -> Mapping[str, Any] | None:
        """The first entry of the list ``key`` (kind, tokenizer, reasoning, thinks) for ``vendor.name``."""
        subject = f"{vendor}.{name}"
        return next((entry for entry in self.said[key] if re.match(entry["match"], subject)), None)


def parse(text: str, grammar: Grammar) -> ModelId:
    """Take ``text`` apart. Total: an id that says nothing comes back with no route and no vendor."""
    rest, route, priced, limited = text, None, True, True
    region: str | None = None
    while found := _prefix(rest, grammar):
        prefix, entry = found
        rest = rest[len(prefix) :]
        route = route or entry.get("route")
        priced = priced and entry.get("priced", True)
        limited = limited and entry.get("limited", True)
        if route in ("bedrock", "bedrock_mantle"):
            rest, region = _bedrock_parts(rest, grammar)
    if rest.startswith("arn:"):
        return _from_arn(text, rest, route, region, grammar)
    parsed = _bare(text, rest, route, region, grammar)
    return replace(parsed, priced=priced and parsed.priced, limited=limited)


def _prefix(rest: str, grammar: Grammar) -> tuple[str, Mapping[str, Any]] | None:
    return next((entry for entry in grammar.prefixes if rest.startswith(entry[0]) and len(rest) > len(entry[0])), None)


def _bedrock_parts(rest: str, grammar: Grammar) -> tuple[str, str | None]:
    region = None
    while "/" in rest and not rest.startswith("arn:"):
        part, tail = rest.split("/", 1)
        if re.fullmatch(_REGION, part) or part == "claude_platform":
            region = part
        elif part not in grammar.bedrock_parts:
            break
        rest = tail
    return rest, region


def _from_arn(text: str, arn: str, route: str | None, region: str | None, grammar: Grammar) -> ModelId:
    match = re.fullmatch(_ARN, arn)
    if match and match["service"] == "bedrock" and match["kind"] in ("foundation-model", "inference-profile"):
        parsed = _bare(text, match["name"], route or "bedrock", match["region"] or region, grammar)
        if parsed.vendor is not None:
            return parsed
    return ModelId(text, route or "bedrock", region, None, None, arn, arn, opaque=True)


def _bare(text: str, rest: str, route: str | None, region: str | None, grammar: Grammar) -> ModelId:
    if rest.count(":") > 1 and (variant := re.fullmatch(_CONTEXT_VARIANT, rest)):
        rest = variant[1]
    head, _, tail = rest.partition(".")
    geo = head if tail and head in grammar.geos and tail.partition(".")[0] in grammar.vendors else None
    base = tail if geo else rest
    prefix, _, name = base.partition(".")
    if name and prefix in grammar.vendors:
        own = route if route in ("bedrock_mantle", "other", "azure") else "bedrock"
        return ModelId(text, own, region, geo, grammar.vendors[prefix], base, name)
    if base.startswith("claude-") and route in (None, "bedrock") and re.fullmatch(_BEDROCK_CLAUDE, base):
        return ModelId(text, "bedrock", region, None, "anthropic", f"anthropic.{base}", base)
    if base.startswith("ft:"):
        base = ":".join(base.split(":")[:2])
    for pattern, vendor, own in grammar.direct:
        if re.fullmatch(pattern, base):
            # Claude on Vertex is written with "@date"; its price is not Anthropic's own.
            vertex = vendor == "anthropic" and "@" in base
            return ModelId(
                text, "google" if vertex else route or own, region, None, vendor, base, base, priced=not vertex
            )
    return ModelId(text, route, region, None, None, base, base)


def family_of(vendor: str, name: str) -> str:
    """The model without date, version and geo: ``claude-haiku-4-5``, ``nova-pro``, ``gpt-4o``.

    ``name`` is an id without vendor and geo prefix. Claude 1 and 2 keep their version, which is all that
    tells them apart.
    """
    name = name.removeprefix("ft:")
    dated = re.fullmatch(_VERSIONED, name.replace("@", "-"))
    model = dated["model"] if dated else name
    match vendor:
        case "anthropic":
            if model == "claude" and dated:
                return f"claude-{dated['version'] or 1}"
            model = re.sub(r"(claude-.*[3-9])\.(\d)", r"\1-\2", model)
            model = re.sub(r"-(?:latest|default)$|(?<=-\d)-0$|-v\d+$", "", model)
        case "openai":
            model = re.sub(r"^(gpt-oss-\d+b)-1$|^(gpt-(?:3\.5-turbo(?:-16k)?|4(?:-32k)?))-\d{4}$", r"\1\2", model)
        case "google":
            model = re.sub(r"-(?:latest|\d{3}|preview-\d\d-\d\d(?:-\d{4})?|preview-\d\d-\d{4})$", "", model)
        case "deepseek" if re.match(r"[rv]\d", model):
            model = f"deepseek-{model}"
    return model
