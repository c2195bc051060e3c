"""Where results are kept between runs."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def cache_folder() -> Path:
    """The cache folder of the current user; it need not exist yet.

    ``PROMPTSLIM_CACHE_DIR`` wins. Otherwise ``promptslim`` below the folder that the platform reserves
    for caches: ``$XDG_CACHE_HOME`` where that is an absolute path (XDG Base Directory Specification 0.8),
    else ``~/.cache``, or what platformdirs gives on Windows and macOS.
    """
    from pathlib import Path  # not at the top: it costs more than the rest of this module

    if chosen := os.environ.get("PROMPTSLIM_CACHE_DIR"):
        return Path(chosen).absolute()
    base = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(base):  # noqa: PTH117
        return Path(base) / "promptslim"
    if sys.platform in ("win32", "darwin", "cygwin"):
        from platformdirs import user_cache_path

        return user_cache_path("promptslim", appauthor=False)
    return Path(os.path.expanduser("~")) / ".cache" / "promptslim"  # noqa: PTH111
