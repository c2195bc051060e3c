"""How messages of rules are worded: quoting, numbers, branches."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TypeVar

from promptslim.core.values import Case, Field

T = TypeVar("T")

QUOTE_LIMIT = 90
CONDITION_LIMIT = 60


def quoted(text: str, limit: int = QUOTE_LIMIT) -> str:
    """``text`` on one line in double quotes, cut at ``limit`` characters. Renderers escape the rest."""
    return f'"{_cut(text, limit)}"'


def code(text: str, limit: int = CONDITION_LIMIT) -> str:
    """``text`` on one line in back quotes, cut at ``limit`` characters."""
    return f"`{_cut(text, limit)}`"


def branch(field: Field[T], case: Case[T]) -> str:
    """ " where `condition`" for a case of a field whose branches differ, else nothing."""
    if len(field.cases) == 1 or case.condition is None:
        return ""
    return f" where {code(case.condition)}"


def dollars(amount: Decimal) -> str:
    """A list price without trailing zeros: ``$1.1``, ``$0.035``."""
    return f"${amount.normalize():f}"


def day(value: date) -> str:
    """ISO date."""
    return value.isoformat()


def _cut(text: str, limit: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 3].rstrip() + "..."
