"""Findings to changed files, in memory: apply fixes, look again, and so on until nothing is left to fix."""

# pathlib costs more start-up time than everything in this module.
# ruff: noqa: PTH118

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from promptslim.core.record import record
from promptslim.core.text import Applicability
from promptslim.edits.apply import OutdatedError, apply_fixes
from promptslim.edits.checked import changed_otherwise, is_text, mapping_of, problem, touches
from promptslim.extract.definitions import definitions

if TYPE_CHECKING:
    from promptslim.check.engine import Outcome
    from promptslim.core.finding import Finding
    from promptslim.core.prompt import Prompt
    from promptslim.core.text import Edit, Fix
    from promptslim.discover.decode import Decoded
    from promptslim.pipeline.run import Run

MOST_ROUNDS = 10
"""Rounds of fixing; fixes that overlap, and findings that a fix brings to light, take a second or third."""


@record
class FileChange:
    """A file before and after: its bytes, and its text (a notebook: its JSON) without byte order mark and with
    ``\\n`` line ends."""

    path: str
    before: bytes
    after: bytes
    text_before: str
    text_after: str


@record
class NotApplied:
    """A fix that was wanted and not applied, and why."""

    finding: Finding
    fix: Fix
    reason: str


@record
class Fixing:
    """What fixing comes to. ``outcome`` is that of the changed files, ``fixed`` the findings whose fixes are in
    ``changes``, ``in_part`` those of them that are still found; ``groups`` are paths that one fix changes together.
    Nothing is written yet."""

    run: Run
    outcome: Outcome
    changes: tuple[FileChange, ...] = ()
    fixed: tuple[Finding, ...] = ()
    not_applied: tuple[NotApplied, ...] = ()
    groups: tuple[frozenset[str], ...] = ()
    in_part: tuple[Finding, ...] = ()


Judge = Callable[["Run"], "Outcome"]
Analyse = Callable[[Mapping[str, bytes], "Sequence[str] | None"], "Run"]
"""A run with other contents for some paths, over some paths or (None) over all that the user gave."""

PROVED = "the prompt has a proof in promptslim.lock: the change would need a new proof"


def chosen_fix(finding: Finding, level: Applicability) -> Fix | None:
    """The first fix of a finding that may be applied at a level and has edits."""
    return next((fix for fix in finding.fixes if fix.applicability >= level and fix.edits), None)


def fix_findings(run: Run, outcome: Outcome, level: Applicability, analyse: Analyse, judge: Judge) -> Fixing:
    """Fix what the findings of a run allow, in memory, in at most MOST_ROUNDS rounds.

    Each round applies fixes that do not overlap, all of one kind (text in strings, then code), checks each file and
    analyses it again; a fix after which something else would differ is left out and reported. A fix whose files
    are not all among those of the run is not applied.
    """
    return _Fixer(run, outcome, level, analyse, judge).result()


