"""``check --fix``, ``--fix-only`` and ``--diff``: what they ask for, the changed files, and what is said of them."""

# pathlib costs more start-up time than everything in this module.
# ruff: noqa: PTH118

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from promptslim.cli.error import UsageError
from promptslim.cli.session import say, write
from promptslim.core.record import record
from promptslim.core.text import Applicability

if TYPE_CHECKING:
    from promptslim.check.engine import Outcome
    from promptslim.cli.parameters import Given
    from promptslim.cli.session import Session
    from promptslim.core.finding import Finding
    from promptslim.pipeline.fixing import FileChange, Fixing
    from promptslim.pipeline.run import Run

_ALONE = (
    ("changed_since", "--changed-since"),
    ("add_ignore", "--add-ignore"),
    ("write_baseline", "--write-baseline"),
    ("prune_baseline", "--prune-baseline"),
    ("show_files", "--show-files"),
)


@record
class Wanted:
    """What is to be done: ``write`` the files or only show the ``diff``; then show what is left, or (``only``) not."""

    write: bool
    diff: bool
    only: bool
    level: Applicability


def wanted(given: Given) -> Wanted:
    """What the flags ask for, one of which is given. Raises UsageError."""
    diff, only = given.flag("diff"), given.flag("fix_only")
    level = Applicability.UNSAFE if given.flag("unsafe_fixes") else Applicability.SAFE
    flag = "--diff" if diff else "--fix-only" if only else "--fix"
    for name, other in _ALONE:
        if given.flag(name) or given.value(name) is not None:
            raise UsageError(f"{flag} and {other} do not go together; leave one of them out")
    paths = given.listed("paths") or ()
    if not diff and "-" in paths and len(paths) > 1:
        raise UsageError(f"{flag} - writes standard input, fixed, to standard output; leave out the other paths")
    return Wanted(write=not diff, diff=diff, only=only or diff, level=level)


def fixing(session: Session, run: Run, outcome: Outcome, what: Wanted, judge: Callable[[Run], Outcome]) -> Fixing:
    """The files as they are after the fixes, in memory."""
    from promptslim.pipeline.keeping_caches import fix_and_keep_caches

    return fix_and_keep_caches(run, outcome, what.level, session.again(run), judge)


def show_difference(session: Session, changes: Iterable[FileChange]) -> None:
    """The diff of the changed files."""
    from promptslim.report.difference import difference

    colour = session.colour()
    for change in changes:
        write(difference(change.path, change.text_before, change.text_after, colour))


def write_changes(
    session: Session, changes: Sequence[FileChange], together: Sequence[frozenset[str]] = ()
) -> frozenset[str]:
    """Write the changed files, each whole; one line for each that cannot be. The paths of those that were not
    written. Raises UsageError where none is changed because one cannot be stored."""
    if not changes:
        return frozenset()
    from promptslim.edits.atomic_files import replace_files

    cwd = session.place.cwd
    full = {os.path.join(cwd, change.path): change.path for change in changes}
    contents = {os.path.join(cwd, change.path): (change.before, change.after) for change in changes}
    groups = [frozenset(os.path.join(cwd, path) for path in group) for group in together]
    done, lines = replace_files(contents, groups)
    for line in lines:
        shown = next((line.replace(name, path, 1) for name, path in full.items() if line.startswith(name)), line)
        say(f"error: {shown}")
    return frozenset(path for name, path in full.items() if name not in done)


def summarise(result: Fixing, what: Wanted, unwritten: frozenset[str] = frozenset()) -> None:
    """What was fixed, what was not and why, on standard error; a fix in a file that could not be written is none."""
    from promptslim.pipeline.fixing import chosen_fix
    from promptslim.report.place import place

    part = {id(finding) for finding in result.in_part}
    done = [
        finding
        for finding in result.fixed
        if (fix := chosen_fix(finding, what.level)) is None
        or unwritten.isdisjoint(edit.location.path for edit in fix.edits)
    ]
    fixed = sum(id(finding) not in part for finding in done)
    files = sum(change.path not in unwritten for change in result.changes)
    if done:
        verb = "Fixed" if what.write else "Would fix"
        left = len(done) - fixed
        told = f"{verb} {_number(fixed or left, 'finding')}"
        if left:
            told += f", {left:,} more in part," if fixed else " in part,"
        told += f" in {_number(files, 'file')}"
    else:
        told = "Nothing was fixed" if result.fixed else "Nothing to fix"
    say(told + _rest(result.outcome.result.findings, what, len(result.fixed) - len(done)))
    for one in result.not_applied:
        say(f"not fixed: {place(one.finding.primary)}: {one.finding.code} {one.finding.name}: {one.reason}")


def _rest(findings: Sequence[Finding], what: Wanted, unwritten: int) -> str:
    """How many findings are left, and how many of them an unsafe fix removes."""
    left = len(findings) + unwritten
    if not left:
        return ""
    more = unsafe(findings) if what.level is Applicability.SAFE else 0
    verb = "remains" if left == 1 else "remain"
    verb = verb if what.write else "would remain"
    return f"; {left:,} {verb}" + (f" ({more:,} fixable with --unsafe-fixes)" if more else "")


def unsafe(findings: Iterable[Finding]) -> int:
    """How many findings only an unsafe fix removes."""
    return sum(_level(finding) is Applicability.UNSAFE for finding in findings)


def safe(findings: Iterable[Finding]) -> int:
    """How many findings a safe fix removes."""
    return sum(_level(finding) is Applicability.SAFE for finding in findings)


def _level(finding: Finding) -> Applicability:
    levels = [fix.applicability for fix in finding.fixes if fix.edits]
    return max(levels, default=Applicability.DISPLAY)


def hint(findings: Sequence[Finding], unsafe_fixes: bool) -> str:
    """How to fix what can be fixed, "" where nothing can."""
    easy, more = safe(findings), unsafe(findings)
    if unsafe_fixes and (easy or more):
        return f"{easy + more} fixable with --fix --unsafe-fixes"
    if easy:
        return f"{easy} fixable with --fix" + (f", {more} more with --unsafe-fixes" if more else "")
    return f"{more} fixable with --fix --unsafe-fixes" if more else ""


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}" + ("" if count == 1 else "s")
