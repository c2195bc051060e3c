"""A lock or evidence file that cannot be used."""

from __future__ import annotations


class ProofFileError(Exception):
    """The message is one line: file, line where there is one, what is wrong and what to do."""

    def __init__(self, path: str, line: int | None, message: str) -> None:
        super().__init__(f"{path}:{line}: {message}" if line else f"{path}: {message}")
        self.path = path
        self.line = line
        self.message = message
