"""PS902: a file that could not be read or parsed was not checked."""

from __future__ import annotations

from collections.abc import Iterator

from promptslim.check.rule_context import RuleContext
from promptslim.core.facts import FileFacts
from promptslim.core.finding import Finding
from promptslim.core.result import FileError
from promptslim.core.text import Document, Location, Span


def unreadable_file(file: FileFacts, rule: RuleContext) -> Iterator[Finding]:
    """One finding per error of the file, on the first line of what could not be parsed."""
    for error in file.errors:
        yield rule.finding(error.message, _place(file, error), evidence=error.message)


def _place(file: FileFacts, error: FileError) -> Location:
    """The line of the error where the file has text and is no notebook, whose lines count per cell."""
    if error.line is not None and len(file.documents) == 1 and file.documents[0].cell is None:
        document = file.documents[0]
        starts = document.line_starts()
        line = min(error.line, len(starts))
        text = document.line(line)
        start = starts[line - 1] + len(text) - len(text.lstrip())
        return Location(document, Span(start, starts[line - 1] + len(text.rstrip())))
    return Location(Document(error.path, ""), Span(0, 0))
