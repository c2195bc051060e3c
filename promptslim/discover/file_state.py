"""Whether files are still as they were: by size and times where these are settled, else by content."""

# pathlib costs more start-up time than everything in this module.
# ruff: noqa: PTH116

from __future__ import annotations

import os
from zlib import crc32

from promptslim.core.record import record
from promptslim.discover.reading import limit_of, read_bytes

UNSETTLED_NS = 2_000_000_000
"""A file changed within this time before it was read may change again without a new time stamp."""

_COARSE_NS = 20_000_000
"""How far a time stamp may lag behind the clock (a few milliseconds on Linux)."""

UNSETTLED = (-1, -1, -1)

Stamp = tuple[int, int, int]


def stamp(path: str, now: int) -> Stamp:
    """Size, modification time and status-change time of a file, in bytes and nanoseconds; UNSETTLED where it has
    changed too shortly before ``now`` for that to tell, or cannot be asked."""
    try:
        return _stamp(os.stat(path), now)
    except (OSError, ValueError):
        return UNSETTLED


def _stamp(status: os.stat_result, now: int) -> Stamp:
    if max(status.st_mtime_ns, status.st_ctime_ns) > now - UNSETTLED_NS:
        return UNSETTLED
    return (status.st_size, status.st_mtime_ns, status.st_ctime_ns)


@record
class FileState:
    """What a file was like: its stamp, its size in bytes, and a CRC-32 of its content (None: not taken)."""

    stamp: Stamp
    size: int
    checksum: int | None


def file_state(path: str, started: int, content: bool) -> FileState | None:
    """The state that a file has had since ``started`` (nanoseconds), with a checksum if ``content``.

    None where it has changed since, or cannot be read.
    """
    try:
        status = os.stat(path)
        if max(status.st_mtime_ns, status.st_ctime_ns) > started - _COARSE_NS:
            return None
        checksum = crc32(read_bytes(path, limit_of(path))) if content else None
    except (OSError, ValueError):
        return None
    return FileState(_stamp(status, started), status.st_size, checksum)


def unchanged(path: str, state: FileState, now: int) -> bool:
    """Whether a file is as it was. A file whose times are new, and whose content was not taken, is not."""
    if state.stamp != UNSETTLED and state.stamp == stamp(path, now):
        return True
    try:
        if state.checksum is None or os.stat(path).st_size != state.size:
            return False
        return crc32(read_bytes(path, limit_of(path))) == state.checksum
    except (OSError, ValueError):
        return False
