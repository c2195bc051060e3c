"""Walking a folder: what is taken, what is left out and why."""

from __future__ import annotations

import os
from collections.abc import Iterator

from promptslim.config.patterns import IgnorePatterns
from promptslim.config.settings import Settings
from promptslim.core.record import record
from promptslim.discover.ignore_files import Level, Levels, ignored, levels_above, levels_in
from promptslim.discover.kinds import CODE_SUFFIXES, suffix_of
from promptslim.discover.left_out import TEST, folder_reason, name_reason
from promptslim.discover.prompt_paths import PROMPT_SUFFIXES, PromptPaths
from promptslim.discover.shown_path import shown_path

TAKEN = "taken"
PROMPT = "prompt"
UNREAD = "unread"
FAILED = "failed"
IGNORED = "ignored"
EXCLUDED = "excluded"
FOLDER = "folder"
LINK = "link"


@record
class Rules:
    """What a walk takes.

    ``base`` is the absolute folder to which ``exclude``, ``include`` and ``prompts`` are relative (include None:
    every file), ``suffixes`` are taken and ``unread`` reported as being of another language. ``prompts`` are
    the patterns of prompt files; None: prompt files are not looked for.
    """

    base: str
    exclude: IgnorePatterns
    include: IgnorePatterns | None
    suffixes: frozenset[str]
    unread: frozenset[str]
    gitignore: bool
    tests: bool
    prompts: IgnorePatterns | None = None


def rules_of(
    settings: Settings,
    suffixes: frozenset[str] = CODE_SUFFIXES,
    unread: frozenset[str] = frozenset(),
    prompts: bool = False,
) -> Rules:
    """The rules that the settings ask for."""
    return Rules(
        base=settings.base,
        exclude=IgnorePatterns(settings.exclude),
        include=IgnorePatterns(settings.include) if settings.include else None,
        suffixes=suffixes,
        unread=unread,
        gitignore=settings.respect_gitignore,
        tests=settings.include_tests,
        prompts=IgnorePatterns(settings.prompts) if prompts else None,
    )


def walk(start: str, rules: Rules) -> Iterator[tuple[str, str, str]]:
    """What lies below the absolute folder ``start``, in no particular order.

    Yields (what, path relative to start, detail): TAKEN, PROMPT and UNREAD files; files left out as "test",
    "vendored", "generated", IGNORED, EXCLUDED or LINK (a symbolic link: its target is taken where it lies);
    FOLDER for an ignored or excluded folder, which is not entered; FAILED for a folder that cannot be read,
    with the system's message as detail. Links are not followed, so that there are no cycles. Devices and
    pipes are passed over.
    """
    take = _Choice(start, rules)
    pending: list[tuple[str, Levels, str | None]] = [("", levels_above(start) if rules.gitignore else (), None)]
    wanted = rules.suffixes | rules.unread
    maybe_prompts = PROMPT_SUFFIXES if rules.prompts is not None else frozenset()
    patterns = bool(rules.prompts)
    while pending:
        inner, levels, reason = pending.pop()
        folder = f"{start}/{inner}"
        try:
            with os.scandir(folder) as listing:
                entries = list(listing)
        except OSError as error:
            yield FAILED, inner.removesuffix("/"), error.strerror or str(error)
            continue
        names = {entry.name for entry in entries}
        if "pyvenv.cfg" in names and inner:
            yield FOLDER, inner.removesuffix("/"), ""
            continue
        if rules.gitignore:
            levels = levels_in(folder, names, inner, levels)
        for entry in entries:
            name = entry.name
            path = inner + name
            if entry.is_dir(follow_symlinks=False):
                if take.enters(path, name, levels):
                    pending.append((path + "/", levels, reason or folder_reason(name)))
                else:
                    yield FOLDER, path, ""
            elif (suffix := suffix_of(name)) in wanted:
                if what := take.file(entry, path, suffix, levels, reason):
                    yield what, path, ""
            elif (
                (suffix in maybe_prompts or patterns)
                and take.prompt(path)
                and (what := take.file(entry, path, suffix, levels, reason, prompt=True))
            ):
                yield what, path, ""


def excluded_file(path: str, rules: Rules, cwd: str) -> str | None:
    """Why a file (relative to the absolute folder ``cwd``) would be left out of a walk of the project by its
    path: EXCLUDED, "test", "vendored" or "generated"; None where it would not. Ignore files are not asked."""
    inside = shown_path(os.path.normpath(os.path.join(cwd, path)), rules.base)  # noqa: PTH118 (pathlib is slow)
    if rules.exclude.covers(inside) or (rules.include is not None and not rules.include.covers(inside)):
        return EXCLUDED
    *folders, name = inside.split("/")
    reasons = [reason for folder in folders if (reason := folder_reason(folder))]
    reason = reasons[0] if reasons else name_reason(name)
    return None if rules.tests and reason == TEST else reason


class _Choice:
    """What becomes of each entry of a walk."""

    __slots__ = ("_exclude", "_include", "_prompts", "_rules", "_start")

    def __init__(self, start: str, rules: Rules) -> None:
        prefix = "" if start == rules.base else shown_path(start, rules.base) + "/"
        self._rules = rules
        self._exclude = Level(rules.exclude, prefix, 0)
        self._include = rules.include, prefix
        self._start = start
        self._prompts = PromptPaths.of(start, rules.base, rules.prompts) if rules.prompts is not None else None

    def enters(self, path: str, name: str, levels: Levels) -> bool:
        return not self._exclude.verdict(path, name, True) and not (levels and ignored(levels, path, name, True))

    def prompt(self, path: str) -> bool:
        return self._prompts is not None and self._prompts.takes(path, f"{self._start}/{path}")

    def file(
        self,
        entry: os.DirEntry[str],
        path: str,
        suffix: str,
        levels: Levels,
        reason: str | None,
        prompt: bool = False,
    ) -> str | None:
        """What to say of a file; None for what is none."""
        name = entry.name
        rules = self._rules
        if not entry.is_file(follow_symlinks=False):
            return LINK if entry.is_symlink() and (prompt or suffix in rules.suffixes) else None
        if self._exclude.verdict(path, name, False):
            what: str | None = EXCLUDED
        elif levels and ignored(levels, path, name, False):
            what = IGNORED
        else:
            what = reason or name_reason(name)
            if what is None or (what == TEST and rules.tests):
                include, prefix = self._include
                what = None if include is None or include.covers(prefix + path) else EXCLUDED
        if prompt or suffix in rules.suffixes:
            return what or (PROMPT if prompt else TAKEN)
        return UNREAD if what is None else None
