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
    """The line of the error; in a notebook, whose errors count lines of the raw file, the line in the cell."""
    if error.line is not None:
        for document in file.documents:
            if document.cell is None:
                return _line(document, error.line)
            if error.line in document.raw_lines:
                return _line(document, document.raw_lines.index(error.line) + 1)
    return Location(Document(error.path, ""), Span(0, 0))


def _line(document: Document, number: int) -> Location:
    """The line without the blank space around it, the last one where the text is shorter."""
    starts = document.line_starts()
    number = min(number, len(starts))
    text = document.line(number)
    start = starts[number - 1]
    return Location(document, Span(start + len(text) - len(text.lstrip()), start + len(text.rstrip())))
