"""finish-reason: why the model stopped, for instance end_turn, max_tokens or tool_use."""

from __future__ import annotations

from promptslim.verify.answer import Answer, Check, Grade, ungradeable, verdict

KINDS = ("finish-reason",)
GRADED = False


def check(check: Check) -> str | None:
    """A text is needed."""
    return None if isinstance(check.value, str) and check.value else "needs a reason as its value"


def grade(answer: Answer, check: Check) -> Grade:
    """Whether the reason is the value; spelling with hyphens and capitals does not count."""
    if not answer.stop:
        return ungradeable("the provider told no reason")
    return verdict(_plain(answer.stop) == _plain(check.value), f"stopped by {answer.stop}")


def _plain(reason: str) -> str:
    return reason.lower().replace("-", "_")
