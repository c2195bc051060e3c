"""PS602: a full-price call is repeated because its answer did not parse or validate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from promptslim.check.wording import code
from promptslim.core.call import RetrySite
from promptslim.core.finding import Finding, Related
from promptslim.core.record import replace

if TYPE_CHECKING:
    from promptslim.check.rule_context import RuleContext


def output_retry_loop(site: RetrySite, rule: RuleContext) -> Iterator[Finding]:
    """Only for a failure of the answer's form; throttling, timeouts and readiness are another matter."""
    if site.retry.cause != "malformed":
        return
    sends = (
        "sends the whole request again" if site.direct else f"makes {code(site.callee)} send the whole request again"
    )
    finding = rule.finding(
        f"an answer that does not parse or validate ({code(site.retry.evidence)}) {sends}, at full price for input and "
        "output: have the form enforced (a tool or JSON schema), or repair the answer",
        site.primary,
        confidence=None if site.direct else "medium",
        evidence=f"{site.scope} {site.callee}",
        related=(Related(site.retry.location, "this leads back to the call"),),
    )
    yield replace(finding, scope=site.scope, scope_location=site.scope_location, sdk=site.sdk)
