"""PS604: cost arithmetic that leaves out cached tokens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from promptslim.check.wording import code
from promptslim.core.finding import Finding
from promptslim.core.text import Location
from promptslim.core.usage import UsageArithmetic

if TYPE_CHECKING:
    from promptslim.check.rule_context import RuleContext


def uncounted_cache_tokens(usage: UsageArithmetic, rule: RuleContext) -> Iterator[Finding]:
    """Where the input count excludes cached tokens, nothing near reads them, and the same file caches.

    Silent where the count includes them (OpenAI's ``prompt_tokens``), and where nothing is cached.
    """
    inputs = [name for name in usage.fields if "input" in name.lower()]
    if usage.cached or usage.inclusive or not usage.caching or not inputs:
        return
    names = (
        "cacheReadInputTokens and cacheWriteInputTokens"
        if inputs[0][:6] == "inputT"
        else "cache_read_input_tokens and cache_creation_input_tokens"
    )
    finding = rule.finding(
        f"{code(inputs[0])} excludes cached tokens, and this file sets cache markers: the cost leaves out {names}, "
        "which are billed at rates of their own",
        usage.location,
        evidence=f"{usage.scope} {' '.join(usage.fields)}",
    )
    scope = Location(usage.location.document, usage.scope_span) if usage.scope_span else None
    yield replace(finding, scope=usage.scope or None, scope_location=scope)
