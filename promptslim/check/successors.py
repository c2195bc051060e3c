"""The id of a model's successor where the old one is written, with what a swap breaks: for a person to apply."""

from __future__ import annotations

from typing import TYPE_CHECKING

from promptslim.core.lazy_pattern import pattern
from promptslim.core.text import Applicability, Fix

if TYPE_CHECKING:
    import ast

    from promptslim.catalog.model_facts import ModelFacts
    from promptslim.check.call_models import WrittenModel
    from promptslim.check.rule_context import RuleContext
    from promptslim.core.call import LlmCall
    from promptslim.edits.calls.source import Source

_VERSION = pattern(r"-v\d+(?::\d+)?$")

TOKENS_MORE = "its vocabulary counts about 30 % more tokens for the same text"
"""Anthropic's token-counting documentation, on Claude Opus 4.7 and later."""

REJECTS = "it rejects an assistant prefill and `budget_tokens`, an Opus temperature, top_p and top_k too"
"""AWS agent-toolkit-for-aws, Bedrock reference (2026-08-20), on Claude 4.7 and later; prefill from 4.6 on."""


def replaced(call: LlmCall, written: WrittenModel, facts: ModelFacts, rule: RuleContext) -> tuple[Fix, ...]:
    """Nothing where the id is put together, where no successor is named, or where the tables do not hold its id."""
    from promptslim.edits.calls.change import checked
    from promptslim.edits.calls.replacements import replace_value
    from promptslim.edits.calls.source import read

    new = _successor_id(written.id, facts, rule)
    at = written.location or call.location
    source = read(at.document)
    node = _constant(source, written) if source is not None and new is not None else None
    if source is None or node is None:
        return ()
    code = source.code(node)
    if code[1:-1] != written.id:
        return ()
    edits = checked(source, [replace_value(source, node, f"{code[0]}{new}{code[-1]}")])
    if edits is None or new is None:
        return ()
    after = rule.model(new)
    traps = "; ".join(_traps(facts, after)) if after is not None else ""
    return (Fix(f"replace it by `{new}`{': ' if traps else ''}{traps}", edits, Applicability.DISPLAY),)


def _constant(source: Source, written: WrittenModel) -> ast.Constant | None:
    """The id where it is known to stand, else (a default, the fallback of a setting) where it stands once."""
    import ast

    known = source.node(written.location, ast.Constant) if written.location is not None else None
    if known is not None and known.value == written.id:
        return known
    found = [node for node in ast.walk(source.tree) if isinstance(node, ast.Constant) and node.value == written.id]
    return found[0] if len(found) == 1 else None


def successor(facts: ModelFacts, rule: RuleContext) -> tuple[str, str] | None:
    """The successor of a model and who names it: the table of its own route, else the vendor for its own API."""
    own = facts.lifecycle
    if own is not None and own.successor:
        return own.successor, own.source
    bare = _VERSION.sub("", facts.base.removeprefix(f"{facts.vendor}."))
    other = rule.model(bare) if bare != facts.base else None
    named = other.lifecycle if other is not None and other.vendor == facts.vendor else None
    return (named.successor, named.source) if named is not None and named.successor else None


def _successor_id(model_id: str, facts: ModelFacts, rule: RuleContext) -> str | None:
    """The successor under the prefixes of the old id. On Bedrock newer Claude models are called through profiles
    only: an id without one gets the global profile."""
    named = successor(facts, rule)
    start = model_id.find(facts.base.removeprefix(f"{facts.vendor}."))
    if named is None or start < 0 or model_id.startswith("arn:"):
        return None
    prefix = model_id[:start]
    vendor = f"{facts.vendor}."
    if facts.route == "bedrock" and facts.geo is None and prefix.endswith(vendor):
        prefix = f"{prefix.removesuffix(vendor)}global.{vendor}"
    new = f"{prefix}{named[0]}"
    after = rule.model(new)
    known = after is not None and after.route == facts.route and after.vendor == facts.vendor
    return new if known and new != model_id else None


def _traps(before: ModelFacts, after: ModelFacts) -> list[str]:
    traps: list[str] = []
    if after.geo == "global" and before.geo is None and before.route == "bedrock":
        traps.append("a profile that may run in any region, take `us.` or `eu.` where data must stay")
    if after.thinks and not before.thinks:
        traps.append("it thinks first, which is spent from the cap")
    if before.vendor == "anthropic" and after.tokenizer != before.tokenizer:
        traps += [REJECTS, TOKENS_MORE]
    if before.cache is not None and after.cache is not None and before.cache.min_certain != after.cache.min_certain:
        traps.append(f"it caches from {after.cache.min_certain:,} tokens, not {before.cache.min_certain:,}")
    return [*traps, "test it on your own cases first"]
