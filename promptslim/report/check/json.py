"""Findings for programs: version 1 of the JSON contract (fixtures/formats/check-v1.schema.json)."""

from __future__ import annotations

import json
from collections.abc import Iterator

from promptslim.core.finding import Finding, Impact
from promptslim.core.result import CheckResult
from promptslim.core.text import Applicability
from promptslim.report.formats import View

_FIXABLE = {Applicability.SAFE: "safe", Applicability.UNSAFE: "unsafe", Applicability.DISPLAY: "display"}


def render(result: CheckResult, view: View) -> Iterator[str]:  # noqa: ARG001 (the same for every view)
    """One JSON object, ASCII only, with a line break at its end."""
    yield json.dumps(contract(result), indent=1) + "\n"


def contract(result: CheckResult) -> dict[str, object]:
    """The whole result, as the contract has it."""
    summary = result.summary
    return {
        "version": 1,
        "findings": [fields(finding) for finding in result.findings],
        "errors": [{"path": e.path, "line": e.line, "message": e.message} for e in result.errors],
        "summary": {
            "files": summary.files,
            "calls": summary.calls,
            "findings": summary.findings,
            "suppressed": summary.suppressed,
            "baselined": summary.baselined,
        },
    }


def fields(finding: Finding) -> dict[str, object]:
    """The object of one finding, as the contract has it."""
    line, column = finding.primary.start
    end_line, end_column = finding.primary.end
    scope = finding.scope_location
    return {
        "code": finding.code,
        "name": finding.name,
        "severity": finding.severity,
        "confidence": finding.confidence,
        "path": finding.primary.path,
        "cell": finding.primary.cell,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
        "scope": finding.scope,
        "scope_lines": None if scope is None else [scope.start[0], _last_line(scope.start[0], *scope.end)],
        "message": finding.message,
        "sdk": finding.sdk,
        "model": finding.model,
        "impact": _impact(finding.impact),
        "fixable": _FIXABLE[max(fix.applicability for fix in finding.fixes)] if finding.fixes else "no",
        "fingerprint": finding.fingerprint,
    }


def _last_line(first: int, line: int, column: int) -> int:
    """The last line of a range, which does not include a line that it only touches."""
    return line - 1 if column == 1 and line > first else line


def _impact(impact: Impact) -> dict[str, object]:
    """``usd_per_1k_calls`` is a JSON number rounded to a millionth of a dollar."""
    dollars = impact.usd_per_1k_calls
    return {
        "input_tokens_per_call": impact.input_tokens_per_call,
        "output_tokens_per_call": impact.output_tokens_per_call,
        "usd_per_1k_calls": None if dollars is None else float(round(dollars, 6)),
        "basis": impact.basis,
    }
