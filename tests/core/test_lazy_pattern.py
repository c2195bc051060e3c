"""Patterns that are compiled on first use behave as compiled ones."""

from __future__ import annotations

import re

import pytest

from promptslim.core.lazy_pattern import pattern


def test_it_matches_as_a_compiled_pattern() -> None:
    lazy, eager = pattern(r"(?P<n>\d+) x", re.IGNORECASE), re.compile(r"(?P<n>\d+) x", re.IGNORECASE)
    text = "1 X, 22 x, y"
    assert [m["n"] for m in lazy.finditer(text)] == [m["n"] for m in eager.finditer(text)] == ["1", "22"]
    assert lazy.sub("-", text) == eager.sub("-", text)
    assert lazy.pattern == eager.pattern
    assert lazy.groups == 1


def test_a_broken_pattern_is_told_where_it_is_used() -> None:
    broken = pattern("(")
    with pytest.raises(re.error):
        broken.search("a")
