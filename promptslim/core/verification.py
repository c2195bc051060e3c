"""What a comparison of two prompts came to, for the renderers."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal as Choice

from promptslim.core.record import record

Decision = Choice["PASS", "FAIL", "INCONCLUSIVE"]


@record
class SideFigures:
    """One of the two prompts. ``score`` is its mean score, within ``low`` and ``high`` (95 %, Wilson; None for scores
    that are no shares). Tokens are means per call as the provider counted them, dollars those of list prices for them:
    ``usd_per_1k`` calls, and per task that succeeded."""

    score: float
    low: float | None
    high: float | None
    input_tokens: float | None
    output_tokens: float | None
    usd_per_1k: Decimal | None
    usd_per_success: Decimal | None


@record
class ChangedItem:
    """An item with another grade than before (None: no grade), the reasons of its graders, and the answers where they
    are kept."""

    item: str
    kind: Choice["regression", "improvement", "ungraded"]
    old: float | None
    new: float | None
    reason: str
    old_text: str | None
    new_text: str | None


@record
class SliceFigures:
    """A critical slice: its items, those that got worse, and the bound of the regression rate that its size supports
    where none did."""

    name: str
    items: int
    worse: tuple[str, ...]
    upper: float


@record
class NoiseFigures:
    """How often a grader gave another grade to a second answer of the original prompt."""

    grader: str
    items: int
    discordance: float
    too_noisy: bool


@record
class Spend:
    """What the run took: calls, dollars, and calls whose price is not known."""

    calls: int = 0
    usd: Decimal = Decimal(0)
    unpriced: int = 0


@record
class Verification:
    """The verdict on a shorter prompt, and the numbers behind it.

    ``margin``, ``loss`` and its one-sided bounds ``lower`` and ``upper`` at ``level`` are shares; the bounds are None
    where nothing is shown. ``items`` of ``declared`` ones were run, ``units`` independent ones among them. ``look`` of
    the declared ``looks`` (None: any number). ``more``: how many more units a further look needs (None: more would not
    help). ``early``: the run stopped before its end because nothing could pass any more. ``price``: source and date of
    the prices. ``evidence`` and ``lock`` are paths (empty: nothing was written).
    """

    decision: Decision
    reason: str
    prompt: str
    suite: str
    model: str
    resolved: str
    method: str
    margin: float
    alpha: float
    level: float
    look: int
    looks: int | None
    declared: int
    items: int
    units: int
    regressions: int
    improvements: int
    ungraded: int
    loss: float
    lower: float | None
    upper: float | None
    more: int | None
    early: bool
    before: SideFigures
    after: SideFigures
    before_text: str
    after_text: str
    critical: tuple[SliceFigures, ...]
    noise: tuple[NoiseFigures, ...]
    changed: tuple[ChangedItem, ...]
    spend: Spend
    price: str
    notes: tuple[str, ...] = ()
    evidence: str = ""
    lock: str = ""
