"""The order in which the dearest finding comes first."""

from __future__ import annotations

from collections.abc import Iterable

from promptslim.core.finding import SEVERITIES, Finding


def by_impact(findings: Iterable[Finding]) -> list[Finding]:
    """Findings by dollars per call, then tokens per call, then severity, each falling; equals keep their
    order. A finding without a figure stands behind those with one: unknown is not zero, but it is no rank."""
    return sorted(findings, key=_rank)


def _rank(finding: Finding) -> tuple[bool, float, bool, int, int]:
    impact = finding.impact
    dollars = impact.usd_per_1k_calls
    counts = [count for count in (impact.input_tokens_per_call, impact.output_tokens_per_call) if count is not None]
    return (
        dollars is None,
        -float(dollars or 0),
        not counts,
        -sum(counts),
        -SEVERITIES.index(finding.severity),
    )
