"""Reading files as bytes."""

from __future__ import annotations

import os
import stat

MAX_BYTES = 5_000_000
"""Bound on the size of a source or prompt file that is analysed: parsing takes about 100 ms and 50 MB of memory
per megabyte, and hand-written source stays far below it."""

MAX_NOTEBOOK_BYTES = 64_000_000
"""Bound for notebooks, whose size is mostly recorded outputs."""

_FLAGS = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def read_bytes(path: str, limit: int = MAX_NOTEBOOK_BYTES) -> bytes:
    """The content of a regular file, at most ``limit`` + 1 bytes of it.

    Raises OSError, also for what is not a regular file (a pipe is not waited for).
    """
    descriptor = os.open(path, _FLAGS)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(0, "not a regular file")
        wanted = min(status.st_size, limit) + 1
        data = os.read(descriptor, wanted)
        # One read gives it all but for files that grow, or sizes the system caps.
        while len(data) < wanted and len(data) < status.st_size and (more := os.read(descriptor, wanted - len(data))):
            data += more
        return data
    finally:
        os.close(descriptor)


def limit_of(path: str) -> int:
    """The bound in bytes for a file of this name."""
    return MAX_NOTEBOOK_BYTES if path.endswith(".ipynb") else MAX_BYTES
