"""What tool definitions say twice: whatever is taken out, the rest is the same list of tools with fewer words."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptslim.catalog import load
from promptslim.structure.tool_padding import (
    REPEATS_ARGUMENT,
    REPEATS_ENUM,
    REPEATS_NAME,
    REPEATS_TITLE,
    REPEATS_TOOL,
    padding_in,
)

TABLE: dict[str, Any] = dict(load().phrases["tool_wording"])
WORDS = st.sampled_from(["The user id", "User Id", "Name of the user id, as on the card", "User\\n", 'a "b"', "", "é"])
PROPERTY = st.fixed_dictionaries(
    {"type": st.just("string")},
    optional={
        "title": WORDS,
        "description": WORDS | st.just("One of: a, b or c."),
        "enum": st.just(["a", "b", "c"]),
    },
)
SCHEMA = st.fixed_dictionaries(
    {"properties": st.dictionaries(st.sampled_from(["user_id", "userId", "x", "title", "description"]), PROPERTY)},
    optional={"title": WORDS, "description": WORDS, "$defs": st.just({"Part": {"title": "Part", "properties": {}}})},
)
TOOL = st.fixed_dictionaries(
    {"name": st.sampled_from(["user_id", "f"])}, optional={"description": WORDS, "input_schema": SCHEMA}
)


def written(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def without(text: str) -> str:
    for one in reversed(padding_in(text, TABLE)):
        text = text[: one.start] + text[one.end :]
    return text


def bones(value: object) -> object:
    """A schema without its titles and descriptions in words."""
    if isinstance(value, dict):
        return {
            key: bones(one)
            for key, one in value.items()
            if key not in ("title", "description") or not isinstance(one, str)
        }
    return [bones(one) for one in value] if isinstance(value, list) else value


@given(st.lists(TOOL, max_size=3))
@settings(max_examples=200, deadline=None)
def test_what_is_left_is_the_same_list_of_tools(tools: list[object]) -> None:
    text = written(tools)
    found = padding_in(text, TABLE)
    assert all(first.end <= second.start for first, second in pairwise(found))
    assert all(one.start <= one.shown[0] <= one.shown[1] <= one.end for one in found)
    assert bones(json.loads(without(text))) == bones(tools)


def reasons(tool: dict[str, object]) -> list[str]:
    return [one.why for one in padding_in(written([tool]), TABLE)]


def parameter(name: str, **schema: object) -> dict[str, object]:
    return {"name": "f", "description": "Finds.", "input_schema": {"properties": {name: schema}}}


@pytest.mark.parametrize(
    ("description", "padded"),
    [
        ("Sort (a_b, c-d, e)", True),
        ("Sort: a_b, c-d or e", True),
        ("Sort: a_b, c-d or e.", True),
        ("Sort: `a_b`, `c-d`, or `e`", True),
        ('Sort ("a_b" | "c-d" | "e")', True),
        ("Sort, must be one of a_b, c-d, e", True),
        ("Sort (a_b, c-d)", False),
        ("Sort (a_b first, c-d, e)", False),
        ("Sort: a_b, c-d, e and then the rest of the list that the user has asked for in this talk", False),
        ("Sort (a_bc, c-d, e)", False),
        ("a_b, c-d, e", False),
    ],
)
def test_values_of_an_enum(description: str, padded: bool) -> None:
    found = reasons(parameter("order", description=description, enum=["a_b", "c-d", "e"]))
    assert found == ([REPEATS_ENUM] if padded else [])


@pytest.mark.parametrize(
    ("name", "title", "padded"),
    [
        ("user_id", "User Id", True),
        ("userId", "Userid", True),
        ("user_id", "Number on the card", False),
        ("user_id", "Id", False),
    ],
)
def test_titles(name: str, title: str, padded: bool) -> None:
    assert reasons(parameter(name, title=title)) == ([REPEATS_TITLE] if padded else [])


def test_models() -> None:
    said = "Finds the orders of a customer."
    schema = {"title": "find_orders", "description": said, "$defs": {"Part": {"title": "Part"}, "Rest": {"title": "A"}}}
    assert reasons({"name": "FindOrders", "description": said, "input_schema": schema}) == [
        REPEATS_TITLE,
        REPEATS_TOOL,
        REPEATS_TITLE,
    ]
    assert reasons({"name": "f", "description": "Finds.", "input_schema": {"description": "Finds."}}) == []


@pytest.mark.parametrize(
    ("docstring", "lines"),
    [
        ("Moves.\n\n    Args:\n        user_id: The user id\n        amount: In euro\n    ", ["user_id: The user id"]),
        ("Moves.\n\nParameters:\n  - `user_id` (str): User ID.", ["- `user_id` (str): User ID."]),
        ("Moves.\n\n    Args:\n        user_id: The user id\n            of the card\n    ", []),
        ("Moves.\n\n    Args:\n        amount: In euro\n\n        user_id: The user id\n", []),
        ("Moves.\n\n    user_id: The user id", []),
        ('Moves "x\\n".\n\n    Args:\n        user_id: The user id\n', ["user_id: The user id"]),
    ],
)
def test_lines_of_a_docstring(docstring: str, lines: list[str]) -> None:
    text = written([{"name": "f", "description": docstring}])
    found = padding_in(text, TABLE)
    assert [one.example for one in found] == lines
    assert {one.why for one in found} <= {REPEATS_ARGUMENT}
    assert json.loads(without(text))[0]["name"] == "f"


def test_names_are_told_apart() -> None:
    assert reasons(parameter("user_id", description="The user id")) == [REPEATS_NAME]
    assert reasons(parameter("user_id", description="The id")) == [REPEATS_NAME]
    assert reasons(parameter("user", description="The user id")) == []
