"""The figures of a comparison as words, the same in every format."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from decimal import Decimal

from promptslim.core.verification import SideFigures, Verification
from promptslim.report import escape
from promptslim.report.quantity import dollars


def fact(name: str, value: str, column: int, width: int | None) -> str:
    """A named fact on one line, or with ``width`` on as many as a terminal of that width takes."""
    lead = f"  {name:<{column}} " if name else "  "
    text = escape.one_line(value)
    if width is None or len(lead) + len(text) <= width:
        return f"{lead}{text}\n"
    wrapped = textwrap.wrap(
        text, max(width, len(lead) + 20), initial_indent=lead, subsequent_indent=" " * len(lead), break_on_hyphens=False
    )
    return "\n".join(wrapped) + "\n"


def points(share: float | None) -> str:
    """A share as points: ``4.2``; a dash where there is none."""
    return "-" if share is None else f"{100 * share:.1f}".replace("-0.0", "0.0")


def money(amount: Decimal | None) -> str:
    """Dollars to three figures, or a dash."""
    return "-" if amount is None else dollars(amount)


def loss(report: Verification) -> str:
    """The loss with its bounds."""
    if report.lower is None or report.upper is None:
        return f"{points(report.loss)} points; nothing is shown of it"
    sure = f"{100 * (1 - report.level):.4g}"
    return (
        f"{points(report.loss)} points, shown to be at most {points(report.upper)} and at least "
        f"{points(report.lower)} (each at {sure} %)"
    )


def size(report: Verification) -> str:
    """How many tests there were and what became of them."""
    ran = f"{report.items}" if report.items == report.declared else f"{report.items} of {report.declared}"
    alone = "" if report.units == report.items - report.ungraded else f" in {report.units} independent groups"
    graded = f", {report.ungraded} without a grade" if report.ungraded else ""
    left_out = 0 if report.early else sum(one.old is None for one in report.changed)
    graded += f"; {left_out} are left out, for the original has no grade" if left_out else ""
    early = "; stopped early" if report.early else ""
    return f"{ran} tests{alone}: {report.regressions} got worse, {report.improvements} better{graded}{early}"


def look(report: Verification) -> str:
    """Which look it was."""
    declared = "any number declared" if report.looks is None else f"{report.looks} declared"
    return f"{report.look} ({declared}), level {report.level:.4g} of alpha {report.alpha:g}"


def more(report: Verification) -> str:
    """What a further look needs; empty where there is nothing to say."""
    if report.decision != "INCONCLUSIVE" or not report.items:
        return ""
    if report.more is None:
        return "something else: more tests like these would not settle it"
    if report.looks is not None and report.look >= report.looks:
        return (
            f"about {report.units + report.more:,} new independent tests in place of these, whose declared looks are "
            f"spent; with looks: {report.looks + 1} in the suite before their first run, tests can be added later"
        )
    return f"about {report.more:,} more independent tests, if they are like these"


def rows(report: Verification) -> Iterator[tuple[str, str, str, str]]:
    """Name, original, shorter, change of each figure."""
    before, after = report.before, report.after
    change = _difference(after.score - before.score) if report.items else ""
    yield "score", _score(before, report.items), _score(after, report.items), change
    if before.input_tokens is not None and after.input_tokens is not None:
        yield "input tokens per call", *_pair(before.input_tokens, after.input_tokens)
    if before.output_tokens is not None and after.output_tokens is not None:
        yield "output tokens per call", *_pair(before.output_tokens, after.output_tokens)
    for name, one, other in (
        ("per 1,000 calls", before.usd_per_1k, after.usd_per_1k),
        ("per successful task", before.usd_per_success, after.usd_per_success),
    ):
        if one is not None or other is not None:
            change = "" if one is None or other is None or not one else f"{100 * (other / one - 1):+.1f} %"
            yield name, money(one), money(other), change


def _score(side: SideFigures, items: int) -> str:
    if not items:
        return "-"
    if side.low is None or side.high is None:
        return f"{100 * side.score:.1f} %"
    return f"{100 * side.score:.1f} % ({100 * side.low:.1f} to {100 * side.high:.1f})"


def _difference(share: float) -> str:
    return f"{100 * share:+.1f} points"


def _pair(before: float, after: float) -> tuple[str, str, str]:
    change = f"{100 * (after / before - 1):+.1f} %" if before else ""
    return f"{before:,.1f}", f"{after:,.1f}", change


def basis(report: Verification) -> str:
    """What the figures rest on."""
    intervals = "scores with 95 % intervals (Wilson)" if report.before.low is not None else ""
    tokens = "tokens measured (as the provider reports them)"
    if report.before.input_tokens is None or report.after.input_tokens is None:
        tokens, price = "no tokens were reported, so that no cost is known", ""
    elif report.price:
        price = f"prices: {report.price}"
    else:
        price = f"no price is known for {report.model}"
    return "; ".join(part for part in (tokens, price, intervals) if part)


def spent(report: Verification) -> str:
    """What the run took."""
    unpriced = f"; {report.spend.unpriced} calls without a known price" if report.spend.unpriced else ""
    return f"{report.spend.calls:,} calls, {dollars(report.spend.usd)}{unpriced}"
