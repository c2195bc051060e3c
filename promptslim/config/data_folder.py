"""Where the data files of the package lie."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@cache
def data_folder() -> Path:
    """The folder with the rule pages and data tables (``sdks/``, ``models/``, ``tokens/`` ...).

    An installed wheel carries them as ``promptslim/_data``; an editable install and a plain checkout
    have them as ``rules/`` beside the package. Raises FileNotFoundError where neither is there.
    """
    from pathlib import Path  # not at the top: it costs more than the rest of this module's users together

    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
    candidates = (Path(package) / "_data", Path(package).parent / "rules")
    for candidate in candidates:
        if candidate.is_dir():
            return candidate
    raise FileNotFoundError(f"the data files of promptslim are missing: no {candidates[0]} and no {candidates[1]}")
