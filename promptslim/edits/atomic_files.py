"""Writing files whole or not at all, one or several at once."""

# pathlib costs more start-up time than everything in this module.
# ruff: noqa: PTH101, PTH105, PTH108, PTH116, PTH119, PTH120, PTH123

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType


class WriteError(Exception):
    """A file that cannot be written. The message is one line."""


def replace_file(path: str, content: str | bytes) -> None:
    """Write a file whole or not at all, text as UTF-8; it need not exist. Raises WriteError."""
    data = content.encode() if isinstance(content, str) else content
    try:
        with _signals_kept(), _staged({path: data}) as staged:
            _commit(staged)
    except OSError as error:
        raise WriteError(f"cannot write {os.path.realpath(path)}: {error.strerror}; choose another place") from None


def replace_files(
    contents: Mapping[str, tuple[bytes, bytes]], together: Sequence[frozenset[str]] = ()
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Write new contents of files that exist: path -> content as it was read, new content.

    All new contents are on the disk, beside their files, before the first file is replaced; where one of them cannot
    be written (a full disk), no file changes and WriteError is raised. A file that is read-only, gone or no longer
    as it was read stays as it is, with those it has to change ``together`` with. Mode, owner and symbolic links stay.
    Gives the paths that were written, and one line for each file that was not.
    """
    refused = {path: why for path, (before, _) in contents.items() if (why := _hindrance(path, before)) is not None}
    lines = [f"{path} {why}" for path, why in refused.items()]
    left = set(refused)
    grown = True
    while grown:
        more = {path for group in together if group & left for path in group} - left
        left |= more
        lines += [f"{path} is not changed, because a file that changes with it cannot be" for path in sorted(more)]
        grown = bool(more)
    todo = {path: new for path, (_, new) in contents.items() if path not in left}
    try:
        with _signals_kept(), _staged(todo) as staged:
            _commit(staged)
    except OSError as error:
        raise WriteError(f"cannot write {error.filename}: {error.strerror}; no file was changed") from None
    return tuple(todo), tuple(lines)


def _hindrance(path: str, before: bytes) -> str | None:
    """Why a file cannot be replaced, None where it can."""
    try:
        with open(path, "rb") as file:
            current = file.read()
            mode = os.fstat(file.fileno()).st_mode
    except FileNotFoundError:
        return "is gone; run again"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if not mode & 0o222 or not os.access(path, os.W_OK):
        return "is read-only; make it writable and run again"
    if current != before:
        return "has changed while it was looked at; run again"
    folder = os.path.dirname(os.path.realpath(path))
    return None if os.access(folder, os.W_OK | os.X_OK) else f"cannot be replaced: its folder {folder} is read-only"


@contextmanager
def _staged(contents: Mapping[str, bytes]) -> Iterator[dict[str, str]]:
    """Temporary files with the new contents: file -> temporary file. What is left of them at the end is removed.
    OSError names the file."""
    import tempfile

    staged: dict[str, str] = {}
    partial = ""
    try:
        for path, data in contents.items():
            target = os.path.realpath(path)
            try:
                handle, partial = tempfile.mkstemp(dir=os.path.dirname(target), prefix=f".{os.path.basename(target)}.")
                staged[target] = partial
                with open(handle, "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                _like(target, partial)
            except OSError as error:
                raise OSError(error.errno or 0, error.strerror or str(error), path) from None
        yield staged
    finally:
        for partial in staged.values():
            if os.path.lexists(partial):
                os.unlink(partial)


def _commit(staged: dict[str, str]) -> None:
    for number, (target, partial) in enumerate(staged.items()):
        try:
            os.replace(partial, target)
        except OSError as error:
            kept = f"; {number} of {len(staged)} files were written before" if number else ""
            raise WriteError(f"cannot replace {target}: {error.strerror}{kept}") from None


def _like(path: str, partial: str) -> None:
    """Give the temporary file the permissions, and where possible the owner, of the file it will replace."""
    try:
        status = os.stat(path)
    except OSError:
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(partial, 0o666 & ~mask)
        return
    if hasattr(os, "chown") and (status.st_uid, status.st_gid) != (os.getuid(), os.getgid()):
        # Someone else's file in a shared folder becomes ours, as with any editor.
        with suppress(PermissionError):
            os.chown(partial, status.st_uid, status.st_gid)
    os.chmod(partial, status.st_mode & 0o7777)


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Keep a request to stop until the files are written: it takes milliseconds, and nothing is left half done."""
    import signal

    pending: list[int] = []

    def keep(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 (the form of a signal handler)
        pending.append(number)

    earlier = {}
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            earlier[number] = signal.signal(number, keep)
    except ValueError:
        pass  # not the main thread: signals do not come here
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
        if pending and sys.exc_info()[0] is None:
            signal.raise_signal(pending[0])
