"""PS602: a full-price call is repeated because its answer did not parse or validate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from promptslim.check.wording import code
from promptslim.core.call import LlmCall
from promptslim.core.finding import Finding, Related

if TYPE_CHECKING:
    from promptslim.check.rule_context import RuleContext


def output_retry_loop(call: LlmCall, rule: RuleContext) -> Iterator[Finding]:
    """Only for a failure of the answer's form; throttling, timeouts and readiness are another matter."""
    retry = call.control.retry
    if retry is None or retry.cause != "malformed":
        return
    yield rule.finding(
        f"an answer that does not parse or validate ({code(retry.evidence)}) sends the whole request again, at full "
        "price for input and output: have the form enforced (a tool or JSON schema), or repair the answer",
        call.primary,
        call=call,
        evidence=f"{call.scope} {call.callee}",
        related=(Related(retry.location, "this leads back to the call"),),
    )
