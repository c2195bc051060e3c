"""Tool lists as text: taken apart with offsets, whatever stands in them."""

import json

from hypothesis import given
from hypothesis import strategies as st

from promptslim.structure.tool_list import parameters, tools_in

SCHEMA = {
    "type": "object",
    "properties": {"a": {"description": "First"}, "b": {"properties": {"c": {"type": "string"}}}},
}


def written(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def test_forms_of_the_providers() -> None:
    forms = [
        {"name": "f", "description": "D", "input_schema": SCHEMA},
        {"toolSpec": {"name": "f", "description": "D", "inputSchema": {"json": SCHEMA}}},
        {"type": "function", "function": {"name": "f", "description": "D", "parameters": SCHEMA}},
        {"function_declarations": [{"name": "f", "description": "D", "parameters": SCHEMA}]},
    ]
    text = written(forms)
    tools = list(tools_in(text))
    assert [tool.name for tool in tools] == ["f"] * 4
    for tool in tools:
        assert tool.description is not None
        assert text[tool.description.start : tool.description.end] == '"D"'
        assert tool.schema is not None
        assert [one.name for one in parameters(tool.schema)] == ["a", "b", "c"]


def test_holes_stand_for_what_is_not_known() -> None:
    (tool,) = tools_in('[{"name":"f","description":"Made at \ufffc","input_schema":\ufffc}]')
    assert tool.name == "f"
    assert tool.description is not None
    assert tool.description.text is None


@given(
    st.recursive(
        st.none() | st.booleans() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_any_json_ends(value: object) -> None:
    list(tools_in(written(value)))


@given(st.text(alphabet='[]{}",:\\ab\ufffc\n', max_size=80))
def test_any_text_ends(text: str) -> None:
    for tool in tools_in(text):
        assert 0 <= (tool.schema.start if tool.schema else 0) <= len(text)
