"""What the commands share at run time: settings, standard input, output, warnings, progress."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from promptslim.cli.error import UsageError
from promptslim.cli.settings_flags import configured

if TYPE_CHECKING:
    from promptslim.check.baseline import Entry
    from promptslim.check.engine import Outcome
    from promptslim.cli.parameters import Given
    from promptslim.discover.paths import Discovered
    from promptslim.pipeline.run import Run, Stdin

SLOW = 1.0
"""Seconds after which a run shows its progress."""

STEP = 0.1
"""Seconds between two updates of it."""


class Session:
    """One command that works on files."""

    def __init__(self, given: Given) -> None:
        """Reads the configuration. Raises ConfigError and UsageError."""
        import gc

        # The run is short and makes no cycles worth collecting; collection costs up to a fifth of it.
        gc.disable()
        self.given = given
        self.place, self.configuration = configured(given)
        self._read: Stdin | None = None
        self.standard_input = b""
        self.quiet = given.count("quiet")
        self.verbose = given.count("verbose")

    def format(self, known: tuple[str, ...]) -> str:
        """The output format, which a configuration file may name too. Raises UsageError."""
        from promptslim.config.error import suggestion

        chosen = self.place.settings.output_format
        if chosen not in known:
            raise UsageError(f"unknown output format {chosen!r}; {suggestion(chosen, known, 'formats')}")
        return chosen

    def analyse(self, found: Discovered | None = None) -> Run:
        """Run the first half of the pipeline over the given paths, with progress on a terminal. ``found``: the files
        that these lead to, where that is known."""
        from promptslim.pipeline import run as pipeline

        show = _Progress() if sys.stderr.isatty() and not self.quiet else None
        paths = self.given.listed("paths") or (".",)
        stdin = self._read = self._stdin(paths)
        try:
            run = pipeline.analyse(paths, self.place, stdin=stdin, progress=show or _silent, found=found)
        finally:
            if show is not None:
                show.clear()
        self._remark(run)
        return run

    def checked(self, baseline: tuple[Entry, ...] | None) -> tuple[Run, Outcome]:
        """Run the whole pipeline over the given paths against a baseline, or show again what it gave when nothing has
        changed since (then the run has no facts)."""
        from promptslim.pipeline import run as pipeline

        paths = self.given.listed("paths") or (".",)
        if not self.place.settings.cache or "-" in paths:
            run = self.analyse()
            return run, pipeline.check(run, baseline)
        from promptslim import __version__
        from promptslim.pipeline.kept_runs import KeptRun

        kept = KeptRun(__version__, paths, self.place, baseline)
        known = kept.recall()
        if known is not None:
            self._remark(known[0])
            self.note("nothing has changed since these findings were made")
            return known
        run = self.analyse(kept.found)
        outcome = pipeline.check(run, baseline)
        kept.keep(run, outcome)
        return run, outcome

    def again(self, run: Run) -> Callable[[Mapping[str, bytes], Sequence[str] | None], Run]:
        """What analyses the files of a run again where some have another content: over some of the paths, or over all
        (None)."""
        from promptslim.core.record import replace
        from promptslim.pipeline import run as pipeline

        given = self.given.listed("paths") or (".",)
        stdin = self._read

        def analyse(instead: Mapping[str, bytes], paths: Sequence[str] | None) -> Run:
            standard = None if stdin is None else replace(stdin, data=instead.get(stdin.path, stdin.data))
            if paths is not None and standard is not None:
                paths = ["-", *(path for path in paths if path != standard.path)]
            return pipeline.analyse(given if paths is None else paths, self.place, run.today, standard, instead=instead)

        return analyse

    def colour(self) -> bool:
        """Whether standard output is to be coloured."""
        from promptslim.report.colour import wanted

        return wanted(self.given.value("color") or "auto", dict(os.environ), sys.stdout.isatty())

    def width(self) -> int | None:
        """The columns of the terminal that standard output goes to; None where it goes elsewhere."""
        if not sys.stdout.isatty():
            return None
        import shutil

        return shutil.get_terminal_size().columns

    def warn(self, message: str) -> None:
        """One line on standard error, unless quiet."""
        if not self.quiet:
            say(f"warning: {message}")

    def note(self, message: str) -> None:
        """One line on standard error, if verbose."""
        if self.verbose:
            say(message)

    def _stdin(self, paths: Iterable[str]) -> Stdin | None:
        if "-" not in paths:
            return None
        from promptslim.discover.kinds import KINDS, suffix_of
        from promptslim.discover.paths import left_out, shown_path
        from promptslim.discover.walk import rules_of
        from promptslim.pipeline.run import STDIN_NAME, Stdin

        cwd, settings = self.place.cwd, self.place.settings
        name = self.given.value("stdin_filename") or STDIN_NAME
        path = shown_path(os.path.abspath(os.path.join(cwd, name)), cwd)  # noqa: PTH100, PTH118
        data = self.standard_input = sys.stdin.buffer.read()
        if suffix_of(path) not in KINDS:
            raise UsageError(f"--stdin-filename {name!r} is no Python file, notebook or prompt file; name one")
        if settings.force_exclude and left_out(path, rules_of(settings, prompts=True), cwd):
            return None
        return Stdin(path, data)

    def _remark(self, run: Run) -> None:
        given = run.discovered
        if not run.paths and not given.unread:
            self.warn("no Python files, notebooks or prompt files found under the given paths")
        origins = self.configuration.origins.values()
        sources = sorted({place.name if place else "command line" for places in origins for place in places})
        self.note(f"settings: {', '.join(sources) or 'defaults'}")
        left_out = ", ".join(f"{count} {reason}" for reason, count in run.skipped)
        self.note(f"{run.analysed} of {len(run.paths)} files analysed; left out: {left_out or 'none'}")


class _Progress:
    """A counter on the last line of the terminal, once a run has taken a while."""

    def __init__(self) -> None:
        from time import monotonic

        self._clock = monotonic
        self._next = monotonic() + SLOW
        self._shown = False

    def __call__(self, done: int, total: int) -> None:
        now = self._clock()
        if now >= self._next:
            self._next, self._shown = now + STEP, True
            print(f"\rpromptslim: {done:,} of {total:,} files", end="", file=sys.stderr, flush=True)  # noqa: T201

    def clear(self) -> None:
        """Take the line away."""
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)  # noqa: T201


def _silent(done: int, total: int) -> None:
    """No progress."""


def say(message: str) -> None:
    """One line on standard error."""
    from promptslim.report.escape import one_line

    print(f"promptslim: {one_line(message)}", file=sys.stderr)  # noqa: T201


def write(chunks: Iterable[str]) -> None:
    """Text to standard output. A reader that has gone away is no error; a full disk raises UsageError."""
    _to_standard_output(lambda: sys.stdout.writelines(chunks))


def write_bytes(data: bytes) -> None:
    """Bytes to standard output, as ``write``."""
    _to_standard_output(lambda: sys.stdout.buffer.write(data))


def _to_standard_output(put: Callable[[], object]) -> None:
    try:
        put()
        sys.stdout.flush()
    except BrokenPipeError:
        drop_output()
    except OSError as error:
        drop_output()
        raise UsageError(f"cannot write the output: {error.strerror}") from None


def drop_output() -> None:
    """Keep the interpreter from writing to a closed pipe when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
