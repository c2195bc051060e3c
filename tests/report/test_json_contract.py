"""The JSON outputs keep to their schemas, whatever the text in them."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from call_by_hand import SOURCE, call, prompt
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from promptslim.core.call import LlmCall
from promptslim.core.finding import Finding, Impact
from promptslim.core.result import CallSize, CheckResult, FileError, Inventory, Summary, TokenCount
from promptslim.core.text import Applicability, Document, Fix, Location, Span
from promptslim.core.values import Absent, Case, Default, Field, Known, Present, Unknown, known, unknown
from promptslim.report.check.json import render as render_check
from promptslim.report.formats import View
from promptslim.report.inventory.json import render as render_inventory
from promptslim.report.inventory.text import render as render_inventory_text

FORMATS = Path(__file__).parents[2] / "fixtures" / "formats"
CHECK = Draft202012Validator(json.loads((FORMATS / "check-v1.schema.json").read_text("utf-8")))
INVENTORY = Draft202012Validator(json.loads((FORMATS / "inventory-v1.schema.json").read_text("utf-8")))


def test_schemas_are_schemas() -> None:
    Draft202012Validator.check_schema(CHECK.schema)
    Draft202012Validator.check_schema(INVENTORY.schema)


def test_check_contract() -> None:
    document = Document("src/app.py", SOURCE)
    finding = Finding(
        code="PS101",
        name="missing-max-tokens",
        severity="warning",
        confidence="high",
        message="no cap",
        primary=Location(document, Span(22, 37)),
        evidence="x",
        scope="run",
        scope_location=Location(document, Span(0, len(SOURCE))),
        sdk="boto3.converse",
        model="amazon.nova-lite-v1:0",
        impact=Impact(None, 12, Decimal("0.0000012345"), "counted"),
        fixes=(Fix("a", (), Applicability.DISPLAY), Fix("b", (), Applicability.UNSAFE)),
        fingerprint="0123456789abcdef",
    )
    result = CheckResult((finding,), (FileError("b.py", 3, "broken"),), Summary(14, 9, 1, 2, 3))
    answer = json.loads("".join(render_check(result, View())))
    CHECK.validate(answer)
    assert answer == {
        "version": 1,
        "findings": [
            {
                "code": "PS101",
                "name": "missing-max-tokens",
                "severity": "warning",
                "confidence": "high",
                "path": "src/app.py",
                "cell": None,
                "line": 2,
                "column": 12,
                "end_line": 2,
                "end_column": 27,
                "scope": "run",
                "scope_lines": [1, 2],
                "message": "no cap",
                "sdk": "boto3.converse",
                "model": "amazon.nova-lite-v1:0",
                "impact": {
                    "input_tokens_per_call": None,
                    "output_tokens_per_call": 12,
                    "usd_per_1k_calls": 0.000001,
                    "basis": "counted",
                },
                "fixable": "unsafe",
                "fingerprint": "0123456789abcdef",
            }
        ],
        "errors": [{"path": "b.py", "line": 3, "message": "broken"}],
        "summary": {"files": 14, "calls": 9, "findings": 1, "suppressed": 2, "baselined": 3},
    }


def inventoried(one: LlmCall, size: CallSize) -> dict[str, object]:
    system = prompt(one.location.document)
    whole = Inventory((one,), (system,), (), (size,), (TokenCount(3, 2, 4, "estimate"),))
    answer = json.loads("".join(render_inventory(whole, View())))
    INVENTORY.validate(answer)
    return answer


def test_inventory_contract() -> None:
    document = Document("src/app.py", SOURCE)
    size = CallSize(TokenCount(812, 780, 840, "estimate"), TokenCount(790, 760, 820, "estimate"))
    answer = inventoried(call(document, system=known(prompt(document))), size)
    assert answer == {
        "version": 1,
        "calls": [
            {
                "path": "src/app.py",
                "cell": None,
                "line": 2,
                "end_line": 2,
                "scope": "run",
                "id": "src/app.py::run:converse",
                "sdk": "boto3.converse",
                "model": {"state": "known", "value": "amazon.nova-lite-v1:0"},
                "max_tokens": {"state": "absent", "value": None},
                "system": {"state": "known", "tokens": 812, "method": "estimate", "holes": 1},
                "stable_prefix_tokens": 790,
                "cache_points": 0,
                "opaque": False,
            }
        ],
        "prompts": [
            {
                "id": "src/app.py::SYSTEM",
                "path": "src/app.py",
                "cell": None,
                "line": 1,
                "role": "system",
                "tokens": 3,
                "method": "estimate",
                "holes": 1,
                "used_by": ["a", "b"],
            }
        ],
    }


def test_branches_are_listed_and_the_one_without_a_cap_stands_first() -> None:
    field = Field((Case(Known(300), "short"), Case(Absent(), "not short"), Case(Present("environment X", 500), None)))
    answer = inventoried(call(Document("a.py", SOURCE), max_tokens=field), CallSize(None, None))
    assert answer["calls"][0]["max_tokens"] == {
        "state": "absent",
        "value": None,
        "cases": [
            {"condition": "short", "state": "known", "value": 300},
            {"condition": "not short", "state": "absent", "value": None},
            {"condition": None, "state": "present", "value": 500},
        ],
    }


@pytest.mark.parametrize(
    ("value", "state", "sent"),
    [
        (Known(7), "known", 7),
        (Default(1024, "langchain-aws 1"), "default", 1024),
        (Default(None, "langchain-aws 1"), "default", None),
        (Present("environment X", 500), "present", 500),
        (Present("argument"), "present", None),
        (Absent(), "absent", None),
        (Unknown("**kwargs"), "unknown", None),
    ],
)
def test_states(value: object, state: str, sent: int | None) -> None:
    answer = inventoried(call(Document("a.py", SOURCE), max_tokens=Field((Case(value),))), CallSize(None, None))
    assert answer["calls"][0]["max_tokens"] == {"state": state, "value": sent}


def test_largest_known_cap_stands_for_a_field_with_branches() -> None:
    field = Field((Case(Known(300)), Case(Known(9000)), Case(Unknown())))
    answer = inventoried(call(Document("a.py", SOURCE), max_tokens=field), CallSize(None, None))
    assert answer["calls"][0]["max_tokens"]["value"] == 9000


def test_inventory_text_says_what_is_known_and_what_not() -> None:
    document = Document("src/app.py", SOURCE)
    one = call(
        document,
        system=known(prompt(document)),
        max_tokens=Field((Case(Present("environment CAP", 500)),)),
        model=unknown("parameter model"),
    )
    size = CallSize(TokenCount(812, 780, 840, "estimate"), None)
    text = "".join(render_inventory_text(Inventory((one,), (), (), (size,)), View()))
    assert text == (
        "src/app.py\n"
        "  2:12 boto3.converse in run\n"
        "      model       unknown (parameter model)\n"
        "      max_tokens  set at run time (environment CAP), 500 unless overridden\n"
        "      system      system, 812 tokens (780 to 840, estimate), 1 hole\n"
        "\n"
        "1 LLM call, 0 prompts\n"
    )


@given(text=st.text(st.characters()), path=st.text(st.characters(), min_size=1))
def test_any_text_is_valid_json_and_ascii(text: str, path: str) -> None:
    document = Document(path.replace("\\", "/").lstrip("/") or "a", SOURCE)
    one = call(document, id=text or "x", scope=text, model=known(text))
    rendered = "".join(render_inventory(Inventory((one,), (prompt(document, text, text or "x"),), ()), View()))
    assert rendered.isascii()
    answer = json.loads(rendered)
    INVENTORY.validate(answer)
    assert answer["calls"][0]["model"]["value"] == text
    shown = "".join(render_inventory_text(Inventory((one,), (), ()), View()))
    assert "\x1b" not in shown
