"""Where a place lies in the file on disk, for programs that know files and not notebook cells."""

from __future__ import annotations

from promptslim.core.record import record
from promptslim.core.text import Location


@record
class FileRegion:
    """1-based lines, both included, and 1-based columns in code points, the end just after the last
    character. The columns are None in a notebook, where a line of code is part of a JSON string."""

    line: int
    end_line: int
    column: int | None
    end_column: int | None


def file_region(location: Location) -> FileRegion:
    """The region of a place; a line that its end only touches is not part of it."""
    document, span = location.document, location.span
    line, column = document.position(span.start)
    end_line, end_column = document.position(span.end)
    if end_column == 1 and end_line > line:
        end_line, end_column = document.position(span.end - 1)
    if document.cell is None:
        return FileRegion(line, end_line, column, end_column)
    raw = document.raw_lines or (1,)
    return FileRegion(raw[min(line, len(raw)) - 1], raw[min(end_line, len(raw)) - 1], None, None)
