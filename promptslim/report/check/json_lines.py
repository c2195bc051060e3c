"""Findings for programs that read line by line: the finding objects of the JSON contract, one a line."""

from __future__ import annotations

import json
from collections.abc import Iterator

from promptslim.core.result import CheckResult
from promptslim.report.check.json import fields
from promptslim.report.formats import View


def render(result: CheckResult, view: View) -> Iterator[str]:  # noqa: ARG001 (the same for every view)
    """One JSON object a line, ASCII only; nothing where there is no finding."""
    for finding in result.findings:
        yield json.dumps(fields(finding)) + "\n"