class _Fixer:
    """One run of fixing."""

    def __init__(self, run: Run, outcome: Outcome, level: Applicability, analyse: Analyse, judge: Judge) -> None:
        self.first, self.outcome = run, outcome
        self.level, self.analyse, self.judge = level, analyse, judge
        self.decoded: dict[str, tuple[bytes, Decoded]] = {}
        self.texts: dict[str, str] = {}
        self.overlay: dict[str, bytes] = {}
        self.fixed: list[Finding] = []
        self.refused: dict[object, NotApplied] = {}
        self.groups: list[frozenset[str]] = []
        self.paths: frozenset[str] = frozenset()

    def result(self) -> Fixing:
        """Round after round."""
        run, outcome, whole = self.first, self.outcome, True
        rounds = 0
        while rounds < MOST_ROUNDS:
            wanted = self.wanted(run, outcome.result.findings)
            if not wanted:
                if whole:
                    break
                # Rules on the project speak of all files only.
                run, whole = self.analyse(self.overlay, None), True
                outcome = self.judge(run)
                continue
            rounds += 1
            after = self.round(run, wanted)
            if after is not None:
                run, whole = after, False
                outcome = self.judge(run)
        if not self.overlay:
            return Fixing(self.first, self.outcome, not_applied=tuple(self.refused.values()))
        if not whole:
            run = self.analyse(self.overlay, None)
            outcome = self.judge(run)
        changes = (
            FileChange(path, self.decoded[path][0], data, self.decoded[path][1].text, self.texts[path])
            for path, data in sorted(self.overlay.items())
            if data != self.decoded[path][0]
        )
        return Fixing(
            run,
            outcome,
            tuple(changes),
            tuple(self.fixed),
            tuple(self.refused.values()),
            tuple(self.groups),
            tuple(_left(self.outcome.result.findings, self.fixed, outcome.result.findings)),
        )

    def wanted(self, run: Run, findings: Iterable[Finding]) -> list[tuple[Finding, Fix]]:
        """The fixes to be tried next: those of text first, since what they change can be foretold."""
        proved = _proved(run)
        found: list[tuple[Finding, Fix]] = []
        for finding in findings:
            fix = chosen_fix(finding, self.level)
            if fix is None or _key(fix) in self.refused:
                continue
            if any(touches(prompt, fix.edits) for prompt in proved):
                self.refuse(finding, fix, PROVED)
            elif outside := sorted({edit.location.path for edit in fix.edits} - self.first.paths):
                self.refuse(finding, fix, f"{outside[0]} is not among the files of this run")
            else:
                found.append((finding, fix))
        texts = [one for one in found if all(map(is_text, one[1].edits))]
        return texts or found

    def refuse(self, finding: Finding, fix: Fix, reason: str) -> None:
        """Leave a fix out from now on."""
        self.refused[_key(fix)] = NotApplied(finding, fix, reason)

    def round(self, run: Run, wanted: list[tuple[Finding, Fix]]) -> Run | None:
        """Apply what goes together; the run over the files that it touches, None where nothing could be applied."""
        by_fix = {id(fix): finding for finding, fix in wanted}
        accepted, texts = self.accepted(wanted)
        if not accepted:
            return None
        overlay = self.encoded(texts, accepted, by_fix)
        if overlay is None:
            return None
        edits = mapping_of(accepted)
        every = [edit for some in edits.values() for edit in some]
        around = {file.path for file in run.facts if any(touches(prompt, every) for prompt in file.prompts)}
        paths = sorted(({*edits} | around | self.paths) & self.first.paths)
        after = self.analyse({**self.overlay, **overlay}, paths)
        if self.broken(run, after, accepted, by_fix, paths):
            return None
        self.paths = frozenset(paths)
        self.overlay |= overlay
        self.texts |= texts
        self.fixed += [by_fix[id(fix)] for fix in accepted]
        spread = (frozenset(edit.location.path for edit in fix.edits) for fix in accepted)
        self.groups += [several for several in spread if len(several) > 1]
        return after

    def accepted(self, wanted: list[tuple[Finding, Fix]]) -> tuple[list[Fix], dict[str, str]]:
        """The fixes that go in together, and the new texts; one by one where together they do not pass."""
        fixes: list[Fix] = []
        for finding, fix in wanted:
            try:
                for edit in fix.edits:
                    self.read(edit.location.path)
            except (OSError, ValueError) as error:
                self.refuse(finding, fix, f"{edit.location.path} cannot be read: {_reason(error)}")
            else:
                fixes.append(fix)
        good, texts, reason = self.tried(fixes)
        if reason is None:
            return good, texts
        kept: list[Fix] = []
        texts = {}
        by_fix = {id(fix): finding for finding, fix in wanted}
        for fix in fixes:
            good, tried, reason = self.tried([*kept, fix])
            if reason is None:
                kept, texts = good, tried
            else:
                self.refuse(by_fix[id(fix)], fix, reason)
        return kept, texts

    def tried(self, fixes: Sequence[Fix]) -> tuple[list[Fix], dict[str, str], str | None]:
        """The fixes that go together, the new texts, and what is wrong with them."""
        try:
            applied = apply_fixes(self.texts, fixes)
        except OutdatedError as error:
            return [], {}, str(error)
        if applied.invalid:
            return [], {}, "its edits do not go together"
        edits = mapping_of(applied.fixes)
        for path, text in applied.texts.items():
            if (reason := problem(path, self.texts[path], text, edits[path])) is not None:
                return [], {}, reason
        return list(applied.fixes), dict(applied.texts), None

    def encoded(
        self, texts: Mapping[str, str], accepted: Sequence[Fix], by_fix: Mapping[int, Finding]
    ) -> dict[str, bytes] | None:
        """The bytes of the new texts; None where a file cannot hold one, whose fixes are refused."""
        overlay: dict[str, bytes] = {}
        good = True
        for path, text in texts.items():
            original, decoded = self.decoded[path]
            try:
                overlay[path] = _bytes_of(original, decoded, text)
            except ValueError as error:
                good = False
                self.refuse_all(accepted, by_fix, partial(_is_in, path), f"{path}: {error}")
        return overlay if good else None

    def broken(
        self, run: Run, after: Run, accepted: Sequence[Fix], by_fix: Mapping[int, Finding], paths: Sequence[str]
    ) -> bool:
        """Whether the files read otherwise than intended; the fixes at fault are refused then."""
        known = {(error.path, error.message) for file in run.facts for error in file.errors}
        for error in (error for file in after.facts for error in file.errors):
            if (error.path, error.message) not in known and error.path in paths:
                reason = f"{error.path} could not be read any more: {error.message}"
                return self.refuse_all(accepted, by_fix, partial(_is_in, error.path), reason)
        if not all(is_text(edit) for fix in accepted for edit in fix.edits):
            return False
        looked = frozenset(paths)
        before = [one for one in definitions(run.facts) if one.location.path in looked]
        now = [one for file in after.facts for one in file.prompts if one.location.path in looked]
        others = changed_otherwise(before, now, accepted)
        if not others:
            return False
        reason = f"the prompt {others[0].id} would not read as intended"
        around = {prompt.location.path for prompt in others}
        return (
            self.refuse_all(accepted, by_fix, lambda edit: _at_fault(edit, others), reason)
            or self.refuse_all(accepted, by_fix, lambda edit: edit.location.path in around, reason)
            or self.refuse_all(accepted, by_fix, bool, reason)
        )

    def refuse_all(
        self, fixes: Sequence[Fix], by_fix: Mapping[int, Finding], at_fault: Callable[[Edit], bool], reason: str
    ) -> bool:
        """Refuse the fixes with an edit that is at fault. Whether there is one."""
        found = [fix for fix in fixes if any(map(at_fault, fix.edits))]
        for fix in found:
            self.refuse(by_fix[id(fix)], fix, reason)
        return bool(found)

    def read(self, path: str) -> None:
        """Read a file, once. Raises OSError and ValueError."""
        if path in self.decoded:
            return
        from promptslim.discover.decode import decode
        from promptslim.discover.reading import read_bytes

        stdin = self.first.stdin
        if stdin is not None and stdin.path == path:
            data = stdin.data
        else:
            data = read_bytes(os.path.join(self.first.place.cwd, path))
        self.decoded[path] = data, decode(data, python=path.endswith(".py"))
        self.texts[path] = self.decoded[path][1].text


