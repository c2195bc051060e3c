"""Each grader on answers that are right, wrong, and beyond it."""

from __future__ import annotations

import importlib
import importlib.util
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptslim.core.record import replace
from promptslim.verify.answer import Answer, Check, CheckSet, Grade, ToolCall, ungradeable
from promptslim.verify.grading import ItemGrade, grade_item, grade_of, grader_modules, is_graded, problem
from promptslim.verify.suite import read_suite


def grade(text: str, kind: str, value: Any = None, **more: Any) -> Grade:
    fields = {name: more.pop(name) for name in ("threshold", "folder", "variables") if name in more}
    check = Check(kind, value, options=more, **fields)
    assert problem(check) is None
    return grade_of(Answer(text), check)


def score(text: str, kind: str, value: Any = None, **more: Any) -> float | None:
    return grade(text, kind, value, **more).score


@pytest.mark.parametrize(
    ("kind", "value", "right", "wrong"),
    [
        ("equals", "yes", " yes\n", "yes."),
        ("equals", 42, "42", "43"),
        ("equals", {"a": [1]}, '{ "a": [1] }', '{"a": [2]}'),
        ("equals", {"a": 1}, '{"a": 1}', "no JSON"),
        ("contains", "b, c", "a b, c", "a b c"),
        ("icontains", "STRASSE", "Lange Straße", "Weg"),
        ("contains-any", ["x", "y"], "zy", "ab"),
        ("contains-any", "x, y", "zy", ", "),
        ("contains-all", ["x", "y"], "yx", "x"),
        ("icontains-all", ["X", "Y"], "yx", "x"),
        ("icontains-any", ["X"], "x", "y"),
        ("starts-with", "Dear", "Dear all", " Dear all"),
        ("regex", r"\b\d{4}-\d\d\b", "on 2026-11", "on 26-11"),
        ("is-json", None, "[1]", "[1] and more"),
        ("is-json", {"type": "array"}, "[1]", '{"a": 1}'),
        ("json-schema", {"required": ["a"]}, '{"a": 1}', '{"b": 1}'),
        ("contains-json", None, 'Here: {"a": [1]} so', "Here: {a} so"),
        ("contains-json", {"required": ["b"]}, 'x {"a": 1} y {"b": 2}', 'x {"a": {"b": 1}}'),
        ("number", 1234.5, "It is about 7 of 1,234.5", "1234.6"),
        ("number", "-3", "= -3", "= 3"),
        ("number", 5, "5.", "five"),
        ("levenshtein", "kitten", "sitting", "something else"),
        ("similarity", "the quick brown fox", "the quick brown fix", "a lazy dog"),
        ("rouge-n", "the cat sat", "The cat sat.", "a dog ran"),
        ("rouge-l", "a b c d", "a b c d e", "d c b a"),
        ("f-score", ["a", "B"], '["b", "A "]', '["a"]'),
        ("f-score", ["a", "b"], "- a\n- b\n", "- a\n- b\n- c"),
        ("f-score", {"total": 3, "lines": [{"x": 1}]}, 'So: {"lines": [{"x": 1}], "total": 3}', '{"total": 3}'),
    ],
)
def test_right_and_wrong(kind: str, value: object, right: str, wrong: str) -> None:
    assert grade(right, kind, value).passed is True
    assert grade(wrong, kind, value).passed is False


PROMPTFOO = [
    ("equals", True, "true", True),
    ("equals", 1.0, "1", True),
    ("equals", {"a": 1}, '{"a": true}', False),
    ("equals", {"a": 1}, '{"a": 1.0}', True),
    ("not-equals", {"a": 1}, "no JSON", True),
    ("contains", 42, "about 42 of them", True),
    ("icontains", "ÄPFEL", "zwei äpfel", True),
    ("contains-any", '"x, y", z', "has x, y", True),
    ("contains-any", '"x, y", z', "has x only", False),
    ("contains-all", ["a", 1], "1 a", True),
    ("not-contains-any", ["a", "b"], "c", True),
    ("starts-with", 4, "42", True),
    ("regex", "(?<year>\\d{4})", "in 2026", True),
    ("not-regex", "^a", "ba", True),
    ("is-json", None, '"a text"', True),
    ("is-json", None, "NaN", False),
    ("is-json", None, "```json\n{}\n```", False),
    ("is-json", "required: [a]", '{"a": 1}', True),
    ("is-json", '{"required": ["a"]}', '{"b": 1}', False),
    ("is-json", {"properties": {"d": {"format": "date"}}}, '{"d": "soon"}', False),
    ("not-is-json", None, "text", True),
    ("not-is-json", {"required": ["a"]}, '{"b": 1}', True),
    ("contains-json", None, "```json\n{}\n```", True),
    ("contains-json", {"required": ["b"]}, 'x {"a": 1} {"b": 2}', True),
    ("not-contains-json", None, "none {here}", True),
    ("levenshtein", "hello", "hxllo wrld", False),
    ("levenshtein", "hello", "hallo", True),
    ("rouge-n", "the cat sat on the mat", "the cat sat on a mat", True),
]


