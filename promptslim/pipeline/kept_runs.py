"""Outcomes of runs kept in the cache: a run over files that are all as they were shows what it showed before.

An outcome depends on the files that the paths lead to, on what was read, missed and asked for beyond them (as
``discover.project`` records it), on the settings, the date and the installed version. All of that is kept with it,
and compared. A damaged or foreign file is passed over: it only saves time.
"""

# pathlib costs more start-up time than everything in this module.
# ruff: noqa: PTH108, PTH113, PTH118, PTH120, PTH123

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any
from zlib import adler32, crc32

from promptslim.catalog import load
from promptslim.catalog.store import installation
from promptslim.config.cache_folder import cache_folder, keep
from promptslim.config.data_folder import data_folder
from promptslim.core.record import items
from promptslim.discover.file_state import FileState, file_state, unchanged
from promptslim.discover.ignore_files import repository_of
from promptslim.pipeline.run import LOCK, Run, date_of_today, discovered

if TYPE_CHECKING:
    from promptslim.check.baseline import Entry
    from promptslim.check.engine import Outcome
    from promptslim.discover.paths import Discovered
    from promptslim.discover.project import DiskFiles
    from promptslim.pipeline.run import Place

FOLDER = "runs"
MOST_KEPT = 100
"""Outcomes kept; the ones written longest ago go first."""

MOST_BYTES = 4_000_000
"""Largest outcome kept: it carries the texts that its findings lie in."""

MOST_CHECKSUMS = 400
"""Files of a run up to which each is known by its content; of a larger run only those that were analysed are, and
the others by their times. To read them all takes as long as the run."""

_SHOWING = {"output_format": "text", "fail_on": "info"}
"""Settings that change what is shown of an outcome, not the outcome."""


