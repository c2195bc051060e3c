"""The catalog as the user's settings change it."""
# pathlib costs more start-up time than everything in this module.
# ruff: noqa: PTH113, PTH118

from __future__ import annotations

import os

from promptslim.catalog import Catalog
from promptslim.config.settings import Settings
from promptslim.pricing.price_path import prices_path


def user_catalog(catalog: Catalog, settings: Settings, cwd: str = ".") -> Catalog:
    """``catalog`` with the user's price file, model tables and names for models, in this order: later wins.
    Paths of the settings are relative to ``cwd``.

    Raises CatalogError and PriceFileError where a file cannot be used.
    """
    prices = None
    if settings.prices or os.path.isfile(prices_path(None)):
        from promptslim.pricing.price_file import prices_table
        from promptslim.pricing.update import user_prices

        found = user_prices(os.path.join(cwd, settings.prices) if settings.prices else None)
        prices = prices_table(found, catalog.id_grammar()) if found else None
    tables = []
    if settings.catalog:
        from pathlib import Path

        tables = [catalog.read_table(Path(cwd, path)) for path in settings.catalog]
    return catalog.with_user(settings.models, tables, prices=prices, region=settings.region)
