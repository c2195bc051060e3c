"""Where a price comes from, and how old it is."""

from __future__ import annotations

from datetime import date

from promptslim.catalog.model_facts import Rates


def provenance(rates: Rates) -> str:
    """``litellm price map 1.109.1, 2026-11-23, us profile``: source, date, and region or profile."""
    return f"{rates.source}, {rates.as_of.isoformat()}, {rates.region}"


def prices_age_days(as_of: date, today: date) -> int:
    """Whole days since the date of a price table; 0 for a table from the future (clocks differ)."""
    return max(0, (today - as_of).days)
