"""Findings as GitHub workflow commands, which a job shows as annotations of the changed lines.

Format and limits: GitHub's documentation of workflow commands. Ten annotations of each level are kept per step
and the rest is dropped silently, so the dearest findings are given and the number of the others is said.
"""

from __future__ import annotations

from collections.abc import Iterator

from promptslim.core.finding import Finding
from promptslim.core.result import CheckResult
from promptslim.report.escape import one_line
from promptslim.report.file_region import file_region
from promptslim.report.formats import View
from promptslim.report.impact_order import by_impact
from promptslim.report.quantity import describe

PER_LEVEL = 10
"""Annotations of one level that a step shows."""

LENGTH = 200
"""Characters of a message that are given."""

_LEVELS = {"error": "error", "warning": "warning", "info": "notice"}


def render(result: CheckResult, view: View) -> Iterator[str]:
    """One command a line, the dearest finding of each level first."""
    levels: dict[str, list[Finding]] = {"error": [], "warning": [], "notice": []}
    for finding in by_impact(result.findings):
        levels[_LEVELS[finding.severity]].append(finding)
    left_out = any(len(findings) > PER_LEVEL for findings in levels.values())
    shown = 0
    for level, findings in levels.items():
        # The last line is a notice itself.
        limit = PER_LEVEL - 1 if left_out and level == "notice" else PER_LEVEL
        for finding in findings[:limit]:
            shown += 1
            yield _command(level, finding)
    if left_out:
        where = "the job summary" if view.summarised else "--output-format markdown"
        more = f"{len(result.findings) - shown:,} more findings; {where} lists all"
        yield f"::notice title=promptslim::{_data(more)}\n"


def _command(level: str, finding: Finding) -> str:
    region = file_region(finding.primary)
    properties = {"file": one_line(finding.primary.path), "line": str(region.line), "endLine": str(region.end_line)}
    # Columns of a place of several lines are refused.
    if region.column is not None and region.line == region.end_line:
        properties |= {"col": str(region.column), "endColumn": str(region.end_column)}
    properties["title"] = one_line(f"{finding.code} {finding.name}")
    impact = describe(finding.impact)
    message = one_line(f"{finding.message} ({impact})" if impact else finding.message)
    if len(message) > LENGTH:
        message = message[: LENGTH - 1] + "…"
    return f"::{level} {','.join(f'{key}={_property(text)}' for key, text in properties.items())}::{_data(message)}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
