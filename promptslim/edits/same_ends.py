"""What two versions of a list of lines have in common at their ends."""

from __future__ import annotations

from collections.abc import Sequence


def same_ends(old: Sequence[str], new: Sequence[str]) -> tuple[int, int]:
    """How many items are equal from the start, and how many of the others from the end."""
    most = min(len(old), len(new))
    first = 0
    while first < most and old[first] == new[first]:
        first += 1
    last = 0
    while last < most - first and old[len(old) - 1 - last] == new[len(new) - 1 - last]:
        last += 1
    return first, last
