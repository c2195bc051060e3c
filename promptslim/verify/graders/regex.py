"""regex: the pattern is found in the answer. A pattern that takes too long on an answer gives no grade."""

from __future__ import annotations

import regex

from promptslim.verify.answer import Answer, Check, Grade, ungradeable, verdict

KINDS = ("regex",)
GRADED = False
SECONDS = 2.0
"""Time for one answer: patterns that need more have run away."""


def check(check: Check) -> str | None:
    """A pattern that compiles."""
    if not isinstance(check.value, str):
        return "needs a pattern as its value"
    try:
        regex.compile(check.value)
    except regex.error as error:
        return f"is no pattern: {error}"
    return None


def grade(answer: Answer, check: Check) -> Grade:
    """Whether the pattern is found."""
    try:
        found = regex.search(check.value, answer.text, timeout=SECONDS) is not None
    except TimeoutError:
        return ungradeable(f"the pattern took more than {SECONDS:g} seconds")
    return verdict(found, "found" if found else "not found")
