"""The files of a suite, read through the function that the suite is read with."""

from __future__ import annotations

import posixpath

from promptslim.core.text import Document
from promptslim.extract.files.data import DataNode, read_data
from promptslim.verify.suite import Read, SuiteError
from promptslim.verify.suite_nodes import error

FILE = "file://"
PROGRAMS = (".py", ".js", ".ts", ".mjs", ".cjs", ".mts", ".cts", ".rb", ".go", ".sh")
DATA = (".yaml", ".yml", ".json")


class SuiteFiles:
    """Where a suite stands, what it has read (``paths``, the suite first), and ``notes``: what was passed over."""

    def __init__(self, path: str, read: Read) -> None:
        """``read`` gives the bytes of a file by its path, None where there is none."""
        self.path = path
        self.folder = posixpath.dirname(path) or "."
        self.paths: list[str] = [path]
        self.notes: list[str] = []
        self._read = read
        self._texts: dict[str, str] = {}
        self._trees: dict[str, DataNode | None] = {}

    def full(self, path: str) -> str:
        """A path of the suite, which is relative to its folder, as ``read`` takes it."""
        return posixpath.normpath(posixpath.join(self.folder, path.removeprefix(FILE)))

    def note(self, text: str) -> None:
        """Remember something that the user has to know."""
        if text not in self.notes:
            self.notes.append(text)

    def passed_over(self, keys: list[str]) -> None:
        """Remember keys that are promptfoo's own."""
        for key in keys:
            self.note(f"{key} is promptfoo's own, and passed over")

    def top(self) -> DataNode | None:
        """The tree of the suite itself. Raises SuiteError."""
        data = self._read(self.path)
        if data is None:
            raise SuiteError(self.path, None, "there is no such file")
        try:
            return self._parsed(self.path, data.decode("utf-8-sig"))
        except UnicodeDecodeError:
            raise SuiteError(self.path, None, "the file is not UTF-8") from None

    def glance(self, path: str) -> str | None:
        """The text of a file if it can be read; the suite does not rest on it yet."""
        data = self._read(self.full(path))
        try:
            return None if data is None else data.decode("utf-8-sig")
        except UnicodeDecodeError:
            return None

    def text(self, path: str, at: DataNode) -> str:
        """The text of a file that is named ``at`` a node. Raises SuiteError there."""
        full = self.full(path)
        if full not in self._texts:
            data = self._read(full)
            if data is None:
                raise error(at, _missing(path.removeprefix(FILE), full))
            try:
                self._texts[full] = data.decode("utf-8-sig")
            except UnicodeDecodeError:
                raise error(at, f"the file {path.removeprefix(FILE)!r} is not UTF-8 text") from None
            self.paths.append(full)
        return self._texts[full]

    def tree(self, path: str, at: DataNode) -> DataNode | None:
        """The tree of a data file; None for an empty one. Raises SuiteError."""
        full, text = self.full(path), self.text(path, at)
        if full not in self._trees:
            self._trees[full] = self._parsed(full, text)
        return self._trees[full]

    def _parsed(self, full: str, text: str) -> DataNode | None:
        trees, errors = read_data(Document(full, text))
        if errors:
            raise SuiteError(errors[0].path, errors[0].line, errors[0].message)
        return trees[0] if trees else None


def _missing(path: str, full: str) -> str:
    if any(char in path for char in "*?["):
        return f"the pattern {path!r} is not followed: name each file, since a proof has to name its files"
    if full.startswith(("../", "/")):
        return f"the file {path!r} lies outside of the project, whose folder is that of promptslim.lock"
    return f"there is no file {path!r}"
