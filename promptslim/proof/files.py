"""Writing the files of a proof whole or not at all."""

from __future__ import annotations

import os
import tempfile


def replace_file(path: str, data: bytes) -> None:
    """Write ``data`` to a temporary file beside ``path`` and put it in its place. Raises OSError; the old file, if
    there is one, is then as it was."""
    folder = os.path.dirname(os.path.abspath(path))  # noqa: PTH100, PTH120 (pathlib is slow to load)
    os.makedirs(folder, exist_ok=True)  # noqa: PTH103
    handle, partial = tempfile.mkstemp(dir=folder, prefix=".promptslim-")
    try:
        with open(handle, "wb") as file:  # noqa: PTH123
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(partial, 0o644)  # noqa: PTH101 (mkstemp gives 0600; others have to read it in CI)
        os.replace(partial, path)  # noqa: PTH105
    except BaseException:
        os.unlink(partial)  # noqa: PTH108
        raise
