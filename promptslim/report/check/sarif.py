"""Findings as SARIF 2.1.0 (OASIS), within the rules of GitHub code scanning for uploads.

No ``security-severity`` and no tag ``security``: the findings are about cost and belong on no security page.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from urllib.parse import quote

from promptslim.core.finding import Finding
from promptslim.core.result import CheckResult
from promptslim.core.text import Applicability, Fix, Location
from promptslim.report.escape import one_line
from promptslim.report.file_region import file_region
from promptslim.report.formats import View
from promptslim.report.impact_order import by_impact
from promptslim.report.quantity import describe

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"

MOST_RESULTS = 25_000
"""Results of one run that code scanning accepts; a file with more is refused whole."""

MOST_RELATED = 100
"""Related places of one result that it shows."""

MOST_TEXT = 1_024
"""Characters of a rule's descriptions."""

_LEVELS = {"error": "error", "warning": "warning", "info": "note"}
_PROBLEMS = {"error": "error", "warning": "warning", "info": "recommendation"}


def render(result: CheckResult, view: View) -> Iterator[str]:
    """One JSON object, ASCII only, with a line break at its end. Rules are those that fired."""
    findings = result.findings
    if len(findings) > MOST_RESULTS:
        kept = {id(finding) for finding in by_impact(findings)[:MOST_RESULTS]}
        findings = tuple(finding for finding in findings if id(finding) in kept)
    fired = {finding.code: finding for finding in reversed(findings)}
    codes = sorted(fired)
    index = dict(zip(codes, count()))
    driver: dict[str, object] = {"name": "promptslim", "rules": [_rule(fired[code], view) for code in codes]}
    if view.version:
        driver["version"] = view.version
    run: dict[str, object] = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "automationDetails": {"id": "promptslim/check/"},
        "results": [_result(finding, index[finding.code]) for finding in findings],
    }
    if left_out := len(result.findings) - len(findings):
        run["properties"] = {"resultsLeftOut": left_out}
    yield json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1) + "\n"


def _rule(finding: Finding, view: View) -> dict[str, object]:
    declared = view.rules.get(finding.code, {})
    severity = declared.get("severity", finding.severity)
    summary = one_line(declared.get("summary", "") or finding.name)[:MOST_TEXT]
    text: dict[str, object] = {"text": summary}
    page = view.page(finding.code)
    return {
        "id": finding.code,
        "name": finding.name,
        "shortDescription": text,
        "fullDescription": text,
        "help": {**text, "markdown": page} if page else text,
        "defaultConfiguration": {"level": _LEVELS[severity]},
        "properties": {
            "problem.severity": _PROBLEMS[severity],
            "precision": declared.get("confidence", finding.confidence),
            "tags": ["llm", "cost", *([declared["family"]] if "family" in declared else [])],
        },
    }


def _result(finding: Finding, rule_index: int) -> dict[str, object]:
    related = finding.related[:MOST_RELATED]
    result: dict[str, object] = {
        "ruleId": finding.code,
        "ruleIndex": rule_index,
        "level": _LEVELS[finding.severity],
        "message": {"text": _message(finding)},
        "locations": [{"physicalLocation": _physical(finding.primary)}],
        "partialFingerprints": {"primaryLocationLineHash": finding.fingerprint},
    }
    if related:
        result["relatedLocations"] = [
            {"id": number, "physicalLocation": _physical(place.location), "message": {"text": _unlinked(place.note)}}
            for number, place in enumerate(related, 1)
        ]
    # Places in the JSON of a notebook are not known well enough to edit it.
    fixes = [_fix(fix) for fix in finding.fixes if _editable(fix)]
    if fixes:
        result["fixes"] = fixes
    return result


def _message(finding: Finding) -> str:
    """The message, what it costs, and links to the related places, which are shown only where linked."""
    parts = [_unlinked(finding.message)]
    if impact := describe(finding.impact):
        parts.append(f"Impact: {_unlinked(impact)}")
    for number, place in enumerate(finding.related[:MOST_RELATED], 1):
        note = one_line(place.note).translate({ord("["): "(", ord("]"): ")", ord("\\"): "/"})
        parts.append(f"See [{note or 'this place'}]({number})")
    return ". ".join(parts)


def _unlinked(text: str) -> str:
    """Text in which nothing reads as a link of a SARIF message."""
    return one_line(text).replace("](", "] (")


def _physical(location: Location) -> dict[str, object]:
    return {"artifactLocation": _artifact(location), "region": _region(location)}


def _artifact(location: Location) -> dict[str, object]:
    try:
        data = location.path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        data = location.path.encode("utf-8", "surrogatepass")
    return {"uri": quote(data, safe="/"), "uriBaseId": "%SRCROOT%"}


def _region(location: Location) -> dict[str, int]:
    """All four numbers, which code scanning wants; in a notebook the first character of the raw lines."""
    region = file_region(location)
    return {
        "startLine": region.line,
        "startColumn": region.column or 1,
        "endLine": region.end_line,
        "endColumn": region.end_column or 2,
    }


def _editable(fix: Fix) -> bool:
    in_files = all(edit.location.cell is None for edit in fix.edits)
    return bool(fix.edits) and in_files and fix.applicability is not Applicability.DISPLAY


def _fix(fix: Fix) -> dict[str, object]:
    replacements: dict[str, list[dict[str, object]]] = {}
    artifacts: dict[str, dict[str, object]] = {}
    for edit in fix.edits:
        path = edit.location.path
        artifacts[path] = _artifact(edit.location)
        replacements.setdefault(path, []).append(
            {"deletedRegion": _exact(edit.location), "insertedContent": {"text": edit.text}}
        )
    return {
        "description": {"text": _unlinked(fix.title)},
        "artifactChanges": [
            {"artifactLocation": artifacts[path], "replacements": done} for path, done in replacements.items()
        ],
    }


def _exact(location: Location) -> dict[str, int]:
    """The region to replace, with a line break at its end if it has one."""
    (line, column), (end_line, end_column) = location.start, location.end
    return {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column}
