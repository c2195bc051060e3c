"""How the pure stages see the file system."""

from __future__ import annotations

from typing import Protocol


class ProjectFiles(Protocol):
    """Read access to the project, through one object that records every read and every miss.

    Paths are relative to the working directory, with forward slashes (``../`` where a file lies above).
    """

    @property
    def root(self) -> str:
        """Folder of the project: the deeper of the config file's and the git top level, else the working
        directory. Relative to the working directory (``.``, ``..`` ...)."""
        ...

    def text(self, path: str) -> str | None:
        """The decoded text (no byte order mark, ``\\n`` line ends as Python's tokenizer sees them), or None
        where the file is missing, unreadable or not text."""
        ...

    def exists(self, path: str) -> bool:
        """True for a regular file."""
        ...

    def callers(self, name: str) -> tuple[str, ...]:
        """Python files and notebooks of the project that may call something named ``name``: a superset,
        in sorted order, without tests and vendored files."""
        ...
