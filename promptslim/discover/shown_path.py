"""How a path is shown, and named in every result: relative, with forward slashes."""

from __future__ import annotations

import os


def shown_path(full: str, folder: str) -> str:
    """An absolute path relative to an absolute folder, with forward slashes; ``.`` for the folder itself."""
    if full.startswith(folder + os.sep):
        return full[len(folder) + 1 :].replace(os.sep, "/")
    try:
        return os.path.relpath(full, folder).replace(os.sep, "/")
    except ValueError:  # another drive on Windows
        return full.replace(os.sep, "/")
