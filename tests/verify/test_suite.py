"""Reading suites: what they give, and what is said of those that are wrong."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
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
        ("prompts: [a]\ntests: file://t/*.yaml\n", "suite.yaml:2: the pattern 't/*.yaml' is not followed"),
        ("prompts: [a]\ntests: ../t.yaml\n", "suite.yaml:2: there is no file '../t.yaml'"),
        ("prompts: [a]\ntests: ../../t.yaml\n", "suite.yaml:2: the file '../../t.yaml' lies outside"),
        ("prompts: [a]\ntests: huggingface://datasets/x\n", "suite.yaml:2: tests are not fetched from 'hugg"),
        ("prompts: [a]\ntests: file://t.py:make\n", "suite.yaml:2: the tests are made by the program 't.py:make'"),
        (f"prompts: [file://p.py:make]\n{TEST}", "suite.yaml:1: the prompt is made by the program 'p.py:make'"),
        (f"prompts: [a]\nextensions: [x]\n{TEST}", "suite.yaml:2: promptfoo's extensions is not known here"),
        (f"prompts: [a]\nproviders: [{{id: m, config: {{maxToken: 3}}}}]\n{TEST}", "suite.yaml:2: unknown para"),
        (f"prompts: [a]\nparameters: {{maxToken: 3}}\n{TEST}", "suite.yaml:2: unknown parameter 'maxToken'; did"),
        (f"prompts: [a]\nproviders: ['openai:{{{{env.M}}}}']\n{TEST}", "suite.yaml:2: the provider 'openai:{{env.M}}'"),
        (f"prompts: file://p.jsonl\n{TEST}", "suite.yaml:1: prompts in 'p.jsonl' are not read"),
        (
            "prompts: [a]\ntests: [{vars: {review: x}, assert: [{type: equals, value: '{{reveiw}}'}]}]\n",
            "suite.yaml:2: the value names 'reveiw', which is no variable of the test; did you mean 'review'?",
        ),
        (ONE + "{type: javascript, value: x}\n", "suite.yaml:4: promptfoo's javascript is not known here: write it as"),
        (ONE + "{type: similar, value: x}\n", "suite.yaml:4: promptfoo's similar is not known here: no embeddings"),
        (ONE + "{type: equals, value: '{{ y | upper }}'}\n", "suite.yaml:4: the value cannot be filled: 'y' is undef"),
        (ONE + "{type: equals, value: '{{ oops'}\n", "suite.yaml:4: the value cannot be filled"),
        (ONE + "{$ref: '#/assertionTemplates/x'}\n", "suite.yaml:4: there is no assertion '#/assertionTemplates/x'"),
        (ONE + "{type: contains, value: ''}\n", "suite.yaml:4: contains needs a text"),
        (ONE + "{type: number, value: .nan}\n", "suite.yaml:4: nan is no number"),
        ("prompts: [a]\ntests:\n  - {vars: {x: .inf}, assert: [{type: is-json}]}\n", "suite.yaml:3: inf is no number"),
        ("prompts: [a]\ntests:\n  - {options: {transform: x}}\n", "suite.yaml:3: promptfoo's transform is not known"),
        ("prompts: [a]\ntests:\n  - {vars: {x: file://x.py}}\n", "suite.yaml:3: the variable is filled by the program"),
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
        ("a.jsonl", '{"vars":{},"asert":[]}\n', "evals/a.jsonl:1: unknown key 'asert'; did you mean 'assert'?"),
        ("a.jsonl", '{"vars":{},"assert":[{"type":"equals"}]}\n', "evals/a.jsonl:1: equals needs a value"),
        ("a.csv", "x,x,__expected\n1,2,3\n", "evals/a.csv:1: the column 'x' comes twice"),
        ("a.csv", "x,__expectd\n1,2\n", "evals/a.csv:1: the column '__expectd' is not known here"),
        ("a.csv", 'x,__expected\n"a\nb",fn: 1\n', "evals/a.csv:2: promptfoo's javascript is not known here"),
        ("a.csv", 'x,__expected\n"a,1\n', "evals/a.csv:2: not CSV"),
        ("a.yaml", "- 3\n", "evals/a.yaml:1: a test is a mapping"),
    ],
)
def test_errors_in_other_files(name: str, text: str, message: str) -> None:
    with pytest.raises(SuiteError) as caught:
        read(f"prompts: [a]\ntests: file://{name}\n", **{name.replace(".", "__"): text})
    assert str(caught.value).startswith(message)


PROMPTFOO = """\
description: As promptfoo has it
env: {A: b}
outputPath: out.json
prompts:
  - id: file://a.txt
    label: first
  - raw: "Say {{x}}"
    label: second
