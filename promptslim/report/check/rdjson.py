"""Findings in reviewdog's diagnostic format (``reviewdog.proto``), for reviewdog and editors."""

from __future__ import annotations

import json
from collections.abc import Iterator

from promptslim.core.finding import Finding
from promptslim.core.result import CheckResult
from promptslim.core.text import Applicability, Document, Location
from promptslim.report.escape import one_line
from promptslim.report.file_region import file_region
from promptslim.report.formats import View

_SEVERITIES = {"error": "ERROR", "warning": "WARNING", "info": "INFO"}


def render(result: CheckResult, view: View) -> Iterator[str]:  # noqa: ARG001 (the same for every view)
    """One JSON object, ASCII only, with a line break at its end. Columns count bytes of UTF-8."""
    report = {"source": {"name": "promptslim"}, "diagnostics": [_diagnostic(one) for one in result.findings]}
    yield json.dumps(report, indent=1) + "\n"


def _diagnostic(finding: Finding) -> dict[str, object]:
    place = finding.primary
    diagnostic: dict[str, object] = {
        "message": one_line(f"{finding.name}: {finding.message}"),
        "location": {"path": one_line(place.path), "range": _lines(place) if place.cell is not None else _range(place)},
        "severity": _SEVERITIES[finding.severity],
        "code": {"value": finding.code},
    }
    if suggestions := list(_suggestions(finding)):
        diagnostic["suggestions"] = suggestions
    return diagnostic


def _suggestions(finding: Finding) -> Iterator[dict[str, object]]:
    """Fixes that are safe, of one edit (each suggestion is applied by itself), in the file of the finding
    and not in the JSON of a notebook."""
    for fix in finding.fixes:
        if fix.applicability is not Applicability.SAFE or len(fix.edits) != 1:
            continue
        (edit,) = fix.edits
        if edit.location.path == finding.primary.path and edit.location.cell is None:
            yield {"range": _range(edit.location), "text": edit.text}


def _range(location: Location) -> dict[str, object]:
    return {
        "start": _position(location.document, location.span.start),
        "end": _position(location.document, location.span.end),
    }


def _lines(location: Location) -> dict[str, object]:
    region = file_region(location)
    return {"start": {"line": region.line}, "end": {"line": region.end_line}}


def _position(document: Document, offset: int) -> dict[str, int]:
    line, column = document.position(offset)
    before = document.text[offset - column + 1 : offset]
    return {"line": line, "column": len(before.encode("utf-8", "surrogatepass")) + 1}
