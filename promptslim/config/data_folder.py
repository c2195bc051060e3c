"""Where the data files of the package lie."""
# pathlib costs more start-up time than everything in this module.
# ruff: noqa: PTH100, PTH112, PTH118, PTH120

from __future__ import annotations

import os
from functools import cache


@cache
def data_folder() -> str:
    """The absolute path of the folder with the rule pages and data tables (``sdks/``, ``models/``, ``tokens/`` ...).

    An installed wheel carries them as ``promptslim/_data``; an editable install and a plain checkout
    have them as ``rules/`` beside the package. Raises FileNotFoundError where neither is there.
    """
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    candidates = (os.path.join(package, "_data"), os.path.join(os.path.dirname(package), "rules"))
    for candidate in candidates:
        if os.path.isdir(candidate):
            return candidate
    raise FileNotFoundError(f"the data files of promptslim are missing: no {candidates[0]} and no {candidates[1]}")
