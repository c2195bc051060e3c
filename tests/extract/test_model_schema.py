"""Schemas of pydantic models: what the source says of them, against what pydantic and OpenAI's client write."""

from __future__ import annotations

import json

import pytest
from project import call

from promptslim.core.prompt import Prompt
from promptslim.core.values import Known
from promptslim.structure.flat import flatten

ORDER = '''
from enum import Enum
from typing import Annotated, Any, Dict, List, Literal, Optional, Union

import anthropic
import openai
from pydantic import BaseModel, ConfigDict, Field


class Size(str, Enum):
    """How large it is."""

    small = "s"
    large = "l"


class Part(BaseModel):
    part_number: str
    weight: float = 0.5


class Base(BaseModel):
    model_config = ConfigDict(extra="ignore")
    order_id: str = Field(..., description="As printed on the invoice")


class Order(Base):
    """An order.

    With all its parts.
    """

    customerName: str
    count: int = 3
    note: Optional[str] = None
    mark: str | None = Field(None, description="Left out where there is none")
    plain: list
    tags: List[str]
    parts: list[Part] = Field(description="In the order of packing")
    first: Part
    last: Optional[Part] = None
    others: Optional[List[Part]] = None
    size: Size
    kind: Literal["gift", "normal"]
    only: Literal[1]
    rest: Any
    prices: Dict[str, float]
    either: Union[int, str]
    mixed: Union[Part, str]
    urgent: Annotated[bool, Field(title="Before noon")]
    by_name: dict[str, Part]
    _seen: bool = False


'''

SEND = """
anthropic.Anthropic().messages.create(
    model="claude-haiku-4-5", max_tokens=9, messages=m, tools=[{"name": "order", "input_schema": %s}]
)
"""

# As pydantic 2.13.4 writes it; the order of keys aside.
PART = {
    "properties": {
        "part_number": {"title": "Part Number", "type": "string"},
        "weight": {"default": 0.5, "title": "Weight", "type": "number"},
    },
    "required": ["part_number"],
    "title": "Part",
    "type": "object",
}
SIZE = {"description": "How large it is.", "enum": ["s", "l"], "title": "Size", "type": "string"}
REFERENCE: dict[str, object] = {"$ref": "#/$defs/Part"}
NULL = {"type": "null"}
PROPERTIES: dict[str, dict[str, object]] = {
    "order_id": {"description": "As printed on the invoice", "title": "Order Id", "type": "string"},
    "customerName": {"title": "Customername", "type": "string"},
    "count": {"default": 3, "title": "Count", "type": "integer"},
    "note": {"anyOf": [{"type": "string"}, NULL], "default": None, "title": "Note"},
    "mark": {
        "anyOf": [{"type": "string"}, NULL],
        "default": None,
        "description": "Left out where there is none",
        "title": "Mark",
    },
    "plain": {"items": {}, "title": "Plain", "type": "array"},
    "tags": {"items": {"type": "string"}, "title": "Tags", "type": "array"},
    "parts": {"description": "In the order of packing", "items": REFERENCE, "title": "Parts", "type": "array"},
    "first": REFERENCE,
    "last": {"anyOf": [REFERENCE, NULL], "default": None},
    "others": {"anyOf": [{"items": REFERENCE, "type": "array"}, NULL], "default": None, "title": "Others"},
    "size": {"$ref": "#/$defs/Size"},
    "kind": {"enum": ["gift", "normal"], "title": "Kind", "type": "string"},
    "only": {"const": 1, "title": "Only", "type": "integer"},
    "rest": {"title": "Rest"},
    "prices": {"additionalProperties": {"type": "number"}, "title": "Prices", "type": "object"},
    "either": {"anyOf": [{"type": "integer"}, {"type": "string"}], "title": "Either"},
    "mixed": {"anyOf": [REFERENCE, {"type": "string"}], "title": "Mixed"},
    "urgent": {"title": "Before noon", "type": "boolean"},
    "by_name": {"additionalProperties": REFERENCE, "title": "By Name", "type": "object"},
}
SCHEMA = {
    "$defs": {"Part": PART, "Size": SIZE},
    "description": "An order.\n\nWith all its parts.",
    "properties": PROPERTIES,
    "required": [name for name, one in PROPERTIES.items() if "default" not in one],
    "title": "Order",
    "type": "object",
}

