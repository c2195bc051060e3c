"""An answer of a model, what is asked of it, and what a grader says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from promptslim.core.record import field, record
from promptslim.pricing.cost import Tier, Usage

UNRECORDED = "missing"
"""The error of an answer that a recording does not have."""


@record
class ToolCall:
    """A tool that the model asked for, and its arguments."""

    name: str
    arguments: Mapping[str, Any]


@record
class Answer:
    """What came back for one item. ``stop`` is the provider's reason for ending (empty: not told), in the words of
    Bedrock's Converse where the provider has one of its own for the same; ``seconds`` the time to the last byte;
    ``usd`` the price of the call with all its attempts (None: no price is known); ``usage`` its tokens (None: not
    told); ``attempts`` how many requests were sent for it. ``tier`` is the one that the call was served in (None: the
    one that was asked for). ``error`` is the kind of fault of the last attempt where
    none gave an answer: then there is no text, and nothing to grade."""

    text: str
    stop: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    seconds: float | None = None
    usd: Decimal | None = None
    usage: Usage | None = None
    attempts: int = 1
    error: str = ""
    tier: Tier | None = None


@record
class CheckSet:
    """An assert-set of promptfoo's: its assertions count as one, with a weight, which passes where all of them pass, or
    with ``threshold`` where their weighted mean reaches it. ``name`` tells the sets of an item apart."""

    name: str
    threshold: float | None = None
    weight: float = 1.0


@record
class Check:
    """One assertion of a suite: its type without ``not-``, its value with the item's variables filled in, and what
    else is written beside it. ``weight`` is its share in the score of the item; 0: for information only.
    ``folder`` is that of the suite, to which the paths in it are relative; ``group`` the assert-set that it stands
    in."""

    kind: str
    value: Any = None
    threshold: float | None = None
    weight: float = 1.0
    negated: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, Any] = field(default_factory=dict)
    folder: str = "."
    group: CheckSet | None = None


@record
class Grade:
    """What one grader says: a score in [0, 1] and whether it is enough; None for an answer that it cannot judge, for
    which a wrong answer must not be taken."""

    score: float | None
    passed: bool | None
    reason: str

    @property
    def gradeable(self) -> bool:
        """Whether there is a grade."""
        return self.passed is not None


def verdict(passed: bool, reason: str) -> Grade:
    """A grade of pass or fail."""
    return Grade(1.0 if passed else 0.0, passed, reason)


def scored(score: float, threshold: float, reason: str) -> Grade:
    """A grade by a score that has to reach a threshold."""
    score = min(1.0, max(0.0, score))
    return Grade(score, score >= threshold, f"{reason}: {score:.3g}, wanted {threshold:g}")


def ungradeable(reason: str) -> Grade:
    """No grade."""
    return Grade(None, None, reason)


def written_as(value: object) -> str:
    """A value of a suite as text, as JavaScript writes it: ``true``, and 1 for 1.0."""
    match value:
        case str():
            return value
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return json.dumps(value, ensure_ascii=False, default=str)
