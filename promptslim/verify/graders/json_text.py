"""is-json, contains-json and json-schema: JSON as the answer or in it, by a schema where one is given."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from promptslim.verify.answer import Answer, Check, Grade, verdict

KINDS = ("is-json", "contains-json", "json-schema")
GRADED = False


def check(check: Check) -> str | None:
    """The value, if there is one, is a JSON Schema; json-schema needs it."""
    if check.value is None:
        return "needs a schema as its value" if check.kind == "json-schema" else None
    if not isinstance(check.value, dict):
        return "takes a JSON Schema (a mapping) as its value"
    from jsonschema import Draft202012Validator, SchemaError

    try:
        Draft202012Validator.check_schema(check.value)
    except SchemaError as error:
        return f"has no valid JSON Schema: {error.message}"
    return None


def grade(answer: Answer, check: Check) -> Grade:
    """Whether there is JSON that fits."""
    found = list(json_values(answer.text)) if check.kind == "contains-json" else list(_whole(answer.text))
    if not found:
        return verdict(False, "no JSON" if check.kind == "contains-json" else "the answer is not JSON")
    if check.value is None:
        return verdict(True, "JSON")
    from jsonschema import Draft202012Validator

    validator = Draft202012Validator(check.value)
    errors = [next((error.message for error in validator.iter_errors(value)), None) for value in found]
    return verdict(None in errors, "fits the schema" if None in errors else f"does not fit the schema: {errors[0]}")


def _whole(text: str) -> Iterator[Any]:
    try:
        yield json.loads(text)
    except (ValueError, RecursionError):
        return


def json_values(text: str) -> Iterator[Any]:
    """Every object and list that stands in the text, outermost ones only."""
    decoder = json.JSONDecoder()
    position = 0
    while (position := _next_opening(text, position)) >= 0:
        try:
            value, position = decoder.raw_decode(text, position)
            yield value
        except ValueError:
            position += 1
        except RecursionError:
            return


def _next_opening(text: str, start: int) -> int:
    places = [place for mark in "{[" if (place := text.find(mark, start)) >= 0]
    return min(places, default=-1)
