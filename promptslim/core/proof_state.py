"""What became of a proof in ``promptslim.lock``, for the rules that speak of it."""

from __future__ import annotations

from typing import Literal as Choice

from promptslim.core.record import record
from promptslim.core.text import Location

ProofStatus = Choice["VALID", "STALE", "EXPIRED", "INVALID", "MISSING", "OPEN"]


@record
class ProofState:
    """A proof as it stands today; a lock file that cannot be read is one INVALID proof without an id.

    ``id`` is the label of the prompt. ``message`` says what is wrong, ``changed`` names the inputs that differ.
    ``margin`` and ``alpha`` are what was proved with, ``age`` is in days. ``entry`` is the place in the lock,
    ``prompt`` that of the prompt where it was found.
    """

    id: str
    status: ProofStatus
    message: str
    changed: tuple[str, ...]
    margin: float
    alpha: float
    age: int
    entry: Location
    prompt: Location | None = None
