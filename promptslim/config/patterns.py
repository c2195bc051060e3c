"""Patterns of .gitignore, matched fast while a tree is walked from the top.

Almost all patterns in use are a name, a path, ``*suffix`` or ``prefix*``. Those are looked up directly; only
the rest goes through pathspec, whose import takes longer than walking ten thousand files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from promptslim.core.record import record

_SPECIAL = re.compile(r"[*?\[\\]")
_NONE = (-1, -1)
_MANY_STARS = re.compile(r"(?<!\\)\*{3,}")
_SMALL_CLASS = re.compile(r"\[(\w+)\]")


@record
class _Glob:
    """A pattern that needs a regular expression. ``by_name``: it looks at the last component only.

    ``head`` is what every path that matches starts with: comparing it spares most of the searches.
    """

    index: int
    regex: re.Pattern[str]
    head: str
    by_name: bool
    folders_only: bool

    def hits(self, path: str, folder: bool) -> bool:
        """Whether the path itself matches: pathspec marks a match of a folder above by the group ``ps_d``."""
        if self.folders_only and not folder:
            return False
        found = self.regex.search(path)
        return found is not None and (not self.regex.groups or found.start("ps_d") < 0)


class IgnorePatterns:
    """A list of patterns in the syntax of .gitignore; the last one that matches decides.

    ``anchored`` is true where some pattern has a slash, so that paths matter and not only names.
    """

    __slots__ = (
        "_files", "_folders", "_globs", "_ignores", "_names", "_paths", "_prefixes", "_suffixes", "_tails", "anchored",
    )  # fmt: skip

    def __init__(self, lines: Iterable[str]) -> None:
        self._ignores: list[bool] = []
        # Each maps what to look up to the index of the last pattern for (files, folders); -1: none.
        self._names: dict[str, tuple[int, int]] = {}
        self._paths: dict[str, tuple[int, int]] = {}
        self._suffixes: dict[str, tuple[int, int]] = {}
        self._prefixes: dict[str, tuple[int, int]] = {}
        self._globs: list[_Glob] = []
        self._files: dict[str, int] = {}
        self._folders: dict[str, int] = {}
        for line in lines:
            self._add(line)
        self._tails = tuple(self._suffixes)
        self.anchored = bool(self._paths) or any(not glob.by_name for glob in self._globs)

    def _add(self, line: str) -> None:
        body = line.removesuffix("\n").removesuffix("\r")
        while body.endswith(" ") and not body.endswith("\\ "):
            body = body[:-1]
        if not body or body.startswith("#"):
            return
        ignores = not body.startswith("!")
        body = body if ignores else body[1:]
        folders_only = body.endswith("/")
        body = _MANY_STARS.sub("**", body.removesuffix("/"))  # as git reads them
        if body.startswith("**/") and "/" not in body[3:]:
            body = body[3:]
        if not body:
            return
        index = len(self._ignores)
        self._ignores.append(ignores)
        by_name = "/" not in body
        if not _SPECIAL.search(body):
            self._note(self._names if by_name else self._paths, body.removeprefix("/"), index, folders_only)
        elif by_name and (tails := _suffixes(body)):
            for tail in tails:
                self._note(self._suffixes, tail, index, folders_only)
        elif by_name and not _SPECIAL.search(body[:-1]) and body.endswith("*"):
            self._note(self._prefixes, body[:-1], index, folders_only)
        elif not by_name and (stripped := _after_start(body)) is not None:
            self._globs.append(_Glob(index, stripped[1], stripped[0], by_name, folders_only))
        elif (regex := _regex(body)) is not None:
            literal = _SPECIAL.split(body, maxsplit=1)[0]
            head = "" if by_name else literal[: literal.rfind("/") + 1].removeprefix("/")
            self._globs.append(_Glob(index, regex, head, by_name, folders_only))

    @staticmethod
    def _note(table: dict[str, tuple[int, int]], key: str, index: int, folders_only: bool) -> None:
        table[key] = (table.get(key, _NONE)[0] if folders_only else index, index)

    def __bool__(self) -> bool:
        return bool(self._ignores)

    def verdict(self, path: str, name: str, folder: bool) -> bool | None:
        """True: ignored; False: taken back in by a ``!`` pattern; None: no pattern speaks of it.

        ``path`` is relative to the folder of the patterns, with forward slashes, ``name`` its last
        component. Only the path itself is judged: whoever walks does not enter ignored folders.
        """
        best = self._by_name(name, folder)
        if self.anchored:
            best = self._by_path(path, folder, best)
        return None if best < 0 else self._ignores[best]

    def covers(self, path: str) -> bool:
        """Whether a file or one of the folders above it (as far as ``path`` shows them) is ignored."""
        start = path.find("/")
        while start >= 0:
            above = path[:start]
            if self.verdict(above, above[above.rfind("/") + 1 :], folder=True):
                return True
            start = path.find("/", start + 1)
        return bool(self.verdict(path, path[path.rfind("/") + 1 :], folder=False))

    def _by_name(self, name: str, folder: bool) -> int:
        """Index of the last pattern without a slash that matches, -1 where none does."""
        memo = self._folders if folder else self._files
        best = memo.get(name)
        if best is not None:
            return best
        best = self._names.get(name, _NONE)[folder]
        if name.endswith(self._tails):
            best = max(best, *(found[folder] for tail, found in self._suffixes.items() if name.endswith(tail)))
        for head, found in self._prefixes.items():
            if name.startswith(head):
                best = max(best, found[folder])
        for glob in self._globs:
            if glob.by_name and glob.index > best and glob.hits(name, folder):
                best = glob.index
        memo[name] = best
        return best

    def _by_path(self, path: str, folder: bool, best: int) -> int:
        """Index of the last pattern with a slash that matches, ``best`` where none after it does."""
        best = max(best, self._paths.get(path, _NONE)[folder])
        for glob in self._globs:
            if not glob.by_name and glob.index > best and path.startswith(glob.head) and glob.hits(path, folder):
                best = glob.index
        return best


def rebased(pattern: str, folder: str, base: str) -> str:
    """A pattern relative to ``folder`` as one relative to ``base``, a folder above it or the same.

    A pattern without a slash, which matches at any depth, stays as it is.
    """
    import posixpath

    negation, body = ("!", pattern[1:]) if pattern.startswith("!") else ("", pattern)
    if "/" not in body.removesuffix("/"):
        return pattern
    below = folder[len(base) :].replace("\\", "/").strip("/") if folder != base else ""
    parts = [_SPECIAL.sub(r"\\\g<0>", below), body.removeprefix("/").removesuffix("/")]
    joined = posixpath.normpath("/".join(part for part in parts if part))
    return f"{negation}/{joined}{'/' if body.endswith('/') else ''}"


def _suffixes(body: str) -> tuple[str, ...]:
    """The literal tails that ``*tail`` stands for, with one small class expanded (``*.py[co]``)."""
    if not body.startswith("*"):
        return ()
    tail = body[1:]
    if not _SPECIAL.search(tail):
        return (tail,)
    found = _SMALL_CLASS.search(tail)
    if found is None or _SPECIAL.search(tail[: found.start()] + tail[found.end() :]):
        return ()
    return tuple(tail[: found.start()] + char + tail[found.end() :] for char in found[1])


def _after_start(body: str) -> tuple[str, re.Pattern[str]] | None:
    """The literal start and the regular expression of ``start**`` and ``start**/rest``; None for other patterns.

    git strips the literal start before it matches, so that these two stars do cross slashes.
    """
    body = body.removeprefix("/")
    start = _SPECIAL.split(body, maxsplit=1)[0]
    rest = body[len(start) :]
    if not start or start.endswith("/") or not rest.startswith("**"):
        return None
    if not rest.strip("*/") and all(step == "**" for step in rest.split("/")):
        return start, re.compile("^" + re.escape(start))
    if not rest.startswith("**/"):
        return None
    inner = _regex("/" + rest.removeprefix("**/"))
    if inner is None:
        return None
    return start, re.compile("^" + re.escape(start) + "(?:.*/)?" + inner.pattern.removeprefix("^"))


def _regex(body: str) -> re.Pattern[str] | None:
    """The regular expression of a pattern, None where git would drop the pattern."""
    from pathspec.patterns.gitignore import GitIgnorePatternError
    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

    # A leading "#", "!" or blank space is past its special meaning here.
    try:
        regex, _ = GitIgnoreSpecPattern.pattern_to_regex("\\" + body if body[0] in "#! " else body)
    except GitIgnorePatternError:
        return None
    return None if regex is None else re.compile(regex)


def relative_to(path: str, base: str, cwd: str) -> str:
    """A path relative to the absolute folder ``cwd`` as one relative to the folder ``base`` above it, with
    forward slashes."""
    if base == cwd and not path.startswith(("../", "./", "/")):
        return path
    import os

    return os.path.relpath(os.path.join(cwd, path), base).replace(os.sep, "/")  # noqa: PTH118
