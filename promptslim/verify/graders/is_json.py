"""is-json: the whole answer is JSON, by a schema where the value is one."""

from __future__ import annotations

from promptslim.verify.answer import Answer, Check, Grade
from promptslim.verify.answer_json import graded_by_schema, schema_problem, whole_json

KINDS = ("is-json",)
GRADED = False


def check(check: Check) -> str | None:
    """The value, if there is one, is a JSON Schema."""
    return None if check.value is None else schema_problem(check.value)


def grade(answer: Answer, check: Check) -> Grade:
    """Whether the answer is JSON that fits."""
    return graded_by_schema(whole_json(answer.text), check.value, "the answer is not JSON")
