"""Findings as failed tests in JUnit's XML: a suite for each file, a case for each finding."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from promptslim.core.finding import Finding
from promptslim.core.result import CheckResult
from promptslim.report.escape import one_line
from promptslim.report.file_region import file_region
from promptslim.report.formats import View
from promptslim.report.quantity import describe

# The only characters that pass ``one_line`` and that XML 1.0 does not allow.
_NO_XML = {0xFFFE: "\\ufffe", 0xFFFF: "\\uffff"}


def render(result: CheckResult, view: View) -> Iterator[str]:  # noqa: ARG001 (the same for every view)
    """One document, ASCII only. A run without findings has one case that passes, because an empty report
    reads as a run that did not take place."""
    total = len(result.findings)
    root = Element("testsuites", name="promptslim", tests=str(total or 1), failures=str(total), errors="0")
    for path, findings in groupby(result.findings, key=lambda finding: finding.primary.path):
        _suite(root, _shown(path), list(findings))
    if not result.findings:
        suite = SubElement(root, "testsuite", name="promptslim", tests="1", failures="0", errors="0")
        SubElement(suite, "testcase", classname="promptslim", name="check")
    indent(root, " ")
    yield '<?xml version="1.0" encoding="utf-8"?>\n'
    yield tostring(root, encoding="us-ascii").decode("ascii") + "\n"


def _suite(root: Element, path: str, findings: list[Finding]) -> None:
    number = str(len(findings))
    suite = SubElement(root, "testsuite", name=path, tests=number, failures=number, errors="0")
    names: Counter[str] = Counter()
    for finding in findings:
        line = file_region(finding.primary).line
        name = _shown(f"{finding.code} {finding.name}, line {line}")
        names[name] += 1
        again = f" ({names[name]})" if names[name] > 1 else ""
        case = SubElement(suite, "testcase", classname=path, name=name + again)
        message = _shown(finding.message)
        failure = SubElement(case, "failure", message=message, type=finding.severity)
        impact = _shown(describe(finding.impact))
        failure.text = f"{path}:{line}: {message}" + (f"\nimpact: {impact}" if impact else "")


def _shown(text: str) -> str:
    return one_line(text).translate(_NO_XML)
