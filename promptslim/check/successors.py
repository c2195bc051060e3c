"""The id of a model's successor where the old one is written, with what a swap breaks: for a person to apply."""

from __future__ import annotations

from typing import TYPE_CHECKING

from promptslim.core.text import Applicability, Fix

if TYPE_CHECKING:
    from promptslim.catalog.model_facts import ModelFacts
    from promptslim.check.call_models import WrittenModel
    from promptslim.check.rule_context import RuleContext

TOKENS_MORE = "its vocabulary counts about 30 % more tokens for the same text"
"""Anthropic's token-counting documentation, on Claude Opus 4.7 and later."""

REJECTS = "it rejects an assistant prefill and `budget_tokens`, an Opus temperature, top_p and top_k too"
"""AWS agent-toolkit-for-aws, Bedrock reference (2026-08-20), on Claude 4.7 and later; prefill from 4.6 on."""


def replaced(written: WrittenModel, facts: ModelFacts, rule: RuleContext) -> tuple[Fix, ...]:
    """Nothing where the id is put together, where no successor is named, or where the tables do not hold its id."""
    import ast

    from promptslim.edits.calls.change import checked
    from promptslim.edits.calls.replacements import replace_value
    from promptslim.edits.calls.source import read

    new = _successor_id(written.id, facts, rule)
    source = read(written.location.document) if written.location is not None else None
    if new is None or source is None or written.location is None:
        return ()
    node = source.node(written.location, ast.Constant)
    code = source.code(node) if node is not None else ""
    if node is None or node.value != written.id or code[1:-1] != written.id:
        return ()
    edits = checked(source, [replace_value(source, node, f"{code[0]}{new}{code[-1]}")])
    if edits is None:
        return ()
    after = rule.model(new)
    traps = "; ".join(_traps(facts, after)) if after is not None else ""
    return (Fix(f"replace it by `{new}`{': ' if traps else ''}{traps}", edits, Applicability.DISPLAY),)


def _successor_id(model_id: str, facts: ModelFacts, rule: RuleContext) -> str | None:
    """The successor under the prefixes of the old id. On Bedrock newer Claude models are called through profiles
    only: an id without one gets the global profile."""
    successor = facts.lifecycle.successor if facts.lifecycle is not None else None
    start = model_id.find(facts.base.removeprefix(f"{facts.vendor}."))
    if successor is None or start < 0 or model_id.startswith("arn:"):
        return None
    prefix = model_id[:start]
    vendor = f"{facts.vendor}."
    if facts.route == "bedrock" and facts.geo is None and prefix.endswith(vendor):
        prefix = f"{prefix.removesuffix(vendor)}global.{vendor}"
    new = f"{prefix}{successor}"
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
