"""equals: the answer is the value, apart from blank space around it; a value that is data is compared as data."""

from __future__ import annotations

import json
from typing import Any

from promptslim.verify.answer import Answer, Check, Grade, verdict, written_as
from promptslim.verify.answer_json import whole_json

KINDS = ("equals",)
GRADED = False


def check(check: Check) -> str | None:
    """A value is needed."""
    return "needs a value" if check.value is None else None


def grade(answer: Answer, check: Check) -> Grade:
    """Whether the answer is the value."""
    if isinstance(check.value, dict | list):
        found = whole_json(answer.text)
        if not found:
            return verdict(False, "the answer is not JSON")
        same = _data(found[0]) == _data(check.value)
        return verdict(same, "the same data" if same else "other data")
    same = answer.text.strip() == written_as(check.value).strip()
    return verdict(same, "equal" if same else "not equal")


def _data(value: object) -> str:
    """Data as text that is the same for the same data: Python takes True for 1."""
    return json.dumps(_numbers(value), sort_keys=True, default=str)


def _numbers(value: Any) -> Any:  # noqa: ANN401 (JSON)
    match value:
        case float() if value.is_integer():
            return int(value)
        case list():
            return [_numbers(one) for one in value]
        case dict():
            return {key: _numbers(one) for key, one in value.items()}
        case _:
            return value
