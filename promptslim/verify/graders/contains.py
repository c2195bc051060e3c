"""contains, contains-any and contains-all: texts that stand in the answer."""

from __future__ import annotations

import csv

from promptslim.verify.answer import Answer, Check, Grade, verdict, written_as

KINDS = ("contains", "contains-any", "contains-all")
GRADED = False


def check(check: Check) -> str | None:
    """A text, or for any and all a list of texts (or one text with commas)."""
    if check.value is None or check.value == "" or isinstance(check.value, dict):
        return "needs a text as its value"
    if not check.kind.endswith(("-any", "-all")):
        return "takes one text; for a list use contains-any or contains-all" if isinstance(check.value, list) else None
    found = wanted(check)
    return None if found and all(found) else "needs a list of texts, none of them empty"


def grade(answer: Answer, check: Check) -> Grade:
    """Whether the texts occur in the answer."""
    return occurring(answer.text, wanted(check), check.kind.endswith("-any"))


def occurring(text: str, texts: list[str], any_of_them: bool) -> Grade:
    """Whether one, or each, of the texts stands in a text."""
    missing = [one for one in texts if one not in text]
    if any_of_them:
        return verdict(len(missing) < len(texts), "none of the texts" if len(missing) == len(texts) else "one is there")
    return verdict(not missing, f"without {missing[0]!r}" if missing else "all there")


def wanted(check: Check) -> list[str]:
    """The texts of a value. Those of one text are divided by commas, which quotes keep together."""
    if isinstance(check.value, list):
        return [written_as(one) for one in check.value]
    text = written_as(check.value)
    if not check.kind.endswith(("-any", "-all")):
        return [text]
    (parts,) = csv.reader([" ".join(text.splitlines())], skipinitialspace=True)
    return [part for one in parts if (part := one.strip())]
