"""What a call costs.

    cost = t (p_in fresh + p_read read + p_write5m write5m + p_write1h write1h + p_out out) / 10^6

with prices per million tokens, of the band that the whole request falls in, and t the service tier's
factor. The output cap does not enter: output is billed as it is generated. Formula and the meaning of the
usage fields: price lists of Bedrock, Anthropic and OpenAI, 2026; AWS Bedrock user guide, prompt-caching page.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from promptslim.catalog.model_facts import Rates
from promptslim.core.record import record

Tier = Literal["standard", "batch", "flex", "priority"]

_MILLION = Decimal(1_000_000)
_THOUSAND = Decimal(1_000)


@record
class Usage:
    """Tokens of one call. ``fresh`` is input that was neither read from nor written to a cache.

    Bedrock (Converse, invocation logs) and Anthropic report input without cached tokens: pass it as
    ``fresh``. OpenAI and OpenTelemetry include them: use ``of_inclusive``.
    """

    fresh: int
    output: int = 0
    read: int = 0
    write_5m: int = 0
    write_1h: int = 0

    @classmethod
    def of_inclusive(cls, total: int, output: int = 0, read: int = 0, write_5m: int = 0, write_1h: int = 0) -> Usage:
        """Usage from an input count that contains the cached tokens. Raises ValueError where it cannot."""
        fresh = total - read - write_5m - write_1h
        if fresh < 0:
            raise ValueError(f"{total} input tokens cannot contain {total - fresh} cached ones")
        return cls(fresh, output, read, write_5m, write_1h)

    @property
    def request(self) -> int:
        """All input tokens: what decides the price band."""
        return self.fresh + self.read + self.write_5m + self.write_1h


@record
class Band:
    """Prices per million tokens of one band of request sizes in one tier."""

    input: Decimal
    output: Decimal
    read: Decimal | None
    write_5m: Decimal | None
    write_1h: Decimal | None


def band(rates: Rates, request_tokens: int, tier: Tier = "standard") -> Band | None:
    """The prices for a request of ``request_tokens`` input tokens; None where the tier has no price.

    A dearer band counts for the whole request once its threshold is exceeded. Cached tokens have the
    tier's factor of the input price; batch requests do not cache.
    """
    chosen = Band(rates.input, rates.output, rates.cache_read, rates.cache_write_5m, rates.cache_write_1h)
    cached = {tokens: (read, write) for tokens, read, write in rates.above_cached}
    for tokens, dearer_input, dearer_output in sorted(rates.above):
        if request_tokens > tokens:
            read, write = cached.get(tokens, (None, None))
            chosen = Band(dearer_input, dearer_output, read, write, None)
    factors = _tier_factors(rates, tier)
    if factors is None:
        return None
    on_input, on_output = factors
    cached_factor = None if tier == "batch" else on_input
    return Band(
        chosen.input * on_input,
        chosen.output * on_output,
        _scaled(chosen.read, cached_factor),
        _scaled(chosen.write_5m, cached_factor),
        _scaled(chosen.write_1h, cached_factor),
    )


def _tier_factors(rates: Rates, tier: Tier) -> tuple[Decimal, Decimal] | None:
    match tier:
        case "standard":
            return Decimal(1), Decimal(1)
        case "batch":
            prices = rates.batch_input, rates.batch_output
        case "flex":
            prices = rates.flex_input, rates.flex_output
        case "priority":
            prices = rates.priority_input, rates.priority_output
    if prices[0] is None or prices[1] is None or not rates.input or not rates.output:
        return None
    return prices[0] / rates.input, prices[1] / rates.output


def _scaled(price: Decimal | None, factor: Decimal | None) -> Decimal | None:
    return None if price is None or factor is None else price * factor


def call_cost(usage: Usage, rates: Rates, tier: Tier = "standard") -> Decimal | None:
    """US dollars of one call, unrounded; None where the table lacks a price that the call needs."""
    prices = band(rates, usage.request, tier)
    if prices is None:
        return None
    total = prices.input * usage.fresh + prices.output * usage.output
    for tokens, price in (
        (usage.read, prices.read),
        (usage.write_5m, prices.write_5m),
        (usage.write_1h, prices.write_1h),
    ):
        if tokens:
            if price is None:
                return None
            total += price * tokens
    return total / _MILLION


def usd_per_1k(
    tokens: int, rates: Rates, *, output_tokens: int = 0, request_tokens: int | None = None, tier: Tier = "standard"
) -> Decimal | None:
    """US dollars per 1,000 calls for ``tokens`` of uncached input (and ``output_tokens``) in each.

    ``request_tokens`` is the whole input of such a call where ``tokens`` is a part of it: it decides the
    price band. None where the tier has no price.
    """
    prices = band(rates, tokens if request_tokens is None else request_tokens, tier)
    if prices is None:
        return None
    return (prices.input * tokens + prices.output * output_tokens) * _THOUSAND / _MILLION
