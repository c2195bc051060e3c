"""Findings for people: place, message, source excerpt, impact and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from promptslim.report import escape
from promptslim.report.colour import paint

if TYPE_CHECKING:
    from promptslim.core.finding import Finding
    from promptslim.core.result import CheckResult, Summary
    from promptslim.report.formats import View


def render(result: CheckResult, view: View) -> Iterator[str]:
    """Each finding in a frame, then the summary. Findings of a copy are folded into those of the first."""
    folded: dict[tuple[object, ...], list[str]] = {}
    shown: list[Finding] = []
    for finding in result.findings:
        original = view.copies.get(finding.primary.path)
        if original is not None and (key := _key(finding, original)) in folded:
            folded[key].append(finding.primary.path)
            continue
        folded[_key(finding, finding.primary.path)] = []
        shown.append(finding)
    for finding in shown:
        yield from _frame(finding, folded[_key(finding, finding.primary.path)], view.colour)
    if view.summary:
        yield from summary_lines(result.summary, view.colour)


def _key(finding: Finding, path: str) -> tuple[object, ...]:
    return path, finding.primary.cell, finding.primary.span, finding.code, finding.message


def _frame(finding: Finding, copies: list[str], colour: bool) -> Iterator[str]:
    from promptslim.report.excerpt import excerpt
    from promptslim.report.place import place

    head = paint(place(finding.primary), "bold", colour)
    code = paint(finding.code, finding.severity, colour)
    yield f"{head}: {code} {finding.name} {escape.one_line(finding.message)}\n"
    rows = list(excerpt(finding.primary)) if finding.primary.document.text else []
    width = max((len(number) for number, _ in rows), default=1)
    bar = paint("|", "blue", colour)
    if rows:
        yield f"{' ' * width} {bar}\n"
    for number, text in rows:
        gutter = paint(number.rjust(width), "blue", colour)
        shown = text if number else paint(text, finding.severity, colour)
        yield f"{gutter} {bar} {shown}".rstrip() + "\n"
    if rows:
        yield f"{' ' * width} {bar}\n"
    for label, text in _notes(finding, copies):
        yield f"{' ' * width} {paint('=', 'blue', colour)} {paint(label, 'bold', colour)}: {text}\n"
    yield "\n"


def _notes(finding: Finding, copies: list[str]) -> Iterator[tuple[str, str]]:
    from promptslim.report.place import place
    from promptslim.report.quantity import describe

    if impact := describe(finding.impact):
        yield "impact", escape.one_line(impact)
    for related in finding.related:
        yield "see", f"{place(related.location)}: {escape.one_line(related.note)}"
    for fix in finding.fixes:
        yield "help", escape.one_line(fix.title)
    if copies:
        yield "note", "the same in the identical " + _listed([escape.path(copy) for copy in copies])


def _listed(paths: list[str]) -> str:
    more = f" and {len(paths) - 3} more" if len(paths) > 3 else ""
    return ", ".join(paths[:3]) + more


def summary_lines(summary: Summary, colour: bool) -> Iterator[str]:
    """What was found, left out and not read, for the end of an output."""
    checked = f"{_number(summary.files, 'file')} with {_number(summary.calls, 'LLM call')}"
    found = _number(summary.findings, "finding") if summary.findings else "No findings"
    beside = [
        f"{count} {what}"
        for count, what in (
            (summary.suppressed, "suppressed"),
            (summary.baselined, "in the baseline"),
            (summary.older, "older than the changes"),
            (summary.fixed_in_baseline, "of the baseline fixed (drop with --prune-baseline)"),
        )
        if count
    ]
    head = f"{found} in {checked}" + (f"; {', '.join(beside)}" if beside else "")
    yield paint(head, "bold", colour) + "\n"
    if summary.unread:
        kinds = ", ".join(f"{count} {escape.one_line(suffix)}" for suffix, count in summary.unread)
        total = sum(count for _, count in summary.unread)
        yield f"Not read: {kinds} {'file' if total == 1 else 'files'} with LLM markers\n"


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}" + ("" if count == 1 else "s")
