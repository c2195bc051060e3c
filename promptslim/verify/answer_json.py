"""JSON as an answer or in it, and whether it fits a schema."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from promptslim.verify.answer import Grade, verdict


def whole_json(text: str) -> list[Any]:
    """The value that a text is, alone in a list; none where it is no JSON."""
    try:
        return [json.loads(text, parse_constant=_no_constant)]
    except (ValueError, RecursionError):
        return []


def json_values(text: str) -> Iterator[Any]:
    """Every object and list that stands in the text, outermost ones only."""
    decoder = json.JSONDecoder(parse_constant=_no_constant)
    position = 0
    while (position := _next_opening(text, position)) >= 0:
        try:
            value, position = decoder.raw_decode(text, position)
            yield value
        except ValueError:
            position += 1
        except RecursionError:
            return


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _next_opening(text: str, start: int) -> int:
    places = [place for mark in "{[" if (place := text.find(mark, start)) >= 0]
    return min(places, default=-1)


def schema_of(value: Any) -> Any:  # noqa: ANN401 (data of any form)
    """The schema that a value stands for: itself, or what a text says in JSON or YAML. Raises ValueError."""
    if not isinstance(value, str):
        return value
    import yaml

    try:
        return yaml.safe_load(value)
    except yaml.YAMLError:
        raise ValueError(value) from None


def schema_problem(value: Any) -> str | None:  # noqa: ANN401 (data of any form)
    """What is wrong with a schema; None: nothing."""
    try:
        schema = schema_of(value)
    except ValueError:
        schema = None
    if not isinstance(schema, dict | bool):
        return "takes a JSON Schema as its value: a mapping, or a text of one"
    if importlib.util.find_spec("jsonschema") is None:
        return "with a schema needs jsonschema: pip install 'promptslim-lint[schema]', or the package jsonschema"
    from jsonschema import Draft202012Validator, SchemaError
    from jsonschema.validators import validator_for

    try:
        if isinstance(schema, dict):
            validator_for(schema, default=Draft202012Validator).check_schema(schema)
    except SchemaError as error:
        return f"has no valid JSON Schema: {' '.join(error.message.split())}"
    return None


def graded_by_schema(found: Sequence[Any], value: Any, missing: str) -> Grade:  # noqa: ANN401
    """Whether one of the values fits a schema (None: there is none); ``missing`` is said where there is no value."""
    if not found:
        return verdict(False, missing)
    if value is None:
        return verdict(True, "JSON")
    from jsonschema import Draft202012Validator
    from jsonschema.validators import validator_for

    schema = schema_of(value)
    kind = validator_for(schema, default=Draft202012Validator)
    validator = kind(schema, format_checker=kind.FORMAT_CHECKER)
    errors = [next((error.message for error in validator.iter_errors(one)), None) for one in found]
    return verdict(None in errors, "fits the schema" if None in errors else f"does not fit the schema: {errors[0]}")
