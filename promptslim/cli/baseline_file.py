"""The baseline file of a run: read before it, written or pruned after it."""
# pathlib costs more start-up time than everything in this module.
# ruff: noqa: PTH118, PTH123

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from promptslim.cli.error import UsageError
from promptslim.cli.session import say
from promptslim.edits.atomic_files import replace_file

if TYPE_CHECKING:
    from promptslim.check.baseline import Entry
    from promptslim.check.engine import Outcome
    from promptslim.cli.session import Session

DEFAULT = "promptslim-baseline.json"
"""Name of the baseline file where none is given, in the folder of the config file or the working directory."""


class BaselineFile:
    """The file that a run keeps its known findings in; ``entries`` is None where the run has none."""

    def __init__(self, session: Session) -> None:
        """Reads the file. Raises UsageError and BaselineError."""
        self._session = session
        self._writes = session.given.flag("write_baseline")
        self._prunes = session.given.flag("prune_baseline")
        self._path = _path_of(session)
        self.entries = self._read()

    def _read(self) -> tuple[Entry, ...] | None:
        full = os.path.join(self._session.place.cwd, self._path)
        unread = self._session.given.flag("isolated") and not self.changes
        if not self._named and (unread or not os.path.lexists(full)):
            if self._prunes:
                raise UsageError(f"no baseline file {self._path}; make it with --write-baseline")
            return () if self._writes else None
        from promptslim.check.baseline import BaselineError, read

        try:
            with open(full, encoding="utf-8") as file:
                return read(file.read())
        except FileNotFoundError:
            if self._writes:
                return ()
            raise UsageError(f"no baseline file {self._path}; make it with --write-baseline") from None
        except BaselineError as error:
            if self._writes:
                return ()
            raise BaselineError(f"{self._path} {error}") from None
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"cannot read the baseline file {self._path}: {error}") from None

    @property
    def changes(self) -> bool:
        """Whether the run is to write the file."""
        return self._writes or self._prunes

    @property
    def _named(self) -> bool:
        return self._session.place.settings.baseline is not None

    def update(self, outcome: Outcome) -> tuple[Entry, ...] | None:
        """Write or prune the file where that was asked for, and give the entries that it has now; else None."""
        comparison = outcome.comparison
        if comparison is None or not self.changes:
            return None
        kept = comparison.accepting(outcome.result.findings) if self._writes else comparison.pruned()
        from promptslim.check.baseline import write

        replace_file(os.path.join(self._session.place.cwd, self._path), write(kept))
        self._session.note(f"{len(kept)} findings in {self._path}")
        return kept

    def stale(self, outcome: Outcome) -> bool:
        """True, with a line on standard error, where the file holds findings that this run would have found and did
        not: left there, they would hide the next finding of their kind."""
        count = len(outcome.comparison.fixed) if outcome.comparison else 0
        if count and self._session.quiet < 2:
            what = "1 finding is" if count == 1 else f"{count} findings are"
            say(f"{what} fixed but still in {self._path}; run with --prune-baseline, so that none comes back unseen")
        return count > 0


def _path_of(session: Session) -> str:
    """Relative to the working directory."""
    settings = session.place.settings
    if settings.baseline is not None:
        return settings.baseline
    if session.given.flag("isolated"):
        return DEFAULT
    return os.path.relpath(os.path.join(settings.base, DEFAULT), session.place.cwd).replace(os.sep, "/")
