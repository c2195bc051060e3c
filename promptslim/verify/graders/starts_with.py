"""starts-with: the answer begins with the value."""

from __future__ import annotations

from promptslim.verify.answer import Answer, Check, Grade, verdict, written_as

KINDS = ("starts-with",)
GRADED = False


def check(check: Check) -> str | None:
    """A text is needed."""
    return None if isinstance(check.value, str | int | float) and check.value != "" else "needs a text as its value"


def grade(answer: Answer, check: Check) -> Grade:
    """Whether the answer begins with the value."""
    begins = answer.text.startswith(written_as(check.value))
    return verdict(begins, "begins so" if begins else "begins otherwise")
