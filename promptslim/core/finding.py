"""What a rule says."""

from __future__ import annotations

from decimal import Decimal

from promptslim.core.levels import CONFIDENCES, SEVERITIES, Basis, Confidence, Severity
from promptslim.core.record import record
from promptslim.core.text import Fix, Location

__all__ = ["CONFIDENCES", "SEVERITIES", "Basis", "Confidence", "Finding", "Impact", "Related", "Severity"]


@record
class Impact:
    """What a finding costs, per call. ``usd_per_1k_calls`` is list price; ``basis`` says how it is known
    and ``source`` the price table with its date. All None where nothing can be said."""

    input_tokens_per_call: int | None = None
    output_tokens_per_call: int | None = None
    usd_per_1k_calls: Decimal | None = None
    basis: Basis | None = None
    source: str | None = None


@record
class Related:
    """A further place with a short note ("the prompt", "set here")."""

    location: Location
    note: str


@record
class Finding:
    """One finding. ``primary`` is small (callee, keyword, first line); the rest is ``related``.

    ``evidence`` is normalised text (qualified scope and callee, or the offending sentence) that enters
    the fingerprint instead of line numbers. ``fingerprint`` is filled by the engine. ``content`` is a hash of
    the text of the prompt that it is about, by which it is known under another name ("": of none). ``size`` is
    what a baseline holds it to, in tokens, where that is not its impact.
    """

    code: str
    name: str
    severity: Severity
    confidence: Confidence
    message: str
    primary: Location
    evidence: str
    scope: str | None = None
    scope_location: Location | None = None
    sdk: str | None = None
    model: str | None = None
    related: tuple[Related, ...] = ()
    impact: Impact = Impact()
    fixes: tuple[Fix, ...] = ()
    fingerprint: str = ""
    content: str = ""
    size: int | None = None
