"""When prompt caching pays, and when trimming a cached prompt costs more.

Prices are multiples of the input price: ``read`` of a hit, ``write`` of a miss. With hit rate h a cached
prefix costs ``read h + write (1 - h)`` of its uncached price. All results are exact closed forms, as
Decimal; arrivals, where they enter, are Poisson and every hit starts the lifetime anew.
"""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal

from promptslim.catalog.model_facts import Rates
from promptslim.core.record import record

_HOUR = Decimal(3600)


@record
class Multipliers:
    """Cache prices as multiples of the input price; ``write_1h`` None where that lifetime has no price."""

    read: Decimal
    write_5m: Decimal
    write_1h: Decimal | None


def multipliers(rates: Rates) -> Multipliers | None:
    """Of a model's rates; None where the table has no cache prices."""
    if rates.cache_read is None or rates.cache_write_5m is None or not rates.input:
        return None
    hour = None if rates.cache_write_1h is None else rates.cache_write_1h / rates.input
    return Multipliers(rates.cache_read / rates.input, rates.cache_write_5m / rates.input, hour)


def relative_price(hit_rate: Decimal, read: Decimal, write: Decimal) -> Decimal:
    """Price of a cached prefix, as a multiple of its uncached price."""
    return read * hit_rate + write * (1 - hit_rate)


def break_even_hit_rate(read: Decimal, write: Decimal) -> Decimal:
    """Caching pays above this share of hits: (w - 1) / (w - r). 0 where writes carry no premium."""
    return (write - 1) / (write - read) if write > 1 else Decimal(0)


def break_even_burst(read: Decimal, write: Decimal) -> int:
    """The fewest calls inside one lifetime that pay: the least whole number above (w - r) / (1 - r)."""
    return int(((write - read) / (1 - read)).to_integral_value(ROUND_FLOOR)) + 1


def poisson_hit_rate(calls_per_hour: Decimal, lifetime_seconds: int) -> Decimal:
    """1 - exp(-rate x lifetime)."""
    return 1 - (-calls_per_hour * lifetime_seconds / _HOUR).exp()


def break_even_calls_per_lifetime(read: Decimal, write: Decimal) -> Decimal:
    """Poisson arrivals per lifetime above which caching pays: -ln(1 - h) at the break-even hit rate."""
    return -(1 - break_even_hit_rate(read, write)).ln()


def poisson_saving(calls_per_hour: Decimal, lifetime_seconds: int, read: Decimal, write: Decimal) -> Decimal:
    """Share of the prefix price that caching saves at that traffic; negative where it costs more."""
    return 1 - relative_price(poisson_hit_rate(calls_per_hour, lifetime_seconds), read, write)


def trim_trap_hit_rate(before: int, after: int, read: Decimal, write: Decimal) -> Decimal | None:
    """The hit rate above which cutting a cached prefix of ``before`` tokens to ``after`` uncacheable ones
    is dearer: (w - after / before) / (w - r). None where no hit rate is.

    ``before`` and ``after`` are the whole prefix: tools, system and messages up to the marker.
    """
    rate = (write - Decimal(after) / before) / (write - read)
    return rate if rate < 1 else None


def effective_tokens(prefix: int, hit_rate: Decimal, read: Decimal, write: Decimal) -> Decimal:
    """What a cached prefix costs, as a number of uncached input tokens."""
    return prefix * relative_price(hit_rate, read, write)
