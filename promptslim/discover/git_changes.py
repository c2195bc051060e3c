"""What has changed in the working tree since it left another branch, as git tells it.

Only git itself is run, on its own data: no hooks, no external diffs, no filters, no network.
"""
# pathlib costs more start-up time than everything in this module.
# ruff: noqa: PTH118

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from promptslim.config.error import printable
from promptslim.core.record import field, record
from promptslim.discover.reading import limit_of
from promptslim.discover.shown_path import shown_path

_HUNK = re.compile(rb"^@@ -\d+(?:,\d+)? \+(\d+)(?:,(\d+))? @@", re.MULTILINE)
_SAFE = ("--no-optional-locks", "--literal-pathspecs", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false")
_ENVIRONMENT = {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1"}
_REGULAR = ("100644", "100755")
_EVERY_LINE = 1 << 30


class GitError(Exception):
    """Changes that cannot be told. The message is one line: what is wrong and what to do."""


@record
class Changes:
    """``before``: path -> content at ``base`` (a commit) of every path that differs from it, None where there was no
    file. ``came_from``: path -> the path that a renamed file had. Paths are relative to the working directory
    ``cwd``; ``top`` is the absolute top of the repository."""

    base: str
    top: str
    cwd: str
    before: Mapping[str, bytes | None]
    came_from: Mapping[str, str]
    _lines: dict[str, tuple[tuple[int, int], ...]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def lines(self, path: str) -> tuple[tuple[int, int], ...]:
        """The changed lines of a file as it is now: 1-based first and last of each run of them. Where lines were
        only taken away it is the line before the gap. Empty for a file that did not change, or that is gone."""
        if path not in self._lines:
            self._lines[path] = tuple(self._hunks(path)) if path in self.before else ()
        return self._lines[path]

    def _hunks(self, path: str) -> Iterator[tuple[int, int]]:
        if self.before[path] is None and path not in self.came_from:
            yield 1, _EVERY_LINE
            return
        names = {path, self.came_from.get(path, path)}
        inside = [shown_path(os.path.join(self.cwd, name), self.top) for name in sorted(names)]
        words = ("diff", "--unified=0", "--no-color", "--no-ext-diff", "--no-textconv", "-M", self.base, "--", *inside)
        for match in _HUNK.finditer(_git(self.top, *words)):
            start, count = int(match[1]), int(match[2] or 1)
            yield max(start, 1), max(start + count - 1, start, 1)


def changes_since(ref: str, cwd: str) -> Changes:
    """What differs between the files now and the merge base of ``ref`` and HEAD. Raises GitError."""
    top = os.fsdecode(_git(cwd, "rev-parse", "--show-toplevel")).rstrip("\n")
    base = _merge_base(ref, top)
    blobs: dict[str, str] = {}
    before: dict[str, bytes | None] = {}
    came_from: dict[str, str] = {}
    entries = iter(_split(_git(top, "diff", "--raw", "-z", "--no-abbrev", "-M", "--no-ext-diff", base, "--")))
    for entry in entries:
        mode, _, blob, _, status = entry.removeprefix(":").split(" ")
        old = new = next(entries)
        if status[0] in "RC":
            new = next(entries)
            came_from[new] = old
            before[new] = None
        if status[0] == "C":
            continue
        before[old] = None
        if mode in _REGULAR:
            blobs[old] = blob
    for path in _split(_git(top, "ls-files", "--others", "--exclude-standard", "-z")):
        before[path] = None
    before.update(_contents(top, blobs))

    def shown(path: str) -> str:
        return shown_path(os.path.join(top, path), os.path.realpath(cwd))

    return Changes(
        base,
        top,
        os.path.realpath(cwd),
        {shown(path): data for path, data in before.items()},
        {shown(new): shown(old) for new, old in came_from.items()},
    )


def _merge_base(ref: str, top: str) -> str:
    shallow = _git(top, "rev-parse", "--is-shallow-repository").strip() == b"true"
    deepen = "fetch the history with git fetch --unshallow (in GitHub Actions: checkout with fetch-depth: 0)"
    for name, missing in ((ref, f"there is no commit {printable(ref)!r} here"), ("HEAD", "there is no commit yet")):
        if not _found(top, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"):
            advice = deepen if shallow else "fetch it, or name another branch, tag or commit"
            raise GitError(f"{missing}; {advice}")
    base = _found(top, "merge-base", "--end-of-options", ref, "HEAD")
    if not base:
        what = f"{printable(ref)!r} and HEAD have no common commit"
        raise GitError(f"{what} in this shallow clone; {deepen}" if shallow else f"{what}; name another branch")
    return os.fsdecode(base).strip()


def _contents(top: str, blobs: Mapping[str, str]) -> dict[str, bytes | None]:
    """The blobs of paths; None for one that is too large to be analysed."""
    if not blobs:
        return {}
    sizes: dict[str, int] = {}
    for line in _git(top, "cat-file", "--batch-check", given=_lines(blobs.values())).splitlines():
        name, kind, *size = os.fsdecode(line).split(" ")
        if not size:
            raise GitError(f"the object {name} is {kind} (a partial clone?); fetch the history with its contents")
        sizes[name] = int(size[0])
    wanted = {path: blob for path, blob in blobs.items() if sizes[blob] <= limit_of(path)}
    found: dict[str, bytes | None] = dict.fromkeys(blobs)
    output = _git(top, "cat-file", "--batch", given=_lines(wanted.values())) if wanted else b""
    place = 0
    for path, blob in wanted.items():
        start = output.index(b"\n", place) + 1
        found[path] = output[start : start + sizes[blob]]
        place = start + sizes[blob] + 1
    return found


def _lines(words: Iterable[str]) -> bytes:
    return "".join(f"{word}\n" for word in words).encode()


def _split(output: bytes) -> list[str]:
    return [os.fsdecode(part) for part in output.split(b"\0") if part]


def _found(folder: str, *words: str) -> bytes | None:
    """The output of a git command; None where it says that there is nothing (exit code 1)."""
    code, output, _ = _run(folder, words, b"")
    return output if code == 0 else None


def _git(folder: str, *words: str, given: bytes = b"") -> bytes:
    code, output, said = _run(folder, words, given)
    if code:
        first = next(iter(said.strip().splitlines()), f"exit code {code}").removeprefix("fatal: ")
        if "not a git repository" in first:
            raise GitError("this is no git repository, so there is nothing to compare with; run it in one")
        raise GitError(f"git {words[0]} failed: {printable(first)}; put that right first")
    return output


def _run(folder: str, words: Sequence[str], given: bytes) -> tuple[int, bytes, str]:
    import subprocess

    try:
        done = subprocess.run(  # noqa: S603 (a fixed program; words after "--" or --end-of-options)
            ["git", *_SAFE, *words],  # noqa: S607 (the git of the user)
            cwd=folder,
            env={**os.environ, **_ENVIRONMENT},
            input=given,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        raise GitError("git is not installed; install it, or leave the comparison out") from None
    return done.returncode, done.stdout, done.stderr.decode("utf-8", "replace")
