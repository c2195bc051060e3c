"""number: the last number in the answer is the value, within ``tolerance`` (absolute, or relative as "2%")."""

from __future__ import annotations

import math
import re

from promptslim.verify.answer import Answer, Check, Grade, verdict

KINDS = ("number",)
GRADED = False
_NUMBER = re.compile(r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:[eE][-+]?\d+)?|[-+]?\.\d+")


def check(check: Check) -> str | None:
    """The value is a number, the tolerance a number or a percentage."""
    if _number(check.value) is None:
        return "needs a number as its value"
    return None if _allowed(check) is not None else 'has a tolerance that is neither a number nor as "2%"'


def grade(answer: Answer, check: Check) -> Grade:
    """Whether the last number is near enough."""
    found = _NUMBER.findall(answer.text)
    wanted, allowed = _number(check.value), _allowed(check)
    if not found or wanted is None or allowed is None:
        return verdict(False, "no number in the answer")
    value = float(found[-1].replace(",", ""))
    # The last digits of a sum in binary are not what an answer is about.
    return verdict(abs(value - wanted) <= allowed + 1e-12 * abs(wanted), f"{value:g}, wanted {wanted:g}")


def _number(value: object) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        found = float(str(value).strip().replace(",", ""))
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def _allowed(check: Check) -> float | None:
    written = check.options.get("tolerance", 0)
    if isinstance(written, str) and written.strip().endswith("%"):
        share, wanted = _number(written.strip()[:-1]), _number(check.value)
        allowed = None if share is None or wanted is None else abs(wanted) * share / 100
    else:
        allowed = _number(written)
    return allowed if allowed is not None and allowed >= 0 else None
