"""Tokens and money as words, always with what they rest on."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from promptslim.core.finding import Impact
from promptslim.core.result import TokenCount

_CENT = Decimal("0.01")


def dollars(amount: Decimal) -> str:
    """US dollars to the cent, and to three digits below a dime: ``$12.30``, ``$0.00412``, ``-$3.00``."""
    sign = "-" if amount < 0 else ""
    size = abs(amount)
    if size == 0 or size >= Decimal("0.1"):
        return f"{sign}${size.quantize(_CENT, ROUND_HALF_UP):,f}"
    digits = Decimal(1).scaleb(size.adjusted() - 2)
    return f"{sign}${size.quantize(digits, ROUND_HALF_UP):f}"


def describe(impact: Impact) -> str:
    """One line: ``812 input tokens per call, $1.30 per 1,000 calls (counted; <source of the price>)``.

    Empty where no figure is known.
    """
    figures = [
        f"{count:,} {kind} {'token' if count == 1 else 'tokens'} per call"
        for count, kind in ((impact.input_tokens_per_call, "input"), (impact.output_tokens_per_call, "output"))
        if count is not None
    ]
    if impact.usd_per_1k_calls is not None:
        figures.append(f"{dollars(impact.usd_per_1k_calls)} per 1,000 calls")
    if not figures:
        return ""
    rests_on = "; ".join(part for part in (impact.basis, impact.source) if part)
    return ", ".join(figures) + (f" ({rests_on})" if rests_on else "")


def tokens(count: TokenCount) -> str:
    """``812 tokens (reconstructed)``, with the band where it has a width: ``812 tokens (760 to 870, estimate)``."""
    band = f"{count.low:,} to {count.high:,}, " if count.low != count.high else ""
    method = count.method if count.calibrated else f"{count.method}, uncalibrated"
    if count.factor is not None:
        method += f" times {count.factor:g} by your calibration"
    return f"{count.n:,} {'token' if count.n == 1 else 'tokens'} ({band}{method})"
