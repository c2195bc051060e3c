"""What a run's calls cost: what one did cost, and the most that one can."""

from __future__ import annotations

from decimal import Decimal

from promptslim.catalog.model_facts import Rates
from promptslim.core.record import record
from promptslim.pricing.cost import Tier, Usage, call_cost
from promptslim.pricing.rates import provenance
from promptslim.verify.request import Request


@record
class Tariff:
    """``rates`` None: no price is known. ``free``: calls cost nothing, as of a model on this machine or of recorded
    answers. ``tier``: batch for batch inference, else None, and each request has its own."""

    rates: Rates | None
    free: bool = False
    tier: Tier | None = None

    def cost(self, request: Request, usage: Usage | None, served: Tier | None = None) -> Decimal | None:
        """Dollars of a call; None where a price or the usage is not known. ``served``: the tier that the service says
        it was served in."""
        if self.free:
            return Decimal(0)
        if self.rates is None or usage is None:
            return None
        return call_cost(usage, self.rates, self.tier or served or request.tier)

    def most(self, request: Request, input_tokens: int) -> Decimal | None:
        """The most dollars that one attempt can cost: ``input_tokens`` is the upper end of their band, the output the
        whole cap; a service may serve a call in the standard tier instead of the one that is asked for. None where
        there is no price or no cap."""
        if self.free:
            return Decimal(0)
        if self.rates is None or request.max_tokens is None:
            return None
        tiers = {self.tier} if self.tier else {request.tier, "standard"}
        ways = [Usage(input_tokens, request.max_tokens)]
        if request.cache and self.tier != "batch":
            written = {"write_1h": input_tokens} if request.cache == "1h" else {"write_5m": input_tokens}
            ways.append(Usage(0, request.max_tokens, **written))
        prices = [call_cost(way, self.rates, tier) for way in ways for tier in tiers]
        known = [price for price in prices if price is not None]
        return max(known) if len(known) == len(prices) else None

    def unbounded(self, request: Request) -> str:
        """Why ``most`` is None, and what to do about it."""
        if request.max_tokens is None:
            return "nothing limits the output; add max_tokens to the parameters of the suite"
        tier = f" in the tier {self.tier or request.tier}" * (self.rates is not None)
        return f"no price of {request.model}{tier} is known; read one with `promptslim prices update`"

    def basis(self) -> str:
        """Where the prices come from, for people."""
        if self.free:
            return "free"
        return provenance(self.rates) if self.rates else "no price is known"
