"""contains, contains-any, contains-all and the same with icontains, which does not look at case."""

from __future__ import annotations

from promptslim.verify.answer import Answer, Check, Grade, verdict

KINDS = ("contains", "contains-any", "contains-all", "icontains", "icontains-any", "icontains-all")
GRADED = False


def check(check: Check) -> str | None:
    """A text, or for any and all a list of texts (or one text with commas)."""
    if check.value is None or isinstance(check.value, dict):
        return "needs a text as its value"
    if check.kind in ("contains", "icontains"):
        return "takes one text; for a list use contains-any or contains-all" if isinstance(check.value, list) else None
    return None if _wanted(check) else "needs a list of texts"


def grade(answer: Answer, check: Check) -> Grade:
    """Whether the texts occur in the answer."""
    text, wanted = answer.text, _wanted(check)
    if check.kind.startswith("i"):
        text, wanted = text.casefold(), [one.casefold() for one in wanted]
    missing = [one for one in wanted if one not in text]
    if check.kind.endswith("-any"):
        return verdict(
            len(missing) < len(wanted), "none of the texts" if len(missing) == len(wanted) else "one is there"
        )
    return verdict(not missing, f"without {missing[0]!r}" if missing else "all there")


def _wanted(check: Check) -> list[str]:
    if isinstance(check.value, list):
        return [str(one) for one in check.value]
    text = str(check.value)
    if check.kind in ("contains", "icontains"):
        return [text]
    return [part for one in text.split(",") if (part := one.strip())]