targets:
  - openai:chat:gpt-4.1-mini
  - {id: 'anthropic:messages:claude-haiku-4-5', config: {max_tokens: 9, apiKey: k, tools: []}}
assertionTemplates:
  short: {type: levenshtein, value: "{{x}}"}
defaultTest:
  options: {provider: openai:gpt-4.1}
  assert:
    - $ref: '#/assertionTemplates/short'
tests:
  - description: one for each value
    vars: {x: [a, b], y: [1, 2]}
    assert:
      - {type: assert-set, threshold: 0.5, weight: 3, assert: [{type: equals, value: a}, {type: equals, value: b}]}
      - {type: icontains, value: "{{ x | upper }}"}
  - vars: {x: c}
    options: {disableVarExpansion: true}
    threshold: 0
scenarios:
  - description: each with each
    config:
      - vars: {lang: de}
      - vars: {lang: fr}
        assert: [{type: not-contains, value: "{{lang}}"}]
    tests:
      - {id: s, vars: {x: d}}
"""


def test_what_configurations_of_promptfoo_have() -> None:
    suite = read(PROMPTFOO, a__txt="Say {{x}} now")
    assert suite.prompts == ("file://a.txt", "Say {{x}}")
    assert [(one.id, one.route) for one in suite.models] == [
        ("gpt-4.1-mini", "openai"), ("claude-haiku-4-5", "anthropic")
    ]  # fmt: skip
    assert [item.variables for item in suite.items] == [
        {"x": "a", "y": 1}, {"x": "a", "y": 2}, {"x": "b", "y": 1}, {"x": "b", "y": 2}, {"x": "c"},
        {"lang": "de", "x": "d"}, {"lang": "fr", "x": "d"},
    ]  # fmt: skip
    first, last = suite.items[0], suite.items[-1]
    assert [(c.kind, c.value, c.group and (c.group.threshold, c.group.weight)) for c in first.checks] == [
        ("levenshtein", "a", None), ("equals", "a", (0.5, 3)), ("equals", "b", (0.5, 3)), ("icontains", "A", None)
    ]  # fmt: skip
    assert [(c.kind, c.value, c.negated) for c in last.checks][1:] == [("contains", "fr", True)]
    assert [item.id for item in suite.items[-2:]] == ["s", "s-2"]
    assert suite.items[4].threshold == 0
    said = " ".join(suite.notes)
    assert "outputPath is promptfoo's own" in said
    assert "options.provider is promptfoo's own" in said
    assert "names 2 models: gpt-4.1-mini is taken" in said
    assert "apiKey of claude-haiku-4-5" in said
    VALID.validate(yaml.safe_load(PROMPTFOO))


def test_labels_may_say_yes() -> None:
    suite = read(
        "prompts: [a]\njudge: {model: m, labels: [{test: t, output: x, pass: yes}, {test: t, output: y, pass: no}]}\n"
        "tests: [{id: t, assert: [{type: llm-rubric, value: polite}]}]\n"
    )
    assert suite.judge is not None
    assert [label.passed for label in suite.judge.labels] == [True, False]


def test_words_that_are_texts_in_yaml_1_2() -> None:
    """promptfoo reads YAML 1.2, where yes is no truth value and 12:30 no number of seconds."""
    suite = read(
        "prompts: [a]\ntests:\n  - vars: {a: yes, b: Off, c: 12:30, d: true, e: 1.50, f: 1_000}\n"
        "    assert: [{type: equals, value: no}, {type: equals, value: false}]\n"
    )
    (item,) = suite.items
    assert item.variables == {"a": "yes", "b": "Off", "c": "12:30", "d": True, "e": 1.5, "f": "1_000"}
    assert [check.value for check in item.checks] == ["no", False]


def test_tests_that_nothing_grades_are_left_out_and_named() -> None:
    suite = read("prompts: [a]\ntests:\n  - vars: {x: 1}\n  - {vars: {x: 2}, assert: [{type: is-json}]}\n")
    assert [item.variables for item in suite.items] == [{"x": 2}]
    assert suite.notes == ("1 tests have nothing to be graded by, and are left out: evals/suite.yaml:3 is one",)


def test_one_text_file_with_several_prompts() -> None:
    text = "First {{x}}\n---\nSecond {{x}}\nof two lines\n---\n"
    end = f"\n{TEST}"
    suite = read(f"prompts: file://p.txt{end}", p__txt=text)
    assert suite.prompts == ("First {{x}}", "Second {{x}}\nof two lines")
    assert suite.files == ("evals/suite.yaml", "evals/p.txt"), "a proof rests on the file"
    assert read(f"prompts: [file://p.txt, b]{end}", p__txt=text).prompts == ("file://p.txt", "b")
    assert read(f"prompts: file://p.txt{end}", p__txt="One -- and --- only").prompts == ("file://p.txt",)


def test_conversations_as_prompts() -> None:
    chat = '[{"role": "system", "content": "Be {{x}}"}, {"role": "user", "content": "{{q}}"}]'
    turns = "- {role: system, content: 'Be {{x}}'}\n- {role: user, content: '{{q}}'}\n"
    suite = read(f"prompts: [file://a.json, file://b.yaml]\n{TEST}", a__json=chat, b__yaml=turns)
    assert [json.loads(one) for one in suite.prompts] == [json.loads(chat)] * 2
    assert suite.files == ("evals/suite.yaml", "evals/a.json", "evals/b.yaml")


CSV = """\
question;__expected;__expected2;__threshold;__slices;__description
"a
b";grade: polite;contains-any(0.5): x, "y, z";0.5;one, two;what
c;is-json: {"type": "array"};;;;
d;"<b>: {{question}}";;;;
e;python: grade.py:check;file://grade.py;;;
"""


def test_the_columns_of_promptfoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("evals").mkdir()
    Path("evals/grade.py").write_text("def get_assert(o, c): return True\ncheck = get_assert\n")
    head = "prompts: [a]\ntests: file://t.csv\n"
    with pytest.raises(SuiteError, match="llm-rubric is graded by a model"):
        read(head, t__csv=CSV)
    suite = read(head, t__csv="\ufeff" + CSV.replace("grade: polite", "icontains: polite").replace("\n", "\r\n"))
    kinds = [[(c.kind, c.value, c.threshold) for c in item.checks] for item in suite.items]
    assert kinds == [
        [("icontains", "polite", None), ("contains-any", 'x, "y, z"', 0.5)],
        [("is-json", '{"type": "array"}', None)],
        [("equals", "<b>: d", None)],
        [("python", "file://grade.py:check", None), ("python", "file://grade.py", None)],
    ]
    first = suite.items[0]
    assert (first.variables, first.threshold, first.slices) == ({"question": "a\r\nb"}, 0.5, ("one", "two"))
    assert [item.place.rpartition(":")[2] for item in suite.items] == ["2", "4", "5", "6"]


BEDROCK = {
    "conversationTurns": [
        {"prompt": {"content": [{"text": "Hi"}]}, "referenceResponses": [{"content": [{"text": "Hello"}]}]},
        {"prompt": {"content": [{"text": "Who {{x}}?"}]}, "referenceResponses": [{"content": [{"text": "I {{x}}"}]}]},
    ]
}


def test_lines_of_bedrock_and_openai_evals() -> None:
    lines = [
        {"prompt": "2+2?", "referenceResponse": "4", "category": "sums", "modelResponses": []},
        BEDROCK,
        {"input": "say hi", "ideal": "hi", "id": "i1"},
        {"item": {"q": "x", "ideal": "y"}},
        {"vars": {"q": "1"}, "assert": [{"type": "equals", "value": "{{q}}"}], "slices": ["s"], "cluster": 3,
         "threshold": 0.5, "metadata": {}},
    ]  # fmt: skip
    suite = read("prompts: [a]\ncritical: s\ntests: t.jsonl\n", t__jsonl="\n".join(map(json.dumps, lines)))
    sums, turns, hi, item, own = suite.items
    assert (sums.variables, sums.slices) == ({"prompt": "2+2?"}, ("sums",))
    assert [one["content"] for one in turns.variables["messages"]] == ["Hi", "Hello", "Who {{x}}?"]
    assert turns.checks[0].value == "I {{x}}", "what stands in data is no variable"
    assert (hi.id, hi.variables) == ("i1", {"input": "say hi"})
    assert (item.variables, item.checks[0].value) == ({"q": "x"}, "y")
    assert (own.slices, own.cluster, own.threshold, own.checks[0].value) == (("s",), "3", 0.5, "1")


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


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-1, 2), st.sampled_from([0.05, 1.5]), st.sampled_from(["a", "", "{{x}}"])
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.dictionaries(st.sampled_from(["a", "vars", "type"]), inner, max_size=2)
    ),
    max_leaves=4,
)
PLACES = {
    "top": [*SUITE_KEYS, *PASSED_OVER.split(), "margins"],
    "test": [*TEST_KEYS, "name"],
    "default": TEST_KEYS,
    "assertion": [*CHECK_KEYS, "provider", "rubricPrompt", "wieght"],
    "judge": ["labels", "model", "parameters", "label"],
    "options": ["disableVarExpansion", "provider", "transform"],
}
MEANING = (
    "has no tests", "names no prompts", "nothing to be graded", "needs a", "takes a", "takes one", "cannot be read",
    "there is no", "lies outside", "no test is in", "the provider", "vars have to be a mapping", "an empty list",
    "names 'x'", "belongs to", "has a", "is no pattern",
)  # fmt: skip
"""What the reader says of suites whose shape is right."""


@settings(max_examples=300)
@given(
    st.sampled_from(sorted(PLACES)).flatmap(lambda place: st.tuples(st.just(place), st.sampled_from(PLACES[place]))),
    ANYTHING,
)
def test_the_schema_and_the_reader_agree(at: tuple[str, str], value: object) -> None:
    place, key = at
    check: dict[str, object] = {"type": "equals", "value": "a"}
    test: dict[str, object] = {"vars": {"x": "1"}, "assert": [check]}
    suite: dict[str, object] = {"prompts": ["a"], "tests": [test], "defaultTest": {}, "judge": {"model": "m"}}
    test["options"] = {}
    found = {"top": suite, "test": test, "default": suite["defaultTest"], "assertion": check, "judge": suite["judge"]}
    found["options"] = test["options"]
    found[place][key] = value  # type: ignore[index]
    told = ""
    try:
        read_suite("s.json", lambda path: json.dumps(suite).encode() if path == "s.json" else None)
    except SuiteError as error:
        told = str(error)
    wrong = [one.message for one in VALID.iter_errors(suite)]
    if not told:
        assert wrong == []
    elif not wrong:
        assert any(part in told for part in MEANING), told


def test_the_suites_of_the_fixtures_fit_the_schema() -> None:
    for path in sorted((Path(__file__).parents[2] / "fixtures" / "suites").rglob("*.yaml")):
        VALID.validate(yaml.safe_load(path.read_text("utf-8")))
