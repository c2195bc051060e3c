"""Reading suites: what they give, and what is said of those that are wrong."""

from __future__ import annotations

import textwrap

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from promptslim.verify.grading import grader_modules
from promptslim.verify.suite import Model, Suite, SuiteError, filled, read_suite, rendered, unfilled
from promptslim.verify.suite_checks import CHECK_KEYS
from promptslim.verify.suite_reader import PASSED_OVER, SUITE_KEYS
from promptslim.verify.suite_schema import suite_schema
from promptslim.verify.suite_tests import TEST_KEYS

SCHEMA = suite_schema()
VALID = Draft202012Validator(SCHEMA)
FULL = """\
description: Sentiment of reviews
prompts:
  - app.py::SYSTEM
model: amazon.nova-lite-v1:0
parameters: {max_tokens: 20, temperature: 0}
margin: 0.05
looks: 2
repeat: 3
critical: [angry]
defaultTest:
  vars: {language: en}
  assert:
    - type: not-contains
      value: sorry
tests:
  - id: first
    vars: {review: Loved it., wanted: positive}
    assert:
      - {type: equals, value: "{{wanted}}", weight: 2}
      - {type: latency, threshold: 900, weight: 0}
    cluster: 7
    slices: [angry, short]
  - vars: {review: Hated it., language: de}
    assert:
      - {type: icontains-any, value: [negativ, negative]}
    threshold: 0.5
"""


def read(text: str, **files: str) -> Suite:
    texts = {
        "evals/suite.yaml": textwrap.dedent(text),
        **{f"evals/{name.replace('__', '.')}": one for name, one in files.items()},
    }
    return read_suite("evals/suite.yaml", lambda path: texts[path].encode() if path in texts else None)


def test_a_full_suite() -> None:
    suite = read(FULL)
    assert (suite.prompts, suite.margin, suite.alpha, suite.looks, suite.repeat) == (
        ("app.py::SYSTEM",), 0.05, 0.05, 2, 3
    )  # fmt: skip
    assert suite.models == (Model("amazon.nova-lite-v1:0", "converse", {"max_tokens": 20, "temperature": 0}),)
    first, second = suite.items
    assert (first.id, first.cluster, first.slices, first.place) == (
        "first",
        "7",
        ("angry", "short"),
        "evals/suite.yaml:16",
    )
    assert first.variables == {"language": "en", "review": "Loved it.", "wanted": "positive"}
    assert [(c.kind, c.value, c.negated, c.weight) for c in first.checks] == [
        ("contains", "sorry", True, 1), ("equals", "positive", False, 2), ("latency", None, False, 0)
    ]  # fmt: skip
    assert second.variables["language"] == "de"
    assert (second.threshold, len(second.id)) == (0.5, 12)
    assert suite.files == ("evals/suite.yaml",)
    VALID.validate(yaml.safe_load(FULL))


def test_items_keep_their_ids_when_others_are_added() -> None:
    more = FULL + "  - {vars: {review: So so.}, assert: [{type: equals, value: neutral}]}\n"
    assert [item.id for item in read(more).items][:2] == [item.id for item in read(FULL).items]
    doubled = FULL + "  - {vars: {review: x}, assert: [{type: equals, value: a}]}\n" * 2
    ids = [item.id for item in read(doubled).items]
    assert len(set(ids)) == 4
    assert ids[3] == f"{ids[2]}-2"


def test_providers_of_promptfoo() -> None:
    suite = read("""\
        prompts: [file://p.txt, "Say {{x}}"]
        providers:
          - bedrock:us.amazon.nova-lite-v1:0
          - id: bedrock:converse:us.anthropic.claude-haiku-4-5-20251001-v1:0
            config: {maxTokens: 300, region: eu-west-1}
        evaluateOptions: {repeat: 2, maxConcurrency: 4}
        looks: any
        tests: [{vars: {x: 1}, assert: [{type: contains, value: "{{x}}"}]}]
        """)
    assert suite.models == (
        Model("us.amazon.nova-lite-v1:0", "invoke_model", {}),
        Model("us.anthropic.claude-haiku-4-5-20251001-v1:0", "converse", {"max_tokens": 300, "region": "eu-west-1"}),
    )
    assert (suite.repeat, suite.looks, suite.margin) == (2, None, None)
    assert suite.items[0].checks[0].value == "1"


