"""PS502: a model past or near its end of life, or already on dearer extended pricing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from promptslim.check.call_models import written_models
from promptslim.check.successors import replaced, successor
from promptslim.check.wording import day
from promptslim.core.call import LlmCall
from promptslim.core.finding import Finding, Severity
from promptslim.core.values import Known, Present

if TYPE_CHECKING:
    from promptslim.catalog.model_facts import Lifecycle, ModelFacts
    from promptslim.check.rule_context import RuleContext


SECOND_HAND = "litellm"
"""A price map that lists dates of deprecation, which providers may move: said less surely than their own page."""

SERVES_ONE_VENDOR = {
    "anthropic.messages": "anthropic",
    "anthropic.completions": "anthropic",
    "langchain.ChatAnthropic": "anthropic",
    "llama_index.Anthropic": "anthropic",
    "strands.AnthropicModel": "anthropic",
}


def retired_model(call: LlmCall, rule: RuleContext) -> Iterator[Finding]:
    """One finding for each model id of the call that has a dated end; at the id where it stands in the
    call's file, so that calls that share a constant share the finding."""
    if _deployed_elsewhere(call):
        return
    for written in written_models(call):
        facts = rule.model(written.id)
        if facts is None or facts.lifecycle is None or facts.kind != "chat":
            continue
        if SERVES_ONE_VENDOR.get(call.sdk, facts.vendor) != facts.vendor:
            continue
        verdict = _verdict(facts.lifecycle, rule)
        if verdict is None:
            continue
        text, severity = verdict
        sure = written.certain and not facts.lifecycle.source.startswith(SECOND_HAND)
        yield rule.finding(
            f"{facts.base} {text}{_successor(facts, rule)} ({facts.lifecycle.source})",
            written.place(call),
            call=call,
            evidence=written.id,
            severity=severity,
            confidence=None if sure else "medium",
            fixes=replaced(call, written, facts, rule),
        )


def _deployed_elsewhere(call: LlmCall) -> bool:
    """Azure has ends of life of its own, and so has a server behind an address of its own."""
    if "Azure" in call.sdk or "Azure" in (call.client.constructor or ""):
        return True
    url = call.client.base_url.only
    return isinstance(url, Present) or (isinstance(url, Known) and "api.openai.com" not in url.value)


def _verdict(lifecycle: Lifecycle, rule: RuleContext) -> tuple[str, Severity] | None:
    end, extended = lifecycle.end, lifecycle.extended
    if end is not None and end <= rule.today:
        if lifecycle.source.startswith(SECOND_HAND):
            return f"has been due for retirement since {day(end)}", "warning"
        return f"reached its end of life on {day(end)}: requests fail", "error"
    if extended is not None and extended <= rule.today:
        until = f", until its end of life on {day(end)}" if end else ""
        return f"is on dearer extended pricing since {day(extended)}{until}", "warning"
    if end is not None and (end - rule.today).days <= int(str(rule.options["days"])):
        return f"reaches its end of life on {day(end)}, in {(end - rule.today).days} days", "warning"
    return None


def _successor(facts: ModelFacts, rule: RuleContext) -> str:
    """Who names it is told where that is not who names the end."""
    named = successor(facts, rule)
    if named is None or facts.lifecycle is None:
        return ""
    by = "" if facts.lifecycle.successor else f" by {named[1]}"
    return f"; {named[0]} is named as its successor{by}"
