"""Documents, places in them, and edits to them.

Offsets are code points into ``Document.text``. Lines and columns exist only in ``report/`` (and in
``Document.position``, which it calls).
"""

from __future__ import annotations

from bisect import bisect_right
from enum import IntEnum

from promptslim.core.record import field, record


@record(order=True)
class Span:
    """Half-open range of code points."""

    start: int
    end: int


@record
class Document:
    """A text as it is analysed: a file, or the source of one notebook cell.

    ``path`` is relative to the working directory, with forward slashes. ``cell`` is the 0-based index
    among all cells of a notebook, None for any other file. ``raw_lines`` gives, for each line of a cell,
    the 1-based line of the .ipynb file that holds it (empty for other files).
    """

    path: str
    text: str = field(repr=False)
    cell: int | None = None
    raw_lines: tuple[int, ...] = field(default=(), repr=False, compare=False)
    _starts: list[int] = field(default_factory=list, init=False, repr=False, compare=False)

    def line_starts(self) -> list[int]:
        """Offsets at which lines start; a line ends with ``\\n`` only, as in Python's own positions."""
        if not self._starts:
            starts = [0]
            position = self.text.find("\n")
            while position >= 0:
                starts.append(position + 1)
                position = self.text.find("\n", position + 1)
            self._starts.extend(starts)
        return self._starts

    def position(self, offset: int) -> tuple[int, int]:
        """1-based line and column (in code points) of an offset."""
        starts = self.line_starts()
        line = bisect_right(starts, offset)
        return line, offset - starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of a 1-based line, without its line break."""
        starts = self.line_starts()
        start = starts[number - 1]
        end = starts[number] - 1 if number < len(starts) else len(self.text)
        return self.text[start:end].rstrip("\r")


@record
class Location:
    """A range of one document."""

    document: Document
    span: Span

    @property
    def path(self) -> str:
        """Path of the document."""
        return self.document.path

    @property
    def cell(self) -> int | None:
        """Index of the notebook cell, None elsewhere."""
        return self.document.cell

    @property
    def start(self) -> tuple[int, int]:
        """1-based line and column of the first character."""
        return self.document.position(self.span.start)

    @property
    def end(self) -> tuple[int, int]:
        """1-based line and column just after the last character."""
        return self.document.position(self.span.end)

    @property
    def text(self) -> str:
        """The characters of the range."""
        return self.document.text[self.span.start : self.span.end]


@record
class Edit:
    """Replace ``location`` by ``text``: an empty text deletes, an empty span inserts."""

    location: Location
    text: str


class Applicability(IntEnum):
    """How far an edit may be applied by itself; ordered, so that "may I?" is one comparison.

    SAFE: the request sent is identical (comments, formatting and requestMetadata apart), or prompt text
    differs only in trailing or repeated blank space outside code. UNSAFE: everything else that changes
    the request. DISPLAY: needs a person.
    """

    DISPLAY = 0
    UNSAFE = 1
    SAFE = 2


@record
class Fix:
    """One change that removes a finding. ``saves`` is in input tokens per call, None where unknown."""

    title: str
    edits: tuple[Edit, ...]
    applicability: Applicability
    saves: int | None = None
