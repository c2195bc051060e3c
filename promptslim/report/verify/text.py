"""A comparison for the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from promptslim.core.verification import ChangedItem, Verification
from promptslim.report import escape
from promptslim.report.colour import paint
from promptslim.report.difference import difference
from promptslim.report.verify import words

SHOWN = 20
"""Changed tests that are shown; the HTML and JSON reports have all."""

LINES = 12
"""Lines of the diff of an answer."""

LONG = 400
"""Characters of a line of it."""

_STYLES = {"PASS": "green", "FAIL": "error", "INCONCLUSIVE": "warning"}


def render(report: Verification, colour: bool = False, width: int | None = None) -> Iterator[str]:
    """The lines of the report; ``width`` of a terminal that they are to fit into (None: they stay whole)."""
    verdict = paint(report.decision, _STYLES[report.decision], colour)
    yield f"{verdict} {escape.one_line(report.prompt)}, {escape.one_line(report.suite)}\n"
    yield f"  {escape.one_line(report.reason)}\n\n"
    yield from _table(report)
    yield words.fact("", words.basis(report), 0, width) + "\n"
    for name, value in _facts(report):
        yield words.fact(name, value, 9, width)
    if report.before_text != report.after_text:
        yield "\n"
        for line in _compared("prompt", report.before_text, report.after_text, colour):
            yield f"  {line}"
    shown = report.changed[:SHOWN]
    for item in shown:
        yield "\n"
        yield from _item(item, colour)
    if len(report.changed) > len(shown):
        yield f"\n  and {len(report.changed) - len(shown)} more changed tests; --html and --json show all\n"


def _table(report: Verification) -> Iterator[str]:
    rows = [("", "original", "shorter", ""), *words.rows(report)]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for name, before, after, change in rows:
        line = f"  {name:<{widths[0]}}  {before:>{widths[1]}}  {after:>{widths[2]}}  {change:>{widths[3]}}"
        yield line.rstrip() + "\n"


def _facts(report: Verification) -> Iterator[tuple[str, str]]:
    yield "loss", words.loss(report)
    yield "margin", f"{words.points(report.margin)} points"
    yield "tests", words.size(report)
    if need := words.more(report):
        yield "needs", need
    for part in report.critical:
        worse = f"{len(part.worse)} got worse" if part.worse else f"none got worse; up to {100 * part.upper:.1f} % may"
        yield "critical", f"{part.name}: {part.items} tests, {worse}"
    for noise in report.noise:
        yield (
            "noise",
            f"{noise.grader}: {100 * noise.discordance:.0f} % of {noise.items} tests, original against itself",
        )
    yield "look", words.look(report)
    yield "model", report.model if report.model == report.resolved else f"{report.model} ({report.resolved})"
    yield "spent", words.spent(report)
    for note in report.notes:
        yield "note", note
    if report.lock:
        yield "proof", f"{report.lock}, {report.evidence}"
    elif report.decision == "INCONCLUSIVE":
        yield "proof", "none was written: the tests were not opened"


def _item(item: ChangedItem, colour: bool) -> Iterator[str]:
    style = {"regression": "red", "improvement": "green", "ungraded": "warning"}[item.kind]
    reason = f": {escape.one_line(item.reason)[:200]}" if item.reason else ""
    grades = f"{_grade(item.old)} to {_grade(item.new)}"
    yield f"  {paint(item.kind, style, colour)} {escape.one_line(item.item)} ({grades}){reason}\n"
    if item.old_text is None or item.new_text is None:
        return
    lines = list(_compared("answer", item.old_text, item.new_text, colour))[2:]
    for line in lines[:LINES]:
        yield f"    {line}" if len(line) <= LONG else f"    {line[:LONG]}...\n"
    if len(lines) > LINES:
        yield f"    ... {len(lines) - LINES} more lines\n"


def _compared(name: str, before: str, after: str, colour: bool) -> Iterator[str]:
    """The diff of two texts. That neither ends a line says nothing."""
    if not (before.endswith("\n") or after.endswith("\n")):
        before, after = f"{before}\n", f"{after}\n"
    return difference(name, before, after, colour)


def _grade(value: float | None) -> str:
    return "no grade" if value is None else f"{value:.3g}"
