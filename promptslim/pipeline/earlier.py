"""A run over the files as they were, and what of a run is new since then."""

# pathlib costs more start-up time than everything in this module.
# ruff: noqa: PTH113, PTH118

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from promptslim.check.changed_place import at_a_change, is_changed
from promptslim.check.identity import identity, paired
from promptslim.core.record import replace
from promptslim.discover.kinds import CODE_SUFFIXES, suffix_of
from promptslim.discover.project import DiskFiles, by_root, open_project
from promptslim.pipeline import run as pipeline

if TYPE_CHECKING:
    from promptslim.check.engine import Outcome
    from promptslim.core.finding import Finding
    from promptslim.core.text import Document
    from promptslim.discover.git_changes import Changes
    from promptslim.discover.paths import Discovered
    from promptslim.discover.project import Instead
    from promptslim.pipeline.run import Place, Run

MOST_CAUSES = 8
"""Changed files that are tried as the cause of one finding."""

MOST_TRACED = 40
"""Findings whose cause is looked for in other files; a pull request with more has other problems."""


def files_of(found: Discovered, instead: Instead, place: Place) -> Discovered:
    """The files of a run as they were: also changed ones that the paths of the run do not lead to, because what
    stands in its files now may have stood elsewhere."""
    gone = {path for path, data in instead.items() if data is None}
    more = [path for path in instead if path not in gone and _taken(path, place)]
    prompts = {path for path in more if suffix_of(path) not in CODE_SUFFIXES}
    return replace(
        found,
        files=tuple(sorted({*found.files, *more} - gone)),
        given=found.given - gone,
        prompts=(found.prompts | prompts) - gone,
    )


def _taken(path: str, place: Place) -> bool:
    """Whether a check of the whole project would take a file by its path."""
    from promptslim.discover.prompt_paths import PromptPaths
    from promptslim.discover.walk import excluded_file, rules_of

    rules = rules_of(place.settings, prompts=True)
    if excluded_file(path, rules, place.cwd) is not None:
        return False
    full = os.path.normpath(os.path.join(place.cwd, path))
    folder, name = os.path.split(full)
    if suffix_of(path) in CODE_SUFFIXES or rules.prompts is None:
        return suffix_of(path) in CODE_SUFFIXES
    return PromptPaths.of(folder, rules.base, rules.prompts).takes(name, full)


def only_new(run: Run, outcome: Outcome, paths: Sequence[str], changes: Changes) -> Outcome:
    """The outcome with the findings that the changes have caused, each at a changed line where there is one.

    A finding that was there before is left out, wherever it stood and however it has moved.
    """
    findings = outcome.result.findings
    if not findings:
        return outcome
    # A finding that was less certain before was there before.
    certain = replace(run.place, settings=replace(run.place.settings, min_confidence="low"))
    before = pipeline.check(pipeline.analyse(paths, certain, run.today, instead=changes.before)).result.findings
    known = [identity(finding) for finding in before]
    now = [*findings, *_beside(run, certain, changes)]
    pairs = paired(now, known, touched=lambda one: is_changed(one.primary, changes.lines))
    trace = _Trace(run, changes)
    new = [
        at_a_change(one, changes.lines, trace.causes(one) if number < MOST_TRACED else (), trace.documents)
        for number, one in enumerate(one for index, one in enumerate(findings) if index not in pairs)
    ]
    new.sort(
        key=lambda one: (one.primary.path, -1 if one.primary.cell is None else one.primary.cell, one.primary.start)
    )
    summary = replace(outcome.result.summary, findings=len(new), older=len(findings) - len(new))
    return replace(outcome, result=replace(outcome.result, findings=tuple(new), summary=summary))


def _beside(run: Run, place: Place, changes: Changes) -> Sequence[Finding]:
    """What is found in changed files that the paths of the run do not lead to: it is not reported, but it is what
    some of the earlier findings are now."""
    paths = [
        path
        for path in sorted(changes.before)
        if path not in run.paths and os.path.isfile(os.path.join(place.cwd, path)) and _taken(path, place)
    ]
    return pipeline.check(pipeline.analyse(paths, place, run.today)).result.findings if paths else ()


class _Trace:
    """Finds which changed file a finding comes from, by taking the changes back one at a time."""

    def __init__(self, run: Run, changes: Changes) -> None:
        self._run = run
        self._changes = changes
        self._documents = {file.path: file.documents for file in run.facts}
        self._reads: dict[str, frozenset[str]] = {}
        self._found: dict[tuple[str, str], tuple[Finding, ...]] = {}

    def causes(self, finding: Finding) -> tuple[str, ...]:
        """Changed files that the finding may come from, those without whose change it would not be there first."""
        if is_changed(finding.primary, self._changes.lines):
            return ()
        path = finding.primary.path
        own = [path] if path in self._changes.before else []
        near = {place.location.path for place in finding.related} | self._read_by(path)
        others = sorted((near & self._changes.before.keys()) - {path})
        candidates = (*own, *others)[:MOST_CAUSES]
        if len(candidates) < 2:
            return candidates
        decisive = [one for one in candidates if not paired([finding], [identity(o) for o in self._without(path, one)])]
        return (*decisive, *(one for one in candidates if one not in decisive))

    def documents(self, path: str) -> Iterable[Document]:
        """The texts of a file as it is now; nothing where it cannot be read."""
        if path not in self._documents:
            from promptslim.core.text import Document

            text = self._files(path).text(path)
            self._documents[path] = () if text is None else (Document(path, text),)
        return self._documents[path]

    def _without(self, path: str, changed: str) -> tuple[Finding, ...]:
        """What is found in a file where one other is as it was before."""
        if (path, changed) not in self._found:
            instead = {changed: self._changes.before[changed]}
            run = pipeline.analyse([path], self._run.place, self._run.today, instead=instead)
            self._found[path, changed] = pipeline.check(run).result.findings
        return self._found[path, changed]

    def _read_by(self, path: str) -> frozenset[str]:
        """The files that were asked for in the analysis of a file."""
        if path not in self._reads:
            from promptslim.extract import Analyser

            files = self._files(path)
            text = files.text(path)
            if text is not None and suffix_of(path) in CODE_SUFFIXES:
                Analyser(files, self._run.catalog, self._run.place.settings).analyse(path, text)
            self._reads[path] = frozenset(files.observation.reads | files.observation.misses)
        return self._reads[path]

    def _files(self, path: str) -> DiskFiles:
        place = self._run.place
        (root,) = by_root([path], place.settings, place.cwd)
        return open_project(root, place.settings, place.cwd)