SHORT = "prompts: [a]\ndefaultTest: {assert: [{type: not-contains, value: sorry}]}\n"


def test_tests_in_other_files() -> None:
    suite = read(
        SHORT + "tests: [file://a.csv, b.jsonl, file://c.yaml]\n",
        a__csv='__id,review,__expected,__expected2\nr1,"Loved, it",positive,not-contains: bad\n,x,icontains: y,\n',
        b__jsonl='{"vars":{"q":"1"},"assert":[{"type":"number","value":"1"}]}\n\n'
        '{"prompt":"2+2?","referenceResponse":"4"}\n{"input":[{"role":"user","content":"hi"}],"ideal":["hello","hey"]}\n',
        c__yaml="- {vars: {z: 1}, assert: [{type: is-json}]}\n",
    )
    kinds = [[(c.kind, c.value, c.negated) for c in item.checks[1:]] for item in suite.items]
    assert kinds == [
        [("equals", "positive", False), ("contains", "bad", True)],
        [("icontains", "y", False)],
        [("number", "1", False)],
        [("equals", "4", False)],
        [("regex", r"^\s*(?:hello|hey)\s*$", False)],
        [("is-json", None, False)],
    ]
    assert suite.items[0].id == "r1"
    assert suite.items[0].variables == {"review": "Loved, it"}
    assert [item.place for item in suite.items][:3] == ["evals/a.csv:2", "evals/a.csv:3", "evals/b.jsonl:1"]
    assert suite.files == ("evals/suite.yaml", "evals/a.csv", "evals/b.jsonl", "evals/c.yaml")


def test_values_and_variables_in_other_files() -> None:
    suite = read(
        "prompts: [a]\ntests:\n  - vars: {doc: file://d.txt}\n    assert: [{type: json-schema, value: file://s.json}]\n",
        d__txt="Text {{not_a_hole}}",
        s__json='{"type": "object"}',
    )
    (item,) = suite.items
    assert item.variables == {"doc": "Text {{not_a_hole}}"}
    assert item.checks[0].value == {"type": "object"}
    assert suite.files == ("evals/suite.yaml", "evals/d.txt", "evals/s.json")


