"""Writing ``# promptslim: ignore[rule] -- reason`` where it suppresses a finding, and changing nothing else."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator, Mapping

from promptslim.check.suppressions import Suppression, parse
from promptslim.core.facts import Comment
from promptslim.core.finding import Finding
from promptslim.core.record import record
from promptslim.extract.notebook_offsets import source_offsets
from promptslim.extract.python.comments import comments
from promptslim.extract.python.module import Module
from promptslim.extract.python.workspace import module_of

_NAMES = re.compile(r"#\s*promptslim:\s*ignore\s*\[(?P<names>[^\]]*)\]")


@record
class Ignored:
    """``text`` of a file with comments for the findings ``done``. ``left`` are findings that no comment can reach:
    no line of theirs ends outside of a string."""

    text: str
    done: tuple[Finding, ...]
    left: tuple[Finding, ...]


def ignoring(path: str, text: str, findings: Iterable[Finding], reason: str, rules: Mapping[str, str]) -> Ignored:
    """A Python file or notebook with a comment for each finding, at the end of its line or of its statement.

    Each comment is checked before it is kept: it has to suppress the finding, and the program has to stay the same.
    ``rules`` maps every rule code and name to the code.
    """
    done: list[Finding] = []
    left: list[Finding] = []
    for finding in findings:
        changed = _with(path, text, finding, reason, rules)
        (left if changed is None else done).append(finding)
        text = text if changed is None else changed
    return Ignored(text, tuple(done), tuple(left))


def _with(path: str, text: str, finding: Finding, reason: str, rules: Mapping[str, str]) -> str | None:
    """The text in which a comment suppresses a finding; None where no place for it is found."""
    module = module_of(path, text)
    if _covered(module, finding, rules):
        return text
    program = ast.dump(module.tree)
    for line in _lines(module, finding):
        written = _written(module, text, line, finding, reason)
        if written is None:
            continue
        after = module_of(path, written)
        if ast.dump(after.tree) == program and _covered(after, finding, rules):
            return written
    return None


def _covered(module: Module, finding: Finding, rules: Mapping[str, str]) -> bool:
    return any(one.covers(finding) for one in _suppressions(module, rules))


def _suppressions(module: Module, rules: Mapping[str, str]) -> Iterator[Suppression]:
    return (parse(comment, rules) for comment in comments(module))


def _lines(module: Module, finding: Finding) -> Iterator[int]:
    """Lines of the document of a finding at whose end a comment may suppress it, the best first."""
    first, last = finding.primary.start[0], finding.primary.end[0]
    yield from range(first, last + 1)
    start = next((start for start, document in module.parts if document.cell == finding.primary.cell), 0)
    place = start + finding.primary.span.start
    around = [
        node
        for node in ast.walk(module.tree)
        if isinstance(node, ast.stmt) and module.span(node).start <= place < module.span(node).end
    ]
    for node in sorted(around, key=lambda node: module.span(node).end - module.span(node).start)[:1]:
        offset = _first_line(module, start) - 1
        yield node.lineno - offset
        yield (node.end_lineno or node.lineno) - offset


def _first_line(module: Module, start: int) -> int:
    return module.text.count("\n", 0, start) + 1


def _written(module: Module, text: str, line: int, finding: Finding, reason: str) -> str | None:
    """The text of the file with the rule named at the end of a line of the document of a finding."""
    document = next((document for _, document in module.parts if document.cell == finding.primary.cell), None)
    if document is None or not 1 <= line <= len(document.line_starts()):
        return None
    place, added = _insertion(_comment_on(module, finding.primary.cell, line), finding.name, reason)
    if place is None:
        place = document.line_starts()[line - 1] + len(document.line(line).rstrip())
    if document.cell is None:
        return text[:place] + added + text[place:]
    offsets = source_offsets(text, document.cell)
    if len(offsets) != len(document.text) + 1:
        return None
    raw = offsets[place]
    return text[:raw] + json.dumps(added, ensure_ascii=text.isascii())[1:-1] + text[raw:]


def _comment_on(module: Module, cell: int | None, line: int) -> Comment | None:
    return next((c for c in comments(module) if c.location.cell == cell and c.location.start[0] == line), None)


def _insertion(comment: Comment | None, name: str, reason: str) -> tuple[int | None, str]:
    """Where to insert what: the name into a comment that is there, else a comment at the end of the line."""
    if comment is not None:
        place = comment.location
        match = _NAMES.search(place.document.text, place.span.start, place.span.end)
        if match is not None:
            return match.end("names"), f", {name}" if match["names"].strip() else name
    return None, f"  # promptslim: ignore[{name}] -- {reason}"
