"""Set up a project: settings, pre-commit hook, workflow."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Iterator

from promptslim.cli.error import UsageError
from promptslim.cli.first_files import HOOK_FILE, WORKFLOW_FILE, Addition, configuration, hook, workflow
from promptslim.cli.installed_from import Source, installed_from, parse
from promptslim.cli.parameters import Given, Option, Parameters
from promptslim.cli.session import say, write
from promptslim.edits.atomic_files import replace_file
from promptslim.report.escape import one_line

PARAMETERS: Parameters = (
    Option(("--yes", "-y"), "Write the files without asking."),
    Option(
        ("--source",),
        "Git repository of promptslim that the hook and the workflow use (default: where this one was installed from).",
        "value",
        "URL@REVISION",
    ),
)


def run(given: Given) -> int:
    """Show settings, a pre-commit hook and a workflow for the project in the working directory, then write them.

    What is there stays: files are added to or left alone, never replaced.
    """
    additions = _additions(_source(given))
    write(line for addition in additions for line in _shown(addition))
    wanted = [addition for addition in additions if addition.text is not None]
    if not wanted:
        say("there is nothing to write")
        return 0
    if not given.flag("yes") and not _agreed(len(wanted)):
        say("nothing written; add --yes to write without being asked")
        return 0
    for addition in wanted:
        folder = os.path.dirname(addition.path)  # noqa: PTH120
        try:
            os.makedirs(folder or ".", exist_ok=True)  # noqa: PTH103
        except OSError as error:
            raise UsageError(f"cannot make the folder {folder}: {error.strerror}; remove what is in its way") from None
        replace_file(addition.path, addition.text or "")
    say(f"written: {', '.join(addition.path for addition in wanted)}")
    say("next: promptslim check; then promptslim check --write-baseline to start from what is there today")
    return 0


def _source(given: Given) -> Source | None:
    text = given.value("source")
    if text is None:
        return installed_from()
    source = parse(text)
    if source is None:
        raise UsageError(f"--source: {text!r} is not URL@REVISION; name a git repository and a tag or commit of it")
    return source


def _additions(source: Source | None) -> tuple[Addition, ...]:
    return (
        configuration(_text("promptslim.toml"), _text("pyproject.toml")),
        hook(_text(HOOK_FILE), source),
        workflow(_text(WORKFLOW_FILE), source),
    )


def _text(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", newline="") as file:  # noqa: PTH123
            return file.read()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not UTF-8 at byte {error.start + 1}; save it as UTF-8") from None
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}; make it readable, or remove it") from None


def _shown(addition: Addition) -> Iterator[str]:
    if addition.text is None:
        first, *rest = addition.why.split("\n")
        yield f"{addition.path}: unchanged: {one_line(first)}\n"
        yield from (f"    {one_line(line)}\n" for line in rest if line)
        yield "\n"
        return
    yield f"{addition.path}: {addition.why}\n"
    before, after = (addition.before or "").splitlines(), addition.text.splitlines()
    for line in difflib.unified_diff(before, after, lineterm="", n=2):
        if not line.startswith(("---", "+++", "@@")):
            yield f"    {one_line(line)}\n"
    yield "\n"


def _agreed(count: int) -> bool:
    """What a person at the terminal says; False where there is none."""
    if not sys.stdin.isatty():
        return False
    sys.stderr.write(f"Write {'this file' if count == 1 else f'these {count} files'}? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
