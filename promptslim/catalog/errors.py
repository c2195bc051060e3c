"""What is wrong with a data file."""

from __future__ import annotations


class CatalogError(ValueError):
    """A rule page or data table that cannot be used: one line with file, line and what to do.

    ``line`` is 1-based, None where the whole file is meant.
    """

    def __init__(self, path: str, line: int | None, message: str) -> None:
        self.path = path
        self.line = line
        self.message = message
        place = path if line is None else f"{path}:{line}"
        super().__init__(f"{place}: {message}")