ONE = "prompts: [a]\ntests:\n  - assert:\n    - "
TEST = "tests: [{vars: {x: 1}, assert: [{type: equals, value: a}]}]\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "suite.yaml:1: a suite is a mapping"),
        ("- a", "suite.yaml:1: a suite is a mapping"),
        ("prompts: [a\n", "suite.yaml:"),
        (TEST, "names no prompts"),
        ("prompts: [a]\n", "has no tests"),
        (f"prompts: [a]\ndefaulttest: {{}}\n{TEST}", "suite.yaml:2: unknown key 'defaulttest'; did you mean 'def"),
        (f"prompts: [a]\nmargin: 5\n{TEST}", "suite.yaml:2: margin has to lie between 0 and 1"),
        (f"prompts: [a]\nmargin: five\n{TEST}", "suite.yaml:2: margin has to be a number"),
        (f"prompts: [a]\nrepeat: 0\n{TEST}", "suite.yaml:2: repeat has to be a whole number"),
        (f"prompts: [a]\ncritical: [angri]\n{TEST}", "suite.yaml:2: no test is in the critical slice 'angri'"),
        (f"prompts: 3\n{TEST}", "suite.yaml:1: a prompt is a text, or a mapping with id"),
        (f"prompts: [a]\nproviders: [{{config: {{}}}}]\n{TEST}", "suite.yaml:2: a provider needs an id"),
        ("prompts: [a]\ntests:\n  - {vars: {x: 1}}\n", "suite.yaml:3: the test has nothing to be graded by"),
        ("prompts: [a]\ntests:\n  - 3\n", "suite.yaml:3: a test is a mapping"),
        ("prompts: [a]\ntests:\n  - {var: {x: 1}}\n", "suite.yaml:3: unknown key 'var'; did you mean 'vars'?"),
        (ONE + "{type: equal, value: 1}\n", "suite.yaml:4: unknown assertion type 'equal'; did you mean 'eq"),
        (ONE + "{value: 1}\n", "suite.yaml:4: an assertion needs a type"),
        (ONE + "{type: regex, value: '('}\n", "suite.yaml:4: regex is no pattern"),
        (ONE + "{type: equals, value: '{{y}}'}\n", "suite.yaml:4: the value names 'y'"),
        (ONE + "{type: equals, value: a, weight: -1}\n", "suite.yaml:4: a weight is 0 or more"),
        ("prompts: [a]\ntests: file://none.yaml\n", "suite.yaml:2: there is no file 'none.yaml'"),
        ("prompts: [a]\ntests: file://none.xml\n", "suite.yaml:2: tests in 'none.xml' cannot be read"),
        ("prompts: [a]\ntests:\n" + "  - {id: x, assert: [{type: is-json}]}\n" * 2, "suite.yaml:4: a second test with"),
    ],
)  # fmt: skip
def test_errors_name_file_line_and_the_nearest_key(text: str, message: str) -> None:
    with pytest.raises(SuiteError) as caught:
        read(text)
    assert message in str(caught.value)
    assert str(caught.value).startswith("evals/suite.yaml:")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "x,__expected\n1\n", "evals/a.csv:2: the row has another number of columns"),
        ("a.csv", "x\n1\n", "evals/a.csv:2: the test has nothing to be graded by"),
        ("a.csv", "x,__expected\n1,number: many\n", "evals/a.csv:2: number needs a number"),
        ("a.jsonl", "{\n", "evals/a.jsonl:1: the line is not JSON"),
        ("a.jsonl", '\n{"x": 1}\n', "evals/a.jsonl:2: the line is no test"),
        ("a.jsonl", '{"vars":{},"assert":[{"type":"equal"}]}\n', "evals/a.jsonl:1: unknown assertion type 'equal'"),
        ("a.yaml", "- 3\n", "evals/a.yaml:1: a test is a mapping"),
    ],
)
def test_errors_in_other_files(name: str, text: str, message: str) -> None:
    with pytest.raises(SuiteError) as caught:
        read(f"prompts: [a]\ntests: file://{name}\n", **{name.replace(".", "__"): text})
    assert str(caught.value).startswith(message)


def test_a_missing_suite() -> None:
    with pytest.raises(SuiteError, match=r"^none\.yaml: there is no such file$"):
        read_suite("none.yaml", lambda path: None)


def test_variables_in_texts() -> None:
    variables = {"a": "x", "b": {"c": [1, "ü"]}, "d": "{{a}}"}
    assert rendered("{{a}} {{ b.c }} {{d}} {{e}} {a}", variables) == 'x [1, "ü"] {{a}} {{e}} {a}'
    assert unfilled("{{a}} {{e}} {{b.x}} {{e}}", variables) == ("e", "b.x")
    assert filled({"k": ["{{a}}", 3]}, variables) == {"k": ["x", 3]}


@given(st.dictionaries(st.from_regex(r"[a-z]{1,3}", fullmatch=True), st.text(max_size=10)), st.text(max_size=20))
def test_text_without_holes_stays(variables: dict[str, str], text: str) -> None:
    if "{{" not in text:
        assert rendered(text, variables) == text
    for name, value in variables.items():
        assert rendered(f"<{{{{{name}}}}}>", variables) == f"<{value}>"


def test_the_schema_knows_what_the_reader_knows() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert sorted(SCHEMA["properties"]) == sorted([*SUITE_KEYS, *PASSED_OVER.split()])
    assert set(TEST_KEYS) <= set(SCHEMA["$defs"]["test"]["properties"])
    one = SCHEMA["$defs"]["assertion"]["anyOf"][2]["properties"]
    assert set(CHECK_KEYS) <= set(one)
    kinds = sorted(grader_modules())
    assert one["type"]["enum"] == [*kinds, *(f"not-{kind}" for kind in kinds if kind != "pairwise")]
