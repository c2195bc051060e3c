"""Where the user's price file lies. Apart from the code that reads it, which every start would load."""

from __future__ import annotations

from pathlib import Path

from promptslim.config.cache_folder import cache_folder


def prices_path(chosen: str | None) -> Path:
    """The user's price file: ``prices`` of the configuration, else ``prices.json`` in the cache folder."""
    return Path(chosen) if chosen else cache_folder() / "prices.json"
