"""Findings for people, a line each, under the file they are in."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from promptslim.core.finding import Finding
from promptslim.core.result import CheckResult
from promptslim.report import escape
from promptslim.report.check.text import summary_lines
from promptslim.report.colour import paint
from promptslim.report.formats import View
from promptslim.report.quantity import describe


def render(result: CheckResult, view: View) -> Iterator[str]:
    """Each file with its findings in columns and a blank line behind them, then the summary."""
    for path, group in groupby(result.findings, key=lambda finding: finding.primary.path):
        findings = list(group)
        places = [_place(finding) for finding in findings]
        width = max(map(len, places))
        yield paint(escape.path(path), "bold", view.colour) + "\n"
        for place, finding in zip(places, findings, strict=True):
            code = paint(finding.code, finding.severity, view.colour)
            impact = describe(finding.impact)
            message = escape.one_line(f"{finding.message} [{impact}]" if impact else finding.message)
            yield f"  {place.ljust(width)}  {code} {finding.name} {message}\n"
        yield "\n"
    if view.summary:
        yield from summary_lines(result.summary, view.colour)


def _place(finding: Finding) -> str:
    line, column = finding.primary.start
    cell = "" if finding.primary.cell is None else f"cell {finding.primary.cell}:"
    return f"{cell}{line}:{column}"
