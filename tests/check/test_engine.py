"""The engine over facts built by hand, with the real rules."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from call_by_hand import call, facts
from engine_by_hand import CATALOG, ONE, found, run

from promptslim.check import loader
from promptslim.core.facts import FileFacts
from promptslim.core.result import FileError
from promptslim.core.text import Document


def test_findings_come_in_order_of_path_line_and_code_whatever_the_order_of_files() -> None:
    files = [facts(path, "\n" + ONE + ONE) for path in ("b.py", "a.py", "c/a.py")]
    expected = [("PS101", path, line) for path in ("a.py", "b.py", "c/a.py") for line in (2, 3)]
    first = run(files)
    assert found(first) == expected
    random.Random(7).shuffle(files)
    assert run(files).result == first.result


def test_summary_counts() -> None:
    outcome = run([facts("a.py", ONE + ONE + "# promptslim: ignore-file[PS101]\n"), facts("b.py", ONE)])
    summary = outcome.result.summary
    assert (summary.files, summary.calls, summary.findings, summary.suppressed, summary.baselined) == (2, 3, 1, 2, 0)


def test_the_same_finding_twice_is_reported_once() -> None:
    file = facts("a.py", ONE)
    assert len(run([replace(file, calls=file.calls * 2)]).result.findings) == 1


def test_fingerprints_do_not_change_when_lines_move() -> None:
    before = run([facts("a.py", ONE + "other()\n" + ONE)]).result.findings
    after = run([facts("a.py", "import x\n\n\n" + ONE + "\n" + ONE + "other()\n")]).result.findings
    assert [one.fingerprint for one in before] == [one.fingerprint for one in after]
    assert len({one.fingerprint for one in before}) == 2
    assert {len(one.fingerprint) for one in before} == {16}


def test_fingerprints_do_not_change_with_other_selections_and_suppressions() -> None:
    source = "client.converse(modelId=M){}\nclient.converse(modelId=M)\n"
    whole = run([facts("a.py", source.format(""))]).result.findings
    part = run([facts("a.py", source.format("  # promptslim: ignore[PS101]"))], rules=("PS101",)).result.findings
    assert [one.fingerprint for one in part] == [whole[1].fingerprint]


def test_least_confidence() -> None:
    file = facts("a.py", ONE)
    agent = call(file.documents[0], kind="agent")
    file = replace(file, calls=(agent,))
    assert [one.confidence for one in run([file]).result.findings] == ["low"]
    assert run([file], min_confidence="medium").result.findings == ()


def test_per_file_ignores_switch_a_rule_off_and_its_suppressions_are_not_judged() -> None:
    file = facts("a.py", ONE.rstrip() + "  # promptslim: ignore[PS101]\n")
    assert found(run([file])) == []
    assert run([file], ignored_in=lambda path: {"PS101"}).result.summary.suppressed == 0
    assert found(run([file], ignored_in=lambda path: {"PS101"})) == []


def test_errors_are_findings_and_stand_in_errors() -> None:
    error = FileError("a.py", 2, "invalid syntax")
    file = FileFacts("a.py", (Document("a.py", "x\n  y = (\n"),), errors=(error,))
    outcome = run([file])
    assert outcome.result.errors == (error,)
    (finding,) = outcome.result.findings
    assert (finding.code, finding.primary.start, finding.primary.text) == ("PS902", (2, 3), "y = (")
    assert run([file], rules=("PS101",)).result.findings == ()
    assert run([file], rules=("PS101",)).result.errors == (error,)


def test_rules_on_the_project_speak_only_when_a_folder_is_checked() -> None:
    files = [facts("b.py", ONE), facts("a.py", ONE)]
    assert found(run(files, rules=("PS601",))) == []
    assert found(run(files, rules=("PS601",), whole=True)) == [("PS601", "a.py", 1)]
    off = run(files, rules=("PS601",), whole=True, ignored_in=lambda path: {"PS601"} if path == "a.py" else ())
    assert found(off) == [("PS601", "b.py", 1)]


def test_a_failing_rule_says_which_and_where(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(call: object, rule: object) -> Iterable[object]:
        raise KeyError("x")
        yield

    meta = CATALOG.rule("PS101")
    monkeypatch.setattr(loader, "load", lambda metas: (loader.Rule(meta, broken, "LlmCall"),))
    with pytest.raises(KeyError) as caught:
        run([facts("a.py", ONE)])
    assert caught.value.__notes__ == ["in rule PS101 missing-max-tokens, on a.py::run:converse"]


def test_a_run_without_calls_loads_no_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader, "load", lambda metas: pytest.fail("rules were loaded"))
    assert run([FileFacts("a.py", (Document("a.py", "x = 1\n"),))]).result.findings == ()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def other(call: LlmCall, rule): ...\n", "no function named as the module"),
        ("def some_rule(call: int, rule): ...\n", "the first parameter must be annotated with one of"),
        ("def some_rule(): ...\n", "the first parameter must be annotated with one of"),
    ],
)
def test_a_module_that_breaks_the_convention_is_named(
    source: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "some_rule.py").write_text("from __future__ import annotations\n" + source)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(loader, "modules", lambda: {("caps", "missing-max-tokens"): "some_rule"})
    sys.modules.pop("some_rule", None)
    with pytest.raises(TypeError, match=message) as caught:
        loader.load([CATALOG.rule("PS101")])
    assert "some_rule.py" in str(caught.value)
