"""icontains, icontains-any and icontains-all: texts that stand in the answer, in capitals or not."""

from __future__ import annotations

from promptslim.verify.answer import Answer, Check, Grade
from promptslim.verify.graders import contains

KINDS = ("icontains", "icontains-any", "icontains-all")
GRADED = False


def check(check: Check) -> str | None:
    """As for contains."""
    found = contains.check(check)
    return found and found.replace("use contains-any or contains-all", "use icontains-any or icontains-all")


def grade(answer: Answer, check: Check) -> Grade:
    """Whether the texts occur in the answer, by Unicode's case folding."""
    texts = [one.casefold() for one in contains.wanted(check)]
    return contains.occurring(answer.text.casefold(), texts, check.kind.endswith("-any"))
