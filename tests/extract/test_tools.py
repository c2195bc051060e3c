"""Tools of a call: the JSON that is sent, and where its characters stand."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from project import call

from promptslim.core.prompt import CachePoint, Hole, Literal, Prompt
from promptslim.core.values import Absent, Known, Present
from promptslim.structure.flat import flatten

HEAD = "import anthropic\nclient = anthropic.Anthropic()\n"
SEND = 'client.messages.create(model="claude-haiku-4-5", max_tokens=9, messages=m, tools={tools})\n'

DATA = st.recursive(
    st.none() | st.booleans() | st.integers(-999, 999) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


def tools(expression: str, before: str = "") -> Prompt:
    value = call(HEAD + before + SEND.format(tools=expression)).tools.only
    assert isinstance(value, Known)
    return value.value


@given(st.lists(DATA, max_size=3))
@settings(max_examples=60, deadline=None)
def test_the_text_is_the_json_of_the_list(extras: list[object]) -> None:
    wanted = [{"name": f"t{i}", "input_schema": {"extra": extra}} for i, extra in enumerate(extras or [1])]
    prompt = tools(repr(wanted))
    assert json.loads(prompt.static_text) == json.loads(json.dumps(wanted))
    flat = flatten(prompt.parts)
    for part in prompt.parts:
        if isinstance(part, Literal) and part.source_map is not None:
            assert len(part.source_map) == len(part.text) + 1
            assert part.location is not None
    assert flat.text.replace("\n", "") == prompt.static_text


def test_a_description_leads_to_its_characters() -> None:
    prompt = tools("TOOLS", 'TOOLS = [{"name": "f", "description": "Finds \\"it\\"\\nfast."}]\n')
    flat = flatten(prompt.parts)
    at = flat.text.index("fast")
    place = flat.location(at, at + 4)
    assert place is not None
    assert place.text == "fast"
    key = flat.text.index('"description"')
    place = flat.location(key, key + len('"description"'))
    assert place is not None
    assert place.text == '"description"'
    assert prompt.id.endswith("::TOOLS")
    assert prompt.shape == "tools"


def test_values_from_elsewhere_are_holes() -> None:
    prompt = tools('[{"name": "f", "description": text, "input_schema": Model.model_json_schema()}]')
    assert [hole.expression for hole in prompt.holes] == ["text", "Model.model_json_schema()"]
    assert prompt.static_text == '[{"name":"f","description":,"input_schema":}]'


def test_cache_markers_stand_at_their_place() -> None:
    prompt = tools('[{"name": "f"}, {"name": "g", "cache_control": {"type": "ephemeral"}}, {"name": "h"}]')
    kinds = [part.text if isinstance(part, Literal) else part for part in prompt.parts if not isinstance(part, Hole)]
    (at,) = (index for index, part in enumerate(kinds) if isinstance(part, CachePoint))
    assert "g" in "".join(part for part in kinds[:at] if isinstance(part, str))
    assert "h" in "".join(part for part in kinds[at:] if isinstance(part, str))
    assert "cache_control" not in prompt.static_text


def test_a_function_is_named_with_its_docstring() -> None:
    source = '''
        from pydantic_ai import Agent

        def weather(city: str) -> str:
            """Tells the weather."""

        Agent("openai:gpt-4o", tools=[weather])
    '''
    value = call(source).tools.only
    assert isinstance(value, Known)
    assert value.value.static_text == '[{"name":"weather","description":"Tells the weather."}]'
    assert [hole.expression for hole in value.value.holes] == ["schema of weather"]


@pytest.mark.parametrize(("expression", "kind"), [("None", Absent), ("get_tools()", Present), ("[a, b]", Present)])
def test_tools_that_cannot_be_seen_are_not_claimed(expression: str, kind: type) -> None:
    assert isinstance(call(HEAD + SEND.format(tools=expression)).tools.only, kind)


def test_a_list_that_grows_or_branches() -> None:
    prompt = tools("TOOLS", 'TOOLS = [{"name": "f"}]\nif x:\n    TOOLS.append({"name": "g"})\n')
    assert '"name":"f"' in prompt.static_text
    wide = "x = {'name': 'a'}\n" + "x = {" + ", ".join(f"'k{i}': x" for i in range(9)) + ", 'name': x}\n"
    assert len(tools("[x]", wide * 6).static_text) < 20_000_000