def _left(before: Iterable[Finding], fixed: Iterable[Finding], after: Iterable[Finding]) -> Iterator[Finding]:
    """The findings that are found again after their fixes: of those that say the same, as many as there were fixes
    without one finding less."""
    gone = Counter(map(_subject, before))
    gone.subtract(map(_subject, after))
    for finding in fixed:
        gone[_subject(finding)] -= 1
        if gone[_subject(finding)] < 0:
            yield finding


def _subject(finding: Finding) -> tuple[str, str, str | None, str]:
    return finding.code, finding.primary.path, finding.scope, finding.evidence


def _bytes_of(original: bytes, decoded: Decoded, text: str) -> bytes:
    """The bytes of a changed text; lines that did not change keep their line ends where a file mixes several."""
    if decoded.newline is not None:
        return decoded.encoded(text)
    from promptslim.edits.line_ends import with_line_ends

    body = original[3:] if decoded.bom else original
    return original[: len(original) - len(body)] + with_line_ends(body.decode(decoded.encoding), text).encode(
        decoded.encoding
    )


def _reason(error: OSError | ValueError) -> str:
    """Without the absolute path that the system puts into its message."""
    return error.strerror or "no reason given" if isinstance(error, OSError) else str(error)


def _is_in(path: str, edit: Edit) -> bool:
    return edit.location.path == path


def _at_fault(edit: Edit, prompts: Iterable[Prompt]) -> bool:
    return any(touches(prompt, (edit,)) for prompt in prompts)


def _proved(run: Run) -> list[Prompt]:
    """The prompts that have a proof."""
    places = {(one.prompt.path, one.prompt.cell, one.prompt.span) for one in run.proofs if one.prompt is not None}
    if not places:
        return []
    return [
        prompt
        for prompt in definitions(run.facts)
        if (prompt.primary.path, prompt.primary.cell, prompt.primary.span) in places
    ]


def _key(fix: Fix) -> object:
    """A fix by what it changes, in its surroundings: lines around it may move."""
    return tuple(
        (edit.location.path, edit.location.cell, edit.location.text, edit.text, _around(edit)) for edit in fix.edits
    )


def _around(edit: Edit) -> str:
    text, span = edit.location.document.text, edit.location.span
    return text[max(span.start - 40, 0) : span.start] + "\0" + text[span.end : span.end + 40]
