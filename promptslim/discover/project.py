"""The files of a project, read once each, with a record of what was read and what was missing."""
# pathlib costs more start-up time than everything in this module.
# ruff: noqa: PTH116, PTH118, PTH120

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Mapping

from promptslim.config.settings import Settings
from promptslim.core.record import field, record, replace
from promptslim.core.result import FileError
from promptslim.discover.call_index import CallIndex, project_index, store_of
from promptslim.discover.decode import Decoded, DecodeError, decode
from promptslim.discover.ignore_files import repository_of
from promptslim.discover.kinds import CODE_SUFFIXES, suffix_of
from promptslim.discover.reading import limit_of, read_bytes
from promptslim.discover.shown_path import shown_path
from promptslim.discover.walk import TAKEN, rules_of, walk

Instead = Mapping[str, bytes | None]
"""Path -> content that a file is taken to have instead of the one on disk; None: it is taken not to exist."""


@record
class Observation:
    """What was asked of the files since the observation began; it grows while that lasts. ``callers``: the answers, by
    name."""

    reads: set[str] = field(default_factory=set)
    misses: set[str] = field(default_factory=set)
    callers: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def add(self, other: Observation) -> None:
        """Take down what another observation has taken down."""
        self.reads.update(other.reads)
        self.misses.update(other.misses)
        self.callers.update(other.callers)


class DiskFiles:
    """``core.files.ProjectFiles`` over the file system.

    Only what lies below ``root``, and files handed over by ``hold``, can be read: source that names a path
    elsewhere does not make us open it. A text is read once and stays the same for the run.
    """

    __slots__ = ("_cwd", "_decoded", "_errors", "_exists", "_held", "_index", "_instead", "_observation", "_root")

    def __init__(self, root: str, cwd: str, index: Callable[[], CallIndex], instead: Instead | None = None) -> None:
        """``root`` and ``cwd`` are absolute; ``index`` makes the call index, on the first query."""
        self._instead = instead or {}
        self._root = root
        self._cwd = cwd
        self._index: Callable[[], CallIndex] | CallIndex = index
        self._held: dict[str, bytes] = {}
        self._decoded: dict[str, Decoded | None] = {}
        self._errors: dict[str, FileError] = {}
        self._exists: dict[str, bool] = {}
        self._observation = Observation()

    @property
    def root(self) -> str:
        """Folder of the project, relative to the working directory like every path here."""
        return shown_path(self._root, self._cwd)

    def hold(self, path: str, data: bytes) -> None:
        """Take the content of a file that was read before, or comes from standard input."""
        self._held[path] = data
        self._exists[path] = True

    @property
    def observation(self) -> Observation:
        """The record that is being taken down."""
        return self._observation

    def observe(self) -> Observation:
        """Begin a new record; it takes down every question from now on, answered from memory or not."""
        self._observation = Observation()
        return self._observation

    def text(self, path: str) -> str | None:
        """The decoded text of a file, None where it is missing, unreadable, too large or not text."""
        decoded = self.decoded(path)
        return None if decoded is None else decoded.text

    def decoded(self, path: str) -> Decoded | None:
        """As ``text``, with what is needed to write an edited text back."""
        path = os.path.normpath(path).replace(os.sep, "/")
        if path not in self._decoded:
            try:
                self._decoded[path] = decode(self._content(path), python=path.endswith(".py"))
            except DecodeError as error:
                self._decoded[path] = None
                self._errors[path] = FileError(path, error.line, str(error))
        decoded = self._decoded[path]
        (self._observation.misses if decoded is None else self._observation.reads).add(path)
        return decoded

    def why(self, path: str) -> FileError | None:
        """Why ``text`` gave None for this path, None where it did not or was not asked."""
        return self._errors.get(os.path.normpath(path).replace(os.sep, "/"))

    def exists(self, path: str) -> bool:
        """True for a regular file below the root."""
        path = os.path.normpath(path).replace(os.sep, "/")
        found = self._exists.get(path)
        if found is None:
            found = self._exists[path] = self._is_file(path)
        (self._observation.reads if found else self._observation.misses).add(path)
        return found

    def callers(self, name: str) -> tuple[str, ...]:
        """Files of the project that may call something named ``name``, in sorted order (see call_index.py)."""
        if not isinstance(self._index, CallIndex):
            self._index = self._index()
        shown = {shown_path(f"{self._root}{os.sep}{path}", self._cwd) for path in self._index.callers(name)}
        for path, data in self._instead.items():
            if data is None:
                shown.discard(path)
            elif suffix_of(path) in CODE_SUFFIXES and name.encode() in data and self._inside(path):
                shown.add(path)
        found = self._observation.callers[name] = tuple(sorted(shown))
        return found

    def _content(self, path: str) -> bytes:
        """The bytes of a file; DecodeError where there is nothing to analyse."""
        limit = limit_of(path)
        data = self._held.pop(path, None)
        if data is None:
            if not self._inside(path):
                raise DecodeError("outside the project")
            if path in self._instead:
                data = self._instead[path]
                if data is None:
                    raise DecodeError("does not exist")
                return data
            try:
                data = read_bytes(os.path.join(self._cwd, path), limit)
            except (OSError, ValueError) as error:
                raise DecodeError(f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
        if len(data) > limit:
            raise DecodeError(f"larger than {limit // 1_000_000} MB; not analysed")
        return data

    def _inside(self, path: str) -> bool:
        full = os.path.normpath(os.path.join(self._cwd, path))
        return full.startswith(self._root.rstrip(os.sep) + os.sep)

    def _is_file(self, path: str) -> bool:
        if not self._inside(path):
            return False
        if path in self._instead:
            return self._instead[path] is not None
        try:
            return stat.S_ISREG(os.stat(os.path.join(self._cwd, path)).st_mode)
        except (OSError, ValueError):
            return False


def open_project(root: str, settings: Settings, cwd: str, instead: Instead | None = None) -> DiskFiles:
    """The files below the absolute folder ``root``, whose callers come from all its Python files and notebooks
    but tests and what the settings exclude, whatever part of it is analysed. ``instead`` as in ``Instead``."""

    def index() -> CallIndex:
        from promptslim.config.cache_folder import cache_folder

        rules = replace(rules_of(settings), tests=False, include=None)
        paths = [path for what, path, _ in walk(root, rules) if what == TAKEN]
        return project_index(root, paths, store_of(root, cache_folder()) if settings.cache else None)

    return DiskFiles(root, cwd, index, instead)


def root_of(folder: str, settings: Settings, cwd: str) -> str:
    """The absolute folder of the project that an absolute ``folder`` belongs to.

    For a folder in the project around the working directory it is that of the config file or the top of
    the repository, whichever is nearer to the working directory, else the working directory. For any
    other folder it is the top of its own repository, else the folder itself.
    """
    candidates = [place for place in (settings.folder, repository_of(cwd)) if place is not None]
    home = max(candidates, key=len, default=cwd)
    if (folder + os.sep).startswith(home.rstrip(os.sep) + os.sep):
        return home
    return repository_of(folder) or folder


def by_root(paths: Iterable[str], settings: Settings, cwd: str) -> dict[str, list[str]]:
    """Files (relative to ``cwd``) grouped by the project they belong to, in their order."""
    roots: dict[str, str] = {}
    groups: dict[str, list[str]] = {}
    for path in paths:
        folder = os.path.dirname(path)
        if folder not in roots:
            roots[folder] = root_of(os.path.normpath(os.path.join(cwd, folder)), settings, cwd)
        groups.setdefault(roots[folder], []).append(path)
    return groups
