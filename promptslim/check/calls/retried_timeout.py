"""PS603: a long answer on a client whose read timeout ends the wait and sends the request again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from promptslim.check.answer_demands import greeting, short_answer
from promptslim.check.call_models import certain_model, writes_text
from promptslim.check.cap_values import waits_for_whole_answer, written_caps
from promptslim.core.call import ClientFacts, LlmCall
from promptslim.core.finding import Finding, Related
from promptslim.core.values import Absent, Field, Known

if TYPE_CHECKING:
    from promptslim.check.rule_context import RuleContext

BOTO3 = ("boto3.converse", "boto3.invoke_model")
FAST_TIER = "tiny"
"""Models of this tier are taken to write twice as fast (assumed)."""


def retried_timeout(call: LlmCall, rule: RuleContext) -> Iterator[Finding]:
    """Where a full answer would have to be written faster than ``tokens-per-second`` to arrive in time.

    Silent where the client is not visible, where it retries nothing, and where the prompt asks for little.
    """
    defaults = rule.catalog.thresholds
    timeout = _timeout(call.client, defaults["read_timeout_seconds"])
    attempts = _attempts(call.client.attempts, int(defaults["read_timeout_attempts"]))
    if call.sdk not in BOTO3 or timeout is None or attempts is None or not waits_for_whole_answer(call):
        return
    model = certain_model(call, rule)
    cap = max((cap for _, cap in written_caps(call)), default=0)
    if model is not None and model.max_output is not None:
        cap = min(cap, model.max_output)
    speed = int(str(rule.options["tokens-per-second"])) * (2 if model and model.tier == FAST_TIER else 1)
    if cap <= speed * timeout or not writes_text(call, rule):
        return
    if short_answer(call, rule.catalog.phrases) or greeting(call, rule.catalog.phrases):
        return
    constructed = call.client.location
    yield rule.finding(
        f"an answer as long as the cap ({cap:,} tokens) has to be written at {cap / timeout:,.0f} tokens per second to "
        f"arrive within the read timeout of {timeout:g} s; after it the request is sent again, {attempts}, and "
        "still fails: stream it, or set read_timeout and retries in the client's Config",
        call.primary,
        call=call,
        evidence=f"{call.scope} {call.callee}",
        related=(Related(constructed, "the client"),) if constructed else (),
    )


def _timeout(client: ClientFacts, default: float) -> float | None:
    if client.constructor is None:
        return None
    match client.read_timeout.only:
        case Absent():
            return default
        case Known(value=int() | float() as seconds) if seconds > 0:
            return seconds
        case _:
            return None


def _attempts(attempts: Field[int], default: int) -> str | None:
    """How often the request is sent in all; None where that is once, or not known."""
    match attempts.only:
        case Absent():
            return f"{default} times in all (5 in the legacy mode of botocore before 1.44)"
        case Known(value=int() as times) if times > 1:
            return f"{times} times in all"
        case _:
            return None
