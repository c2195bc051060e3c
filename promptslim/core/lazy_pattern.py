"""Regular expressions that are compiled on first use.

A run uses few of the patterns of the modules that it imports, and compiling them all takes longer than checking a
small file.
"""

from __future__ import annotations

import re
from typing import cast


class _Lazy:
    """Stands for a pattern; what is asked of it once is kept."""

    def __init__(self, source: str, flags: int) -> None:
        self._given = source, flags

    def __getattr__(self, name: str) -> object:
        found = getattr(re.compile(*self._given), name)
        setattr(self, name, found)
        return found


def pattern(source: str, flags: int = 0) -> re.Pattern[str]:
    """As ``re.compile``, for a pattern whose methods and attributes are used (it is not passed to ``re.sub`` and
    the like). A broken pattern raises ``re.error`` where it is used."""
    return cast("re.Pattern[str]", _Lazy(source, flags))