@pytest.mark.parametrize(("kind", "value", "answer", "passes"), PROMPTFOO)
def test_as_in_promptfoo(kind: str, value: object, answer: str, passes: bool) -> None:
    """Read from src/assertions of promptfoo 0.121."""
    check = Check(kind.removeprefix("not-"), value, negated=kind.startswith("not-"))
    assert problem(check) is None
    assert grade_of(Answer(answer), check).passed is passes


def test_rouge_of_any_script() -> None:
    assert score("Die Katze saß dort", "rouge-n", "die katze SASS dort") == pytest.approx(0.75)
    assert score("кот сидел", "rouge-l", "Кот сидел") == 1
    assert score("", "rouge-l", "a b") == 0


@pytest.mark.parametrize(
    ("module", "check", "said"),
    [
        ("rouge_score", Check("rouge-l", "a"), "needs rouge-score: pip install 'promptslim-lint[rouge]'"),
        ("jsonschema", Check("is-json", {}), "with a schema needs jsonschema: pip install 'promptslim-lint[schema]'"),
    ],
)
def test_what_is_not_installed_is_said_before_the_run(
    module: str, check: Check, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name, *rest: None if name == module else found(name, *rest))
    assert said in str(problem(check))


def test_the_checks_of_a_set_count_as_one() -> None:
    answer = Answer("yes")
    right, wrong = Check("equals", "yes"), Check("equals", "no")

    def of(group: CheckSet, *checks: Check) -> list[Check]:
        return [replace(one, group=group) for one in checks]

    half = of(CheckSet("a", 0.5, 3), right, wrong)
    assert grade_item(answer, half).passed is True, "half of the weight is enough for the set"
    assert (grade_item(answer, [*half, wrong]).score, grade_item(answer, [*half, wrong]).passed) == (0.375, False)
    assert grade_item(answer, of(CheckSet("a"), right, wrong)).passed is False
    assert grade_item(answer, [right, *of(CheckSet("a", None, 0), wrong)]).passed is True, "for information"
    dark = of(CheckSet("a", 0.5), right, Check("cost", threshold=1))
    assert grade_item(answer, dark).passed is None, "a set with a threshold needs all of its grades"
    assert not is_graded(of(CheckSet("a", 0.5), Check("rouge-l", "a")))
    assert not is_graded([Check("rouge-l", "a", weight=0)]), "what is for information makes no proof of scores"


def test_tolerances() -> None:
    assert score("103", "number", 100, tolerance="3%") == 1
    assert score("104", "number", 100, tolerance="3%") == 0
    assert score("0.3", "number", 0.1 + 0.2) == 1
    assert score("99", "number", 100, tolerance=1) == 1
    assert score("ab", "levenshtein", "ax", threshold=0) == 0


def test_published_figures() -> None:
    """Lin 2004, section 3.1: "police killed the gunman" against "police kill the gunman" and "the gunman kill police":
    3 and 2 of 4 words in sequence, so F = 3/4 and 1/2."""
    assert score("police kill the gunman", "rouge-l", "police killed the gunman") == pytest.approx(0.75)
    assert score("the gunman kill police", "rouge-l", "police killed the gunman") == pytest.approx(0.5)
    assert score("police kill the gunman", "rouge-n", "police killed the gunman", n=2) == pytest.approx(1 / 3)
    assert score('["a", "b", "x"]', "f-score", ["a", "b", "c", "d"]) == pytest.approx(2 * 2 / 7)
    assert score("kitten", "similarity", "sitting") == pytest.approx(1 - 3 / 7)


