"""Typed access to the data in ``rules/``: rules, SDK signatures, models with prices, thresholds, phrases."""

from promptslim.catalog.catalog import Catalog, load
from promptslim.catalog.errors import CatalogError

__all__ = ["Catalog", "CatalogError", "load"]
