"""Where results are kept between runs, and how a file is put there."""
# pathlib costs more start-up time than everything in this module.
# ruff: noqa: PTH100, PTH103, PTH105, PTH108, PTH111, PTH117, PTH118, PTH120, PTH123

from __future__ import annotations

import os
import sys


def cache_folder() -> str:
    """The absolute path of the current user's cache folder; it need not exist yet.

    ``PROMPTSLIM_CACHE_DIR`` wins. Otherwise ``promptslim`` below the folder that the platform reserves
    for caches: ``$XDG_CACHE_HOME`` where that is an absolute path (XDG Base Directory Specification 0.8),
    else ``~/.cache``, or what platformdirs gives on Windows and macOS.
    """
    if chosen := os.environ.get("PROMPTSLIM_CACHE_DIR"):
        return os.path.abspath(chosen)
    base = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(base):
        return os.path.join(base, "promptslim")
    if sys.platform in ("win32", "darwin", "cygwin"):
        from platformdirs import user_cache_dir

        return user_cache_dir("promptslim", appauthor=False)
    return os.path.join(os.path.expanduser("~"), ".cache", "promptslim")


def keep(path: str, content: bytes) -> bool:
    """Write a file of the cache whole or not at all, with its folder; several processes may do this at once.

    False where it cannot be written: what a cache holds can be made again.
    """
    partial = f"{path}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with open(partial, "wb") as file:
            file.write(content)
        os.replace(partial, path)
    except OSError:
        _remove(partial)
        return False
    return True


def _remove(path: str) -> None:
    from contextlib import suppress

    with suppress(OSError):
        os.unlink(path)
