"""contains-json: an object or a list in JSON stands in the answer, by a schema where the value is one."""

from __future__ import annotations

from promptslim.verify.answer import Answer, Check, Grade
from promptslim.verify.answer_json import graded_by_schema, json_values, schema_problem

KINDS = ("contains-json",)
GRADED = False


def check(check: Check) -> str | None:
    """The value, if there is one, is a JSON Schema."""
    return None if check.value is None else schema_problem(check.value)


def grade(answer: Answer, check: Check) -> Grade:
    """Whether there is JSON that fits."""
    return graded_by_schema(list(json_values(answer.text)), check.value, "no JSON")