def test_a_pattern_that_runs_away_gives_no_grade(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grader_modules()["regex"], "SECONDS", 0.05)
    found = grade("a" * 60, "regex", r"(a|aa|aaa)+$b|(a+)+c(a+)+\1d")
    assert found.passed in (None, False)
    found = grade("a" * 5000 + "b", "regex", r"^(a+)+(a+)+(a+)+\Z(?<=c)|(?:a*)*(?:a*)*(?:a*)*x")
    assert found == ungradeable("the pattern took more than 0.05 seconds")


def test_what_the_provider_tells() -> None:
    answer = Answer("", "END_TURN", (ToolCall("book", {"day": "Monday", "seats": 2}),), 1.5, Decimal("0.0004"))

    def passed(kind: str, value: object = None, threshold: float | None = None, **options: object) -> bool | None:
        check = Check(kind, value, threshold, options=options)
        assert problem(check) is None
        return grade_of(answer, check).passed

    assert passed("finish-reason", "end-turn")
    assert not passed("finish-reason", "max_tokens")
    assert passed("tool-call", "book")
    assert passed("tool-call", {"name": "book", "arguments": {"seats": 2}})
    assert not passed("tool-call", {"name": "book", "arguments": {"seats": 2}}, exact=True)
    assert not passed("tool-call", {"name": "book", "arguments": {"hour": 2}})
    assert not passed("tool-call", "cancel")
    assert passed("cost", threshold=0.0004)
    assert not passed("cost", threshold=0.0003)
    assert passed("latency", threshold=1500)
    assert not passed("latency", threshold=1499)
    bare = Answer("")
    for kind, check in (
        ("finish-reason", Check("finish-reason", "stop")),
        ("cost", Check("cost", threshold=1)),
        ("latency", Check("latency", threshold=1)),
    ):
        assert not grade_of(bare, check).gradeable, kind
    assert grade_of(bare, Check("tool-call", "book")).passed is False


def test_python_functions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "g.py").write_text(
        "def get_assert(text, context):\n    return text == context['vars']['want']\n"
        "def half(text, context):\n    return 0.5\n"
        "def both(text, context):\n    return {'pass': False, 'score': 0.9, 'reason': 'so'}\n"
        "def wrong(text, context):\n    return 'yes'\n"
        "def broken(text, context):\n    raise KeyError('x')\n"
        "def low(text, context):\n    return 1e-3\n"
        "def leaves(text, context):\n    raise SystemExit(3)\n"
        "def dies(text, context):\n    import os\n    os._exit(3)\n"
        "def hangs(text, context):\n    while True: pass\n"
        "def prints(text, context):\n    print('{\"value\": false}', flush=True)\n    return True\n"
        "def nan(text, context):\n    return float('nan')\n"
        "def configured(text, context):\n    return context['config']['least'] == 3\n"
        "def record(text, context):\n    from dataclasses import make_dataclass\n"
        "    return make_dataclass('G', ['pass_', 'score', 'reason'])(True, 0.7, 'fine')\n",
        "utf-8",
    )

    def said(name: str, **more: Any) -> Grade:
        return grade("a", "python", f"file://g.py{name}", folder=str(tmp_path), variables={"want": "a"}, **more)

    assert said("").passed
    assert (said(":half").score, said(":half").passed, said(":half", threshold=0.6).passed) == (0.5, True, False)
    assert said(":low").passed is True, "as in promptfoo: any score above 0, where there is no threshold"
    assert said(":both") == Grade(0.9, False, "so")
    assert said(":record") == Grade(0.7, True, "fine")
    assert said(":record", threshold=0.8) == Grade(0.7, False, "score 0.7, wanted 0.8: fine")
    assert said(":configured", config={"least": 3}).passed
    assert said(":wrong").reason == "the function gave str, not True, False, a score or a mapping"
    assert said(":broken") == ungradeable("the function failed: KeyError: 'x'")
    assert said(":leaves") == ungradeable("the function failed: SystemExit: 3")
    assert said(":dies") == ungradeable("the function failed: ended its process")
    assert said(":nan").passed is None
    monkeypatch.setattr(importlib.import_module("promptslim.verify.python_process"), "SECONDS", 0.5)
    assert said(":hangs") == ungradeable("the function failed: took more than 0.5 seconds")
    monkeypatch.undo()
    assert said(":prints").passed, "what is printed is no answer"
    assert capfd.readouterr() == ("", "")
    assert "no function 'other'" in str(problem(Check("python", "file://g.py:other", folder=str(tmp_path))))
    assert "cannot load" in str(problem(Check("python", "file://none.py", folder=str(tmp_path))))


