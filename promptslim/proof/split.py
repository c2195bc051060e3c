"""Telling search items from proof items, so that a prompt is never proved on what it was chosen by."""

from __future__ import annotations

import hashlib

SEARCH_SHARE = 0.3
"""Share of the items that a search may see; the others are kept for the proof."""


def serves_proof(item: str, cluster: str = "", search: float = SEARCH_SHARE) -> bool:
    """Whether an item is kept for the proof after a search.

    It depends on the item's id alone, so that an item stays on its side when others are added; items of one cluster
    are all on the same side.
    """
    key = f"cluster {cluster}" if cluster else f"item {item}"
    place = int.from_bytes(hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()[:8], "big") / 2**64
    return place >= search


def split_name(search: float = SEARCH_SHARE) -> str:
    """How the split is named in the lock."""
    return f"sha256 of item or cluster, {100 * search:g} % for search"
