"""PS604: cost arithmetic that leaves out cached tokens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from promptslim.check.wording import code
from promptslim.core.facts import FileFacts
from promptslim.core.finding import Finding
from promptslim.core.record import replace
from promptslim.core.text import Location
from promptslim.core.usage import UsageArithmetic

if TYPE_CHECKING:
    from promptslim.check.rule_context import RuleContext


def uncounted_cache_tokens(file: FileFacts, rule: RuleContext) -> Iterator[Finding]:
    """Where the input count excludes cached tokens and nothing near reads them: in a file that caches, and at
    low confidence in one without any call, which prices the usage of others.

    Silent where the count includes cached tokens (OpenAI's ``prompt_tokens``), and where the file's own calls
    cache nothing.
    """
    for usage in file.arithmetic:
        inputs = [name for name in usage.fields if "input" in name.lower()]
        if inputs and not usage.cached and not usage.inclusive and (usage.caching or not file.calls):
            yield _finding(usage, inputs[0], rule)


def _finding(usage: UsageArithmetic, field: str, rule: RuleContext) -> Finding:
    missing = "cache_read_input_tokens and cache_creation_input_tokens"
    if field.startswith("inputT"):
        missing = "cacheReadInputTokens and cacheWriteInputTokens"
    when = "this file sets cache markers" if usage.caching else "nothing here adds them where prompts are cached"
    finding = rule.finding(
        f"{code(field)} excludes cached tokens, and {when}: the cost leaves out {missing}, which are billed at rates "
        "of their own",
        usage.location,
        evidence=f"{usage.scope} {' '.join(usage.fields)}",
        confidence=None if usage.caching else "low",
    )
    scope = Location(usage.location.document, usage.scope_span) if usage.scope_span else None
    return replace(finding, scope=usage.scope or None, scope_location=scope)
