"""PS502: a model past or near its end of life, or already on dearer extended pricing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from promptslim.check.wording import day
from promptslim.core.call import LlmCall
from promptslim.core.finding import Confidence, Finding, Severity
from promptslim.core.text import Location
from promptslim.core.values import Case, Known, Present

if TYPE_CHECKING:
    from promptslim.catalog.model_facts import Lifecycle
    from promptslim.check.rule_context import RuleContext


def retired_model(call: LlmCall, rule: RuleContext) -> Iterator[Finding]:
    """One finding for each model id of the call that has a dated end; at the id where it stands in the
    call's file, so that calls that share a constant share the finding."""
    said: set[str] = set()
    for case in call.model:
        model_id, at, confidence = _written(case)
        facts = rule.model(model_id)
        if model_id in said or facts is None or facts.lifecycle is None or facts.kind != "chat":
            continue
        verdict = _verdict(facts.lifecycle, rule)
        if verdict is None:
            continue
        said.add(str(model_id))
        text, severity = verdict
        yield rule.finding(
            f"{facts.base} {text}{_successor(facts.lifecycle)} ({facts.lifecycle.source})",
            at if at is not None and at.path == call.location.path else call.primary,
            call=call,
            evidence=str(model_id),
            severity=severity,
            confidence=confidence,
        )


def _written(case: Case[str]) -> tuple[str | None, Location | None, Confidence | None]:
    """The id that stands in the code. The fallback of a setting may be overridden: medium confidence."""
    match case.value:
        case Known(value=str(model_id), location=at):
            return model_id, at, None
        case Present(fallback=str(model_id), location=at):
            return model_id, at, "medium"
        case _:
            return None, None, None


def _verdict(lifecycle: Lifecycle, rule: RuleContext) -> tuple[str, Severity] | None:
    end, extended = lifecycle.end, lifecycle.extended
    if end is not None and end <= rule.today:
        return f"reached its end of life on {day(end)}: requests fail", "error"
    if extended is not None and extended <= rule.today:
        until = f", until its end of life on {day(end)}" if end else ""
        return f"is on dearer extended pricing since {day(extended)}{until}", "warning"
    if end is not None and (end - rule.today).days <= int(str(rule.options["days"])):
        return f"reaches its end of life on {day(end)}, in {(end - rule.today).days} days", "warning"
    return None


def _successor(lifecycle: Lifecycle) -> str:
    return f"; {lifecycle.successor} is named as its successor" if lifecycle.successor else ""
