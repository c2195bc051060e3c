"""What a suite can show and what it costs, before anything is spent; and which prompts have a proof."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal as Choice

from promptslim.core.proof_state import ProofStatus
from promptslim.core.record import record


@record
class VerifyPlan:
    """``units`` are the independent ones among ``items``. ``margin`` is ``stated`` in the suite, the ``smallest`` that
    its tests can prove, or an ``example`` where they can prove none of sense. ``power``: chance that an equally good
    prompt passes, if the prompts differ on a share of ``discordance`` of the items; None for graded scores, whose
    spread is not known before. ``smallest_margin``: what so many units show with 80 % power; ``needed``: how many
    ``margin`` takes (None: more than 20,000). ``calls`` of the model, ``noise_calls`` for the noise floor among them,
    with ``input_tokens`` at most; ``judge_calls`` of the model ``judge`` (None: none judges). Dollars of each from the
    input alone (``usd_least``; of the judge, without the answers it looks at) to every answer as long as its cap
    (``usd_most``), None without a price or a cap; ``price`` is their source and date.
    """

    suite: str
    model: str
    method: str
    items: int
    units: int
    margin: float
    margin_from: Choice["stated", "smallest", "example"]
    alpha: float
    level: float
    look: int
    discordance: float
    power: float | None
    smallest_margin: float
    needed: int | None
    calls: int
    noise_calls: int
    judge: str | None
    judge_calls: int
    input_tokens: int
    usd_least: Decimal | None
    usd_most: Decimal | None
    price: str
    judge_usd_least: Decimal | None
    judge_usd_most: Decimal | None
    judge_price: str
    tokens_before: int
    tokens_after: int
    notes: tuple[str, ...] = ()


@record
class Covered:
    """A prompt and its proof: ``status`` None where it has none."""

    prompt: str
    path: str
    line: int
    tokens: int
    basis: str
    status: ProofStatus | None
    message: str = ""
    margin: float | None = None
    age: int | None = None