def test_a_grader_that_was_edited_is_loaded_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("s.yaml").write_text("prompts: [a]\ntests: [{assert: [{type: python, value: file://g.py}]}]\n")
    for says in (True, False):
        Path("g.py").write_text("import other\ndef get_assert(text, context): return other.SAYS\n")
        Path("other.py").write_text(f"SAYS = {says}\n")
        (item,) = read_suite("s.yaml", lambda path: Path(path).read_bytes()).items
        assert grade_of(Answer("x"), item.checks[0]).passed is says


@pytest.mark.parametrize(
    "check",
    [
        Check("equals"),
        Check("contains", ["a"]),
        Check("contains-all", []),
        Check("starts-with", ""),
        Check("regex", "("),
        Check("is-json", {"type": "nothing"}),
        Check("json-schema"),
        Check("number", "many"),
        Check("number", 3, options={"tolerance": "some"}),
        Check("levenshtein", 3),
        Check("rouge-n", "..."),
        Check("rouge-n", "a", options={"n": 0}),
        Check("f-score", "a"),
        Check("tool-call", {"arguments": {}}),
        Check("finish-reason"),
        Check("cost"),
        Check("latency"),
        Check("python", "grade.py"),
    ],
    ids=lambda check: check.kind,
)
def test_wrong_checks_are_told_before_the_run(check: Check) -> None:
    message = problem(check)
    assert message
    assert "\n" not in message


def test_not_weights_and_thresholds() -> None:
    answer = Answer("yes")
    right, wrong = Check("equals", "yes"), Check("equals", "no")
    assert grade_of(answer, Check("equals", "no", negated=True)).passed is True
    assert grade_item(answer, [right, wrong]) == ItemGrade(
        0.5, False, tuple(grade_of(answer, c) for c in (right, wrong))
    )
    assert grade_item(answer, [right, wrong], threshold=0.5).passed is True
    heavy = Check("equals", "yes", weight=3)
    assert grade_item(answer, [heavy, wrong]).score == 0.75
    note = Check("equals", "no", weight=0)
    assert grade_item(answer, [right, note]).passed is True
    assert grade_item(answer, [note]).passed is None
    assert grade_item(answer, []).passed is None


def test_ungradeable_is_neither_right_nor_wrong() -> None:
    answer = Answer("yes")
    right, wrong, dark = Check("equals", "yes"), Check("equals", "no"), Check("cost", threshold=1)
    found = grade_item(answer, [right, dark])
    assert (found.score, found.passed) == (None, None)
    assert grade_of(answer, Check("cost", threshold=1, negated=True)).passed is None
    assert grade_item(answer, [wrong, dark]).passed is False, "it fails whatever the price was"
    assert grade_item(answer, [right, Check("cost", threshold=1, weight=0)]).passed is True


def test_every_kind_has_one_grader() -> None:
    modules = grader_modules()
    assert len(modules) == sum(len(module.KINDS) for module in set(modules.values()))
    assert is_graded([Check("equals", "a"), Check("rouge-l", "a")])
    assert not is_graded([Check("equals", "a")])


texts = st.text(max_size=40)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=6,
)


@given(st.sampled_from(sorted(set(grader_modules()) - {"python", "regex"})), texts, values)
def test_any_answer_gets_a_grade_or_none(kind: str, text: str, value: object) -> None:
    check = Check(kind, value)
    if problem(check) is None:
        found = grade_of(Answer(text), check)
        assert found.score is None or 0 <= found.score <= 1
        assert (found.score is None) == (found.passed is None)


@given(values)
def test_data_equals_itself(value: object) -> None:
    if isinstance(value, dict | list):
        assert score(json.dumps(value), "equals", value) == 1
        assert score(f"So: {json.dumps(value)}", "contains-json") == 1
        if value:
            assert (score(json.dumps(value), "f-score", value) or 0) in (0.0, 1.0)
