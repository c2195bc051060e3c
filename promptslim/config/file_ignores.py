"""Which rules are ignored in which files."""

from __future__ import annotations

from collections.abc import Iterable

from promptslim.config.patterns import IgnorePatterns, relative_to
from promptslim.config.selectors import Rule, matching
from promptslim.config.settings import Settings


class FileIgnores:
    """``per-file-ignores``, ready to be asked for many files."""

    __slots__ = ("_base", "_cwd", "_entries")

    def __init__(self, settings: Settings, rules: Iterable[Rule], cwd: str) -> None:
        """``cwd``: the absolute working directory. Raises ConfigError on a selector that names no rule."""
        known = tuple(rules)
        self._base = settings.base
        self._cwd = cwd
        self._entries = tuple(
            (IgnorePatterns([pattern.removeprefix("!")]), pattern.startswith("!"), matching(selectors, known))
            for pattern, selectors in settings.per_file_ignores.items()
        )

    def codes(self, path: str) -> frozenset[str]:
        """The codes that are ignored in a file; ``path`` is relative to the working directory."""
        if not self._entries:
            return frozenset()
        inside = relative_to(path, self._base, self._cwd)
        ignored = (codes for patterns, others, codes in self._entries if patterns.covers(inside) != others)
        return frozenset().union(*ignored)
