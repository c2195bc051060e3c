"""Findings as a GitLab code quality report (GitLab documentation, "Code Quality", report format)."""

from __future__ import annotations

import json
from collections.abc import Iterator

from promptslim.core.result import CheckResult
from promptslim.report.escape import one_line
from promptslim.report.file_region import file_region
from promptslim.report.formats import View

_SEVERITIES = {"error": "major", "warning": "minor", "info": "info"}


def render(result: CheckResult, view: View) -> Iterator[str]:  # noqa: ARG001 (the same for every view)
    """One JSON array, ASCII only, with a line break at its end. Fingerprints are those of the findings,
    which differ even between findings of one text: GitLab folds equal ones."""
    report = [
        {
            "description": one_line(finding.message),
            "check_name": f"{finding.code} {finding.name}",
            "fingerprint": finding.fingerprint,
            "severity": _SEVERITIES[finding.severity],
            "location": {
                "path": one_line(finding.primary.path),
                "lines": {"begin": file_region(finding.primary).line},
            },
        }
        for finding in result.findings
    ]
    yield json.dumps(report, indent=1) + "\n"
