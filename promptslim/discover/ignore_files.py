"""The .gitignore files that apply in a folder: those from the top of its repository downwards."""
# pathlib costs more start-up time than everything in this module.
# ruff: noqa: PTH113, PTH118, PTH120, PTH123

from __future__ import annotations

import os

from promptslim.config.patterns import IgnorePatterns
from promptslim.core.record import record


@record
class Level:
    """The patterns of one file, seen from the folder at which a walk starts.

    ``prefix`` leads from the folder of the patterns down to the start of the walk (``a/b/``), ``cut`` is
    the length of the path from the start down to the folder of the patterns; one of the two is empty.
    """

    patterns: IgnorePatterns
    prefix: str
    cut: int

    def verdict(self, path: str, name: str, folder: bool) -> bool | None:
        """As ``IgnorePatterns.verdict``, for a path relative to the start of the walk."""
        patterns = self.patterns
        return patterns.verdict(self.prefix + path[self.cut :] if patterns.anchored else name, name, folder)


Levels = tuple[Level, ...]
"""From the top of the repository downwards: a later one goes before an earlier one."""


def ignored(levels: Levels, path: str, name: str, folder: bool) -> bool:
    """Whether a path (relative to the start of the walk) is ignored."""
    for level in reversed(levels):
        verdict = level.verdict(path, name, folder)
        if verdict is not None:
            return verdict
    return False


def levels_above(start: str) -> Levels:
    """The levels that come down to the absolute folder ``start`` from the repository around it.

    Without a repository there are none. A start that is itself the top of one is left to levels_in.
    """
    top = repository_of(start)
    if top is None or top == start:
        return ()
    levels = _excluded_in(top, start[len(top) :].lstrip(os.sep).replace(os.sep, "/") + "/", 0)
    folder = start
    below: list[Level] = []
    prefix = ""
    while folder != top:
        prefix = os.path.basename(folder) + "/" + prefix  # noqa: PTH119
        folder = os.path.dirname(folder)
        below.extend(_read(os.path.join(folder, ".gitignore"), prefix, 0))
    return (*levels, *reversed(below))


def levels_in(folder: str, names: set[str], inner: str, levels: Levels) -> Levels:
    """The levels inside the absolute ``folder``, which holds entries of these ``names``.

    ``inner`` is the path from the start of the walk to the folder (``a/b/``). A repository inside a
    repository does not inherit, as in git.
    """
    if ".git" in names:
        levels = _excluded_in(folder, "", len(inner))
    if ".gitignore" in names:
        levels = (*levels, *_read(os.path.join(folder, ".gitignore"), "", len(inner)))
    return levels


def repository_of(folder: str) -> str | None:
    """The nearest folder upwards that has ``.git``, None where there is none."""
    while not os.path.exists(os.path.join(folder, ".git")):  # noqa: PTH110
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent
    return folder


def _excluded_in(top: str, prefix: str, cut: int) -> Levels:
    """``info/exclude`` of the repository whose top is ``top``; a worktree shares that of its main one."""
    git = os.path.join(top, ".git")
    if os.path.isfile(git):
        git = os.path.join(top, _line(git).removeprefix("gitdir:").strip())
        git = os.path.join(git, _line(os.path.join(git, "commondir")))
    return _read(os.path.join(git, "info", "exclude"), prefix, cut)


def _read(path: str, prefix: str, cut: int) -> Levels:
    try:
        with open(path, "rb") as file:
            text = os.fsdecode(file.read().removeprefix(b"\xef\xbb\xbf"))
    except OSError:
        return ()
    patterns = IgnorePatterns(text.split("\n"))
    return (Level(patterns, prefix, cut),) if patterns else ()


def _line(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return os.fsdecode(file.readline()).strip()
    except OSError:
        return ""