# As openai 3.54.0 changes it (``lib/_pydantic.py``): closed objects, all fields required, no null as a default.
STRICT = {
    **SCHEMA,
    "$defs": {"Part": {**PART, "required": ["part_number", "weight"], "additionalProperties": False}, "Size": SIZE},
    "properties": {
        name: {key: value for key, value in one.items() if key != "default" or value is not None}
        for name, one in PROPERTIES.items()
    },
    "required": list(PROPERTIES),
    "additionalProperties": False,
}


def tools(source: str) -> Prompt:
    value = call(source).tools.only
    assert isinstance(value, Known)
    return value.value


def test_the_schema_is_that_of_pydantic() -> None:
    prompt = tools(ORDER + SEND % "Order.model_json_schema()")
    assert prompt.holes == ()
    assert json.loads(prompt.static_text) == [{"name": "order", "input_schema": SCHEMA}]


def test_a_tool_of_openai_is_strict() -> None:
    prompt = tools(
        ORDER + 'openai.OpenAI().chat.completions.create(model="gpt-4o", messages=m, '
        'tools=[openai.pydantic_function_tool(Order, name="send_order")])\n'
    )
    assert prompt.holes == ()
    (tool,) = json.loads(prompt.static_text)
    assert tool == {
        "type": "function",
        "function": {
            "name": "send_order",
            "strict": True,
            "parameters": STRICT,
            "description": "An order.\n\nWith all its parts.",
        },
    }


def test_a_title_leads_to_the_name_of_its_field() -> None:
    flat = flatten(tools(ORDER + SEND % "Order.model_json_schema()").parts)
    for title, name in (("Customername", "customerName"), ("By Name", "by_name"), ("Part Number", "part_number")):
        at = flat.text.index(title)
        place = flat.location(at, at + len(title))
        assert place is not None
        assert place.text == name
    at = flat.text.index("In the order")
    place = flat.location(at, at + 12)
    assert place is not None
    assert place.text == "In the order"


MODEL = "from pydantic import BaseModel, Field, RootModel\nimport anthropic\nimport enum\n"


@pytest.mark.parametrize(
    "body",
    [
        "class M(BaseModel, title='A'):\n    a_b: str\n",
        "class M(RootModel[str]):\n    root: str\n",
        "@decorated\nclass M(BaseModel):\n    a_b: str\n",
        "class M(Unknown, BaseModel):\n    a_b: str\n",
        "class M(BaseModel):\n    model_config = {'title': 'A'}\n    a_b: str\n",
        "class M(BaseModel):\n    class Config:\n        title = 'A'\n    a_b: str\n",
        "class M(BaseModel):\n    a_b: str\n    def __get_pydantic_json_schema__(self, a, b): ...\n",
        "class M(BaseModel):\n    a_b: str\n    @classmethod\n    def model_json_schema(cls): return schema\n",
        "class M(BaseModel):\n    a_b: str\n    @field_validator('a_b', mode='plain')\n    def v(cls, v): ...\n",
        "class M(BaseModel):\n    a_b: 'M'\n    if x:\n        c_d: str\n",
        "M = create_model('M', a_b=(str, ...))\n",
        "class M(BaseModel):\n    a_b: str = Field(alias='ab')\n",
        "class M(BaseModel):\n    a_b: str = Field(**more)\n",
        "class M(BaseModel):\n    a_b: Unknown\n",
    ],
)
def test_what_the_class_does_not_say_is_a_hole(body: str) -> None:
    prompt = tools(MODEL + body + SEND % "M.model_json_schema()")
    assert prompt.holes
    assert "A B" not in prompt.static_text


@pytest.mark.parametrize(
    ("before", "expression"),
    [
        ("", "M.model_json_schema(by_alias=False)"),
        ("s = M.model_json_schema()\nclean(s)\n", "s"),
        ("", "clean(M.model_json_schema())"),
    ],
)
def test_a_schema_that_may_be_changed_is_a_hole(before: str, expression: str) -> None:
    prompt = tools(MODEL + "class M(BaseModel):\n    a_b: str\n" + before + SEND % expression)
    assert prompt.holes
    assert "A B" not in prompt.static_text


def test_models_of_models_end() -> None:
    classes = "".join(f"class M{i}(BaseModel):\n    a: M{i + 1}\n    b: list[M{i + 1}]\n" for i in reversed(range(200)))
    prompt = tools(MODEL + "class M200(BaseModel):\n    a: str\n" + classes + SEND % "M0.model_json_schema()")
    assert prompt.holes
    assert len(prompt.static_text) < 40_000
