"""The paths that a user gives -> the files to analyse."""
# pathlib costs more start-up time than everything in this module.
# ruff: noqa: PTH100, PTH118, PTH119, PTH120

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterator, Sequence

from promptslim.config.error import printable, suggestion
from promptslim.core.record import record
from promptslim.core.result import FileError
from promptslim.discover import walk as walking
from promptslim.discover.kinds import suffix_of
from promptslim.discover.prompt_paths import PROMPT_SUFFIXES, PromptPaths
from promptslim.discover.shown_path import shown_path as shown_path
from promptslim.discover.walk import Rules, excluded_file, walk

STDIN = "-"
OTHER_KIND = "other kind"


class PathError(Exception):
    """A path that cannot be used. The message is one printable line."""


@record
class Discovered:
    """The files of a run. Paths are relative to the working directory, with forward slashes, sorted.

    ``given`` are those that the user named one by one. ``unread`` are files in languages that are not
    analysed. ``skipped`` counts what was left out by reason: files as "test", "vendored", "generated",
    "ignored", "excluded", "link" and "other kind" (given, but of a kind that is not read), and "folder"
    for folders that were not entered. ``whole`` is true where a folder was given, ``stdin`` where ``-`` was.
    ``prompts`` are those of the files that are prompts, not code.
    """

    files: tuple[str, ...]
    given: frozenset[str]
    unread: tuple[str, ...]
    skipped: tuple[tuple[str, int], ...]
    errors: tuple[FileError, ...]
    whole: bool
    stdin: bool
    prompts: frozenset[str] = frozenset()


def discover(paths: Sequence[str], rules: Rules, cwd: str, force_exclude: bool = False) -> Discovered:
    """Find the files of a run.

    ``paths`` are files, folders, globs (for shells that leave them alone) or ``-``, relative to the absolute
    folder ``cwd``. A file that is named is taken whatever its name and place, unless ``force_exclude``; a
    folder that is named is walked, and the rules apply to what lies in it. A text or data file is taken for a
    prompt by its path (prompt_paths.py), or where it is all that is named and not under ``force_exclude``: a
    hook hands over whatever was changed. Raises PathError where a path is missing or neither file nor folder,
    or a glob matches nothing.
    """
    files: set[str] = set()
    given: set[str] = set()
    unread: set[str] = set()
    skipped: Counter[str] = Counter()
    errors: dict[str, FileError] = {}
    whole = False
    prompts: set[str] = set()
    named = tuple(_expanded([path for path in paths if path != STDIN], cwd))
    alone = len(named) == 1 and not force_exclude
    for path in named:
        full = os.path.abspath(os.path.join(cwd, path))
        shown = shown_path(full, cwd)
        if not _is_folder(path, full):
            reason = left_out(shown, rules, cwd, alone) if force_exclude else _other_kind(full, rules, alone)
            if reason is not None:
                skipped[reason] += 1
            else:
                files.add(shown)
                given.add(shown)
                if suffix_of(shown) not in rules.suffixes:
                    prompts.add(shown)
            continue
        whole = True
        prefix = "" if shown == "." else shown + "/"
        for what, inner, detail in walk(full, rules):
            match what:
                case walking.TAKEN:
                    files.add(prefix + inner)
                case walking.PROMPT:
                    files.add(prefix + inner)
                    prompts.add(prefix + inner)
                case walking.UNREAD:
                    unread.add(prefix + inner)
                case walking.FAILED:
                    place = prefix + inner or "."
                    errors[place] = FileError(place, None, f"cannot read the folder: {detail}")
                case _:
                    skipped[what] += 1
    return Discovered(
        files=tuple(sorted(files)),
        given=frozenset(given),
        unread=tuple(sorted(unread)),
        skipped=tuple(sorted(skipped.items())),
        errors=tuple(errors[place] for place in sorted(errors)),
        whole=whole,
        stdin=STDIN in paths,
        prompts=frozenset(prompts),
    )


def left_out(path: str, rules: Rules, cwd: str, alone: bool = False) -> str | None:
    """Why a file that is named (relative to the absolute folder ``cwd``) would be left out of a walk of the project:
    as ``excluded_file``, or OTHER_KIND for what is neither code nor, by its path, a prompt."""
    full = os.path.abspath(os.path.join(cwd, path))
    return excluded_file(path, rules, cwd) or _other_kind(full, rules, alone)


def _other_kind(full: str, rules: Rules, alone: bool) -> str | None:
    """OTHER_KIND for a file that is not read. ``alone``: it is all that is named, so that its suffix makes it a
    prompt."""
    suffix = suffix_of(os.path.basename(full))
    if suffix in rules.suffixes:
        return None
    if rules.prompts is None:
        return OTHER_KIND
    if alone and suffix in PROMPT_SUFFIXES:
        return None
    folder, name = os.path.split(full)
    return None if PromptPaths.of(folder, rules.base, rules.prompts).takes(name, full) else OTHER_KIND


def _expanded(paths: Sequence[str], cwd: str) -> Iterator[str]:
    for path in paths:
        if not any(char in path for char in "*?[") or os.path.lexists(os.path.join(cwd, path)):
            yield path
            continue
        from glob import glob

        matches = sorted(glob(path, root_dir=cwd, recursive=True))  # noqa: PTH207
        if not matches:
            raise PathError(f"no file matches {path!r}")
        yield from matches


def _is_folder(path: str, full: str) -> bool:
    """True for a folder, False for a regular file, PathError for anything else."""
    try:
        mode = os.stat(full).st_mode  # noqa: PTH116
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and not isinstance(error, FileNotFoundError | NotADirectoryError):
            raise PathError(f"cannot open {printable(path)}: {error.strerror}") from None
        raise PathError(f"no such file or folder: {printable(path)}{_near(full)}") from None
    if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):
        raise PathError(f"neither a file nor a folder: {printable(path)}")
    return stat.S_ISDIR(mode)


def _near(full: str) -> str:
    try:
        names = os.listdir(os.path.dirname(full))  # noqa: PTH208
    except (OSError, ValueError):
        return ""
    hint = suggestion(os.path.basename(full), names, "")
    return f"; {hint}" if hint else ""
