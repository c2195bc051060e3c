"""Where the user's price file lies. Apart from the code that reads it, which every start would load."""

from __future__ import annotations

import os

from promptslim.config.cache_folder import cache_folder


def prices_path(chosen: str | None) -> str:
    """The user's price file: ``prices`` of the configuration, else ``prices.json`` in the cache folder."""
    return chosen or os.path.join(cache_folder(), "prices.json")  # noqa: PTH118
