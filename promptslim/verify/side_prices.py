"""The prices that two prompts are compared by.

Which calls of a run write to the cache and which read from it depends on their order: the first ones write, for both
prompts. So cached tokens are priced alike on both sides, by the share that was read in the whole run.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from promptslim.catalog.model_facts import Rates
from promptslim.core.record import record
from promptslim.pricing.cost import Tier, Usage, call_cost


@record
class SidePrices:
    """``read`` is the share of the cached tokens that was read, None where none were cached; the others were written,
    for an hour if ``hour``."""

    rates: Rates
    tier: Tier
    read: Decimal | None
    hour: bool

    def cost(self, usage: Usage) -> Decimal | None:
        """Dollars of a call; None where a price is not known."""
        cached = usage.read + usage.write_5m + usage.write_1h
        if not cached or self.read is None:
            return call_cost(usage, self.rates, self.tier)
        written = {"write_1h": cached} if self.hour else {"write_5m": cached}
        if_read = call_cost(Usage(usage.fresh, usage.output, cached), self.rates, self.tier)
        if_written = call_cost(Usage(usage.fresh, usage.output, **written), self.rates, self.tier)
        if if_read is None or if_written is None:
            return None
        return self.read * if_read + (1 - self.read) * if_written

    def note(self) -> str:
        """How cached tokens are priced, for people; empty where there are none."""
        if self.read is None:
            return ""
        return f"cached tokens are priced alike for both prompts: {self.read:.0%} read as in the run, the rest written"


def side_prices(rates: Rates, tier: Tier, usages: Iterable[Usage]) -> SidePrices:
    """The prices of a run with these usages, of both prompts."""
    known = list(usages)
    read, hour = sum(one.read for one in known), sum(one.write_1h for one in known)
    written = hour + sum(one.write_5m for one in known)
    share = Decimal(read) / (read + written) if read + written else None
    return SidePrices(rates, tier, share, 2 * hour > written)