class KeptRun:
    """The kept outcome of one run: of these paths, under these settings, against this baseline."""

    def __init__(self, version: str, paths: Sequence[str], place: Place, baseline: tuple[Entry, ...] | None) -> None:
        """``version`` is that of the package. ``found`` becomes the files of the run. Raises PathError."""
        self._started = time.time_ns()
        self._place = place
        self.found: Discovered = discovered(paths, place)
        self._key = _key(version, paths, place, baseline)
        self._projects: dict[str, DiskFiles] = {}
        name = f"{crc32(self._key.encode()):08x}{adler32(self._key.encode()):08x}.json"
        self._file = os.path.join(cache_folder(), FOLDER, name)

    def recall(self) -> tuple[Run, Outcome] | None:
        """The run without its facts, and its outcome; None where none is kept or something is not as it was."""
        try:
            with open(self._file, encoding="ascii") as file:
                checksum, _, text = file.read().partition("\n")
            if checksum != f"{crc32(text.encode()):08x}":
                return None
            kept = json.loads(text)
            if kept["key"] != self._key or not self._same(kept):
                return None
            from promptslim.check.outcome_form import outcome_of

            return self._run(kept["run"]), outcome_of(kept["outcome"])
        except (OSError, LookupError, TypeError, ValueError, RecursionError):
            return None

    def keep(self, run: Run, outcome: Outcome) -> None:
        """Keep an outcome, unless a file has changed while it was made or could not be read, or it is quicker to make
        than to look up."""
        if not run.asked and len(self.found.files) < MOST_CHECKSUMS:
            return
        missed = {path for one in run.asked.values() for path in one.misses} | set(_named_files(self._place))
        absent = {path for path in missed if not self._is_file(path)}
        states = list(self._states(run, missed - absent))
        if any(state is None for _, state in states):
            return
        from promptslim.check.outcome_form import plain

        kept = {
            "key": self._key,
            "found": _checksum(self.found),
            "files": [[path, *state.stamp, state.size, state.checksum] for path, state in states if state],
            "absent": sorted(absent),
            "callers": [[root, name, paths] for root, one in run.asked.items() for name, paths in one.callers.items()],
            "run": {
                "copies": dict(run.copies),
                "unread": list(run.unread),
                "skipped": list(run.skipped),
                "paths": sorted(run.paths.symmetric_difference(self.found.files)),
                "analysed": run.analysed,
            },
            "outcome": plain(outcome),
        }
        text = json.dumps(kept, separators=(",", ":"))
        content = text.encode("ascii")
        if len(content) <= MOST_BYTES and keep(self._file, b"%08x\n%b" % (crc32(content), content)):
            _prune(os.path.dirname(self._file))

    def _states(self, run: Run, more: Iterable[str]) -> Iterator[tuple[str, FileState | None]]:
        read = {path for one in run.asked.values() for path in one.reads}.union(more)
        found = {*self.found.files, *self.found.unread}
        every = len(found | read) <= MOST_CHECKSUMS
        for path in sorted(found | read):
            yield path, file_state(self._full(path), self._started, content=every or path in read)

    def _same(self, kept: Any) -> bool:  # noqa: ANN401 (what JSON holds)
        now = time.time_ns()
        return (
            kept["found"] == _checksum(self.found)
            and not any(self._is_file(path) for path in kept["absent"])
            and all(
                unchanged(self._full(path), FileState((size, modified, changed), length, checksum), now)
                for path, size, modified, changed, length, checksum in kept["files"]
            )
            and all(self._callers(root, name) == known for root, name, known in kept["callers"])
        )

    def _run(self, kept: Any) -> Run:  # noqa: ANN401
        return Run(
            place=self._place,
            catalog=load(),
            today=date_of_today(),
            discovered=self.found,
            paths=frozenset(self.found.files).symmetric_difference(kept["paths"]),
            facts=(),
            copies=kept["copies"],
            unread=tuple((suffix, count) for suffix, count in kept["unread"]),
            skipped=tuple((reason, count) for reason, count in kept["skipped"]),
            analysed=kept["analysed"],
        )

    def _callers(self, root: str, name: str) -> list[str]:
        from promptslim.discover.project import open_project  # most files ask for no callers

        if root not in self._projects:
            self._projects[root] = open_project(root, self._place.settings, self._place.cwd)
        return list(self._projects[root].callers(name))

    def _is_file(self, path: str) -> bool:
        return os.path.isfile(self._full(path))

    def _full(self, path: str) -> str:
        return os.path.join(self._place.cwd, path)


def _key(version: str, paths: Sequence[str], place: Place, baseline: tuple[Entry, ...] | None) -> str:
    settings = {item.name: getattr(place.settings, item.name) for item in items(place.settings)} | _SHOWING
    known = None if baseline is None else repr(baseline)
    repositories = [repository_of(os.path.join(place.cwd, path)) for path in (".", *paths)]
    parts = (
        version,
        installation(data_folder()),
        date_of_today(),
        place.cwd,
        list(paths),
        repositories,
        settings,
        known,
    )
    return json.dumps(parts, sort_keys=True, default=str)


def _named_files(place: Place) -> Iterator[str]:
    """Files that the settings name, and those that have a usual place."""
    from promptslim.pricing.price_path import prices_path

    settings = place.settings
    named = (
        os.path.join(settings.base, LOCK),
        settings.prices or prices_path(None),
        settings.tokenizer,
        *settings.catalog,
    )
    return (path for path in named if path is not None)


def _checksum(found: Discovered) -> int:
    """Of everything that was found, whatever order its sets have in this process."""
    parts = {
        item.name: sorted(value) if isinstance(value, frozenset) else value
        for item in items(found)
        for value in (getattr(found, item.name),)
    }
    return crc32(repr(parts).encode("utf-8", "surrogatepass"))


def _prune(folder: str) -> None:
    """Take away the oldest outcomes, a quarter of them at once."""
    from contextlib import suppress

    with suppress(OSError), os.scandir(folder) as found:
        files = sorted((entry.stat().st_mtime_ns, entry.path) for entry in found)
        if len(files) > MOST_KEPT:
            for _, path in files[: len(files) - MOST_KEPT * 3 // 4]:
                os.unlink(path)
