"""Graders that are models: both orders, errors measured on labelled answers, and what they do to a verdict."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptslim.proof.judge import JudgeErrors
from promptslim.verify.answer import Answer, Check
from promptslim.verify.graders import llm_rubric, pairwise
from promptslim.verify.judging import Case, judged, measured
from promptslim.verify.request import Request
from promptslim.verify.suite import Suite, SuiteError, read_suite

RUBRIC = """prompts: [a, b]
model: m
judge: {model: judge-model, parameters: {max_tokens: 100}, labels: file://labels.jsonl}
defaultTest: {assert: [{type: %s, value: "friendly to {{name}}"}]}
tests:
""" + "".join(f"  - {{id: t{n}, vars: {{name: Ann {n}}}}}\n" for n in range(40))


def made(kind: str, labels: Sequence[Mapping[str, object]]) -> Suite:
    files = {
        "s.yaml": (RUBRIC % kind).encode(),
        "labels.jsonl": "".join(json.dumps(label) + "\n" for label in labels).encode(),
    }
    return read_suite("s.yaml", files.get)


def replying(reply: Callable[[str], str]) -> Callable[[Sequence[Request]], dict[str, Answer]]:
    return lambda requests: {one.id: Answer(reply(one.messages[0].text)) for one in requests}


def labels(good: int, bad: int, **more: object) -> list[dict[str, object]]:
    return [
        {"test": f"t{n % 40}", "output": "kind" if n < good else "rude", "pass": n < good, **more}
        for n in range(good + bad)
    ]


def test_the_errors_of_a_judge_are_counted_on_labelled_answers() -> None:
    suite = made("llm-rubric", labels(30, 20))
    right = replying(lambda question: json.dumps({"reason": "r", "pass": '"kind"' in question}))
    assert measured(suite, right) == JudgeErrors(30, 0, 20, 0)
    assert measured(suite, replying(lambda question: '{"pass": true}')) == JudgeErrors(30, 0, 0, 20)
    unread: list[str] = []
    mute = replying(lambda question: "I cannot say")
    assert measured(suite, mute, unread.append) == JudgeErrors(0, 30, 0, 20), "no verdict is an error"
    assert len(unread) == 50
    turned = made("not-llm-rubric", labels(30, 20))
    assert measured(turned, right) == JudgeErrors(0, 30, 0, 20), "the label is of the assertion as a whole"


def test_the_errors_of_a_pairwise_judge() -> None:
    suite = made("pairwise", labels(30, 20, original="kind"))
    right = replying(lambda question: json.dumps({"better": 0 if question.count('"kind"') == 2 else _place(question)}))
    assert measured(suite, right) == JudgeErrors(30, 0, 20, 0)
    biased = replying(lambda question: '{"better": 1}')
    assert measured(suite, biased) == JudgeErrors(30, 0, 0, 20), "a judge that favours a place sees no difference"


def _place(question: str) -> int:
    return 1 if question.index('"kind"') < question.index('"rude"') else 2


@given(st.sampled_from([0, 1, 2, None]), st.sampled_from([0, 1, 2, None]))
def test_only_a_verdict_of_both_orders_counts(first: int | None, second: int | None) -> None:
    old, new = pairwise.compared(tuple("?" if one is None else json.dumps({"better": one}) for one in (first, second)))
    if first is None or second is None:
        assert (old.passed, new.passed) == (None, None)
    else:
        assert (old.passed, new.passed) == (
            (True, False) if (first, second) == (1, 2) else (False, True) if (first, second) == (2, 1) else (True, True)
        )


@given(st.text())
def test_answers_cannot_speak_for_the_question(text: str) -> None:
    (question,) = llm_rubric.questions(Answer(text), Check("llm-rubric", "c"))
    last = question.split("Answer (JSON string):\n")[1].split("\n\nReply with JSON alone")[0]
    assert json.loads(last) == text
    assert llm_rubric.judged((text,)).passed is None or '"pass"' in text


def test_a_failed_answer_is_not_judged() -> None:
    suite = made("llm-rubric", labels(30, 20))
    asked: list[str] = []

    def ask(requests: Sequence[Request]) -> dict[str, Answer]:
        asked.extend(one.id for one in requests)
        return {one.id: Answer('{"pass": true}') for one in requests}

    case = Case("t0/0", suite.items[0].checks, Answer("", error="timeout"), Answer("kind"))
    first, second = judged([case], suite.judge, ask)["t0/0"]
    assert asked == ["t0/0/judge/0/new"]
    assert (first[0].passed, second[0].passed) == (None, True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            RUBRIC.replace("judge:", "#") % "llm-rubric",
            "llm-rubric is graded by a model, whose errors have to be known",
        ),
        (RUBRIC.replace("labels:", "label:") % "llm-rubric", "unknown key 'label'; did you mean 'labels'?"),
        (RUBRIC % "not-pairwise", "pairwise cannot be negated"),
        (RUBRIC % "pairwise", "needs original"),
        ((RUBRIC % "llm-rubric").replace("id: t0,", "id: x0,"), "a label is for the test 't0', which there is not"),
    ],
)
def test_suites_whose_judge_is_not_known(text: str, said: str) -> None:
    files = {"s.yaml": text.encode(), "labels.jsonl": json.dumps(labels(1, 0)[0]).encode()}
    with pytest.raises(SuiteError, match=said.replace("?", r"\?")):
        read_suite("s.yaml", files.get)


@pytest.mark.parametrize(("errors", "code"), [(0, 0), (15, 3)])
def test_a_judge_in_a_run(
    errors: int, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The judge's errors go into the lock; a judge that errs too often opens no test."""
    from promptslim.cli import main as entry
    from promptslim.proof.lock import read_lock

    monkeypatch.setenv("PROMPTSLIM_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    Path("promptslim.toml").write_text("")
    Path("s.yaml").write_text((RUBRIC % "llm-rubric").replace("model: m", "model: m\nmargin: 0.25", 1))
    Path("labels.jsonl").write_text("".join(json.dumps(one) + "\n" for one in labels(60, 60)))
    lines = [{"id": f"t{n}/{side}/0", "text": "kind"} for n in range(40) for side in ("old", "new", "again")]
    yes = '{"pass": true}'
    lines += [{"id": f"t{n}/0/judge/0{side}", "text": yes} for n in range(40) for side in ("", "/new")]
    lines += [{"id": f"t{n}/noise/judge/0{side}", "text": yes} for n in range(40) for side in ("", "/new")]
    lines += [
        {"id": f"label/{n}/judge/0", "text": json.dumps({"pass": (n < 60) != (n % 60 < errors)})} for n in range(120)
    ]
    Path("answers.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines))
    words = ("verify", "run", "s.yaml", "--backend", "replay", "--recording", "answers.jsonl")
    assert entry.main(words) == code
    out = capsys.readouterr().out
    if code:
        assert "the judge's own errors are too large: right on 75% of 120 labelled items, kappa 0.50" in out
        assert not Path("promptslim.lock").exists()
    else:
        (entry_,) = read_lock(Path("promptslim.lock").read_text()).entries
        assert entry_.claim.terms.judge == JudgeErrors(60, 0, 60, 0)
        # A fifth of the level for the judge, half of that for each of its two rates, none of which erred.
        factor = 2 * (0.05 * 0.2 / 2) ** (1 / 60) - 1
        assert (
            f"was right on 120 of 120 labelled answers; the upper bound of the loss is divided by {factor:.2f}" in out
        )
        assert '"judge"' in Path("promptslim.lock").read_text()
