"""Entry point: chooses the command, and turns every failure into one line and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

OK, FOUND, FAILED, INTERRUPTED = 0, 1, 2, 130

COMPLETION = "_PROMPTSLIM_COMPLETE"
"""Set by the shell's completion: the answer goes to standard output instead of a command being run."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line (default: that of the process) and return its exit code.

    0 clean, 1 findings, 2 bad usage, bad configuration, missing path or a crash, 130 interrupted.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="backslashreplace")
    try:
        return _run(words)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        from promptslim.cli.session import drop_output

        drop_output()
        return FOUND
    except Exception as error:  # noqa: BLE001 (the last resort: no user sees a traceback unasked)
        return _failed(error, words)


def entry() -> None:
    """The console command: ``main``, and an exit without taking the interpreter's objects apart one by one, which
    would take a tenth of the time of a small run."""
    code = main()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        code = code or FAILED
    os._exit(code)


def _run(words: list[str]) -> int:
    if words == ["--version"]:
        from promptslim import __version__

        print(f"promptslim {__version__}")  # noqa: T201
        return OK
    if COMPLETION in os.environ:
        from promptslim.cli import typed

        return typed.run([])
    from promptslim.cli import folder, plain

    if found := folder.find(words):
        entry, rest = found
        command = entry.load()
        given = plain.parse(rest, command.PARAMETERS)
        if given is not None:
            return int(command.run(given))
    from promptslim.cli import typed

    if not words:
        typed.run(["--help"])
        return FAILED
    return typed.run(words)


def _failed(error: Exception, words: list[str]) -> int:
    from promptslim.report.escape import one_line

    if isinstance(error, _expected()):
        print(f"promptslim: error: {one_line(str(error))}", file=sys.stderr)  # noqa: T201
        return FAILED
    if os.environ.get("PROMPTSLIM_DEBUG") or "-vv" in words or words.count("-v") + words.count("--verbose") > 1:
        import traceback

        traceback.print_exception(error)
        return FAILED
    notes = "".join(f" {note}" for note in getattr(error, "__notes__", ()))
    what = one_line(f"{type(error).__name__}: {error}{notes}")
    print(  # noqa: T201
        f"promptslim: error: internal error, please report it: {what}{_raised_at(error)}; "
        "run again with -vv for the traceback",
        file=sys.stderr,
    )
    return FAILED


def _raised_at(error: Exception) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return ""
    name = os.path.basename(trace.tb_frame.f_code.co_filename)  # noqa: PTH119 (pathlib takes longer to load)
    return f" ({name}:{trace.tb_lineno})"


def _expected() -> tuple[type[Exception], ...]:
    """Errors that say what the user can do."""
    from promptslim.catalog.errors import CatalogError
    from promptslim.check.baseline import BaselineError
    from promptslim.cli.error import UsageError
    from promptslim.config.error import ConfigError
    from promptslim.discover.git_changes import GitError
    from promptslim.discover.paths import PathError
    from promptslim.edits.atomic_files import WriteError
    from promptslim.pricing.price_file import PriceFileError
    from promptslim.report.formats import RenderError
    from promptslim.tokens.vocabulary import VocabularyError

    return (
        UsageError,
        ConfigError,
        CatalogError,
        BaselineError,
        GitError,
        PathError,
        PriceFileError,
        RenderError,
        VocabularyError,
        WriteError,
    )
