"""equals: the answer is the value, apart from blank space around it; a value that is data is compared as data."""

from __future__ import annotations

import json

from promptslim.verify.answer import Answer, Check, Grade, verdict

KINDS = ("equals",)
GRADED = False


def check(check: Check) -> str | None:
    """A value is needed."""
    return "needs a value" if check.value is None else None


def grade(answer: Answer, check: Check) -> Grade:
    """Whether the answer is the value."""
    if isinstance(check.value, dict | list):
        try:
            same = json.loads(answer.text) == check.value
        except (ValueError, RecursionError):
            return verdict(False, "the answer is not JSON")
        return verdict(same, "the same data" if same else "other data")
    same = answer.text.strip() == str(check.value).strip()
    return verdict(same, "equal" if same else "not equal")
