"""Findings as a Markdown table, for the summary of a CI job.

The text of a finding may quote a prompt, so the table says what the rule finds instead.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from promptslim.core.finding import Finding
from promptslim.core.result import CheckResult
from promptslim.report.escape import one_line
from promptslim.report.formats import View
from promptslim.report.impact_order import by_impact
from promptslim.report.quantity import describe

_PLAIN = frozenset(" /.,;()-")


def render(result: CheckResult, view: View) -> Iterator[str]:
    """Counts, then one row for each finding, the dearest first; rows that do not fit are counted."""
    yield f"### promptslim: {_number(len(result.findings), 'finding')}\n\n"
    yield _counts(result) + "\n"
    if not result.findings:
        return
    yield "\n| Severity | Rule | Place | What it finds | Impact |\n| --- | --- | --- | --- | --- |\n"
    size = 0
    for shown, finding in enumerate(by_impact(result.findings)):
        row = _row(finding, view)
        size += len(row.encode())
        if size > view.room:
            yield f"\n{_number(len(result.findings) - shown, 'more finding')} left out.\n"
            return
        yield row


def _counts(result: CheckResult) -> str:
    summary = result.summary
    severities = Counter(finding.severity for finding in result.findings)
    counts = [_number(severities["error"], "error")] if severities["error"] else []
    counts += [_number(severities["warning"], "warning")] if severities["warning"] else []
    counts += [f"{severities['info']:,} info"] if severities["info"] else []
    beside = (
        (summary.suppressed, "suppressed"),
        (summary.baselined, "in the baseline"),
        (summary.older, "older than the changes"),
    )
    for count, what in beside:
        if count:
            counts.append(f"{count:,} {what}")
    checked = f"{_number(summary.files, 'file')} with {_number(summary.calls, 'LLM call')}"
    return f"{', '.join(counts)} in {checked}." if counts else f"{checked} checked."


def _row(finding: Finding, view: View) -> str:
    line, _ = finding.primary.start
    cell = "" if finding.primary.cell is None else f" cell {finding.primary.cell}"
    what = view.rules.get(finding.code, {}).get("summary", "") or finding.name
    cells = (
        finding.severity,
        f"{finding.code} {_literal(finding.name)}",
        f"<code>{_literal(finding.primary.path)}</code>{cell} line {line}",
        _literal(what),
        _literal(describe(finding.impact)) or "\N{EN DASH}",
    )
    return f"| {' | '.join(cells)} |\n"


def _literal(text: str) -> str:
    """Text that Markdown shows as it is: a character reference is never markup, a mention of a user or an
    issue, an emoji or a formula."""
    return "".join(
        char if char in _PLAIN or char.isalnum() or not char.isascii() else f"&#{ord(char)};" for char in one_line(text)
    )


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}" + ("" if count == 1 else "s")
