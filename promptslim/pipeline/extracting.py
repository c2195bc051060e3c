"""The surviving files of a run to facts, project by project, in one process or two."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from promptslim.core.record import record
from promptslim.core.result import FileError
from promptslim.discover.kinds import CODE_SUFFIXES, suffix_of
from promptslim.discover.project import DiskFiles, Instead, Observation, by_root, open_project
from promptslim.extract import Analyser
from promptslim.pipeline.run import unread

if TYPE_CHECKING:
    from promptslim.catalog import Catalog
    from promptslim.config.settings import Settings
    from promptslim.core.facts import FileFacts
    from promptslim.pipeline.run import Progress

WORTH_A_PROCESS = 100_000
"""Bytes of source to be analysed from which a second process saves more time than it costs."""


def extract(
    survivors: Mapping[str, bytes],
    catalog: Catalog,
    settings: Settings,
    cwd: str,
    progress: Progress,
    instead: Instead | None = None,
) -> tuple[list[FileFacts], dict[str, Observation]]:
    """Facts of files (path to content), each within the project that it belongs to, and what was asked of each
    project (by its root) for them.

    ``progress`` is called after each with how many are done and how many there are.
    """
    facts: list[FileFacts] = []
    asked: dict[str, Observation] = {}
    for root, paths in by_root(survivors, settings, cwd).items():
        files = open_project(root, settings, cwd, instead)
        for path in paths:
            files.hold(path, survivors[path])

        share = _Share(progress, len(facts), len(paths), len(survivors))
        worker = _Worker(files, Analyser(files, catalog, settings), share)
        sizes = [(path, len(survivors[path])) for path in paths]
        asked[root] = files.observation
        if sum(size for _, size in sizes) < WORTH_A_PROCESS:
            done = worker(paths)
        else:
            from promptslim.pipeline.two_processes import in_two  # a small run needs none of it

            done = in_two(sizes, worker)
        for found, observation in done:
            facts.append(found)
            asked[root].add(observation)
    return facts, asked


class _Worker:
    """Files to facts with what was asked for them, in the process that made it or in a copy of it, which shows no
    progress."""

    def __init__(self, files: DiskFiles, analyser: Analyser, progress: _Share) -> None:
        self._files = files
        self._analyser = analyser
        self._progress = progress
        self._process = os.getpid()

    def __call__(self, paths: Sequence[str]) -> list[tuple[FileFacts, Observation]]:
        done = []
        for number, path in enumerate(paths, 1):
            observation = self._files.observe()
            done.append((self._facts(path), observation))
            if os.getpid() == self._process:
                self._progress.show(number, len(paths))
        return done

    def _facts(self, path: str) -> FileFacts:
        text = self._files.text(path)
        if text is None:
            return unread(self._files.why(path) or FileError(path, None, "cannot be read"))
        if suffix_of(path) not in CODE_SUFFIXES:
            from promptslim.extract.files.prompt_files import analyse_prompt_file  # many runs have no prompt file

            return analyse_prompt_file(path, text, self._files)
        return self._analyser.analyse(path, text)


@record
class _Share:
    """``progress`` for one project of a run: ``size`` files after ``before`` others, of ``total``."""

    progress: Progress
    before: int
    size: int
    total: int

    def show(self, done: int, of: int) -> None:
        """``done`` of the ``of`` files of this process; the others are taken to be as far."""
        self.progress(self.before + done * self.size // of, self.total)
