"""From a suite to a proof that can be checked again."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from promptslim.check.data_meaning import data_meaning
from promptslim.proof.betting import graded_items_needed, graded_smallest_margin
from promptslim.proof.evidence import Row
from promptslim.proof.lock import Claim, made_entry
from promptslim.proof.power import pass_chance
from promptslim.proof.recompute import Demands, Surroundings, recompute
from promptslim.verify.answer import Answer
from promptslim.verify.claims import proof_method, proof_pairs, proof_sources, proof_terms
from promptslim.verify.grading import ItemGrade, grade_item
from promptslim.verify.suite import Suite, SuiteError, read_suite

TODAY = date(2026, 11, 23)
HEAD = "prompts: [app.py::SYSTEM]\n"
TESTS = "tests:\n" + "".join(
    f"  - {{id: t{n}, vars: {{q: {n}}}, assert: [{{type: equals, value: '{n}'}}]}}\n" for n in range(70)
)


def suite(text: str, folder: Path) -> Suite:
    (folder / "suite.yaml").write_text(text, "utf-8")
    return read_suite("suite.yaml", reading(folder))


def reading(folder: Path):
    return lambda path: (folder / path).read_bytes() if (folder / path).is_file() else None


def graded(made: Suite, wrong: frozenset[str] = frozenset()) -> dict[str, list[ItemGrade]]:
    """Grades of answers that give the number asked for, but for the items in ``wrong``."""
    return {
        item.id: [
            grade_item(Answer("?" if item.id in wrong else str(item.variables["q"])), item.checks, item.threshold)
        ]
        * made.repeat
        for item in made.items
    }


def test_from_a_suite_to_a_proof(tmp_path: Path) -> None:
    made = suite(f"{HEAD}margin: 0.05\n{TESTS}", tmp_path)
    terms = proof_terms(made, made.items)
    assert (terms.method, terms.margin, terms.items) == ("pass-fail", 0.05, 70)
    eval_set, graders = proof_sources(made, reading(tmp_path))
    claim = Claim("0" * 64, "1" * 64, "m", "m", terms, eval_set=eval_set, graders=graders)
    for wrong, decision in ((frozenset(), "PASS"), (frozenset(f"t{n}" for n in range(20)), "FAIL")):
        rows = [Row(pair) for pair in proof_pairs(made.items, graded(made), graded(made, wrong), terms.method)]
        entry, evidence, outcome = made_entry("app.py::SYSTEM", "app.py", claim, rows, TODAY, "e.jsonl")
        assert outcome.decision == decision
        (tmp_path / "e.jsonl").write_bytes(evidence)
        found = recompute(entry, None, Surroundings(TODAY, reading(tmp_path), canonical=data_meaning), Demands())
        assert found.status == ("VALID" if decision == "PASS" else "OPEN")


def test_the_margin_of_a_new_suite_is_what_its_size_can_prove(tmp_path: Path) -> None:
    made = suite(HEAD + TESTS, tmp_path)
    margin = proof_terms(made, made.items).margin
    assert margin > 0.05, "70 tests cannot show 5 points where prompts differ on 5 % of them"
    assert pass_chance(70, 0.025, 0.025, margin) >= 0.8
    two = suite(f"{HEAD}looks: 2\n{TESTS}", tmp_path)
    assert proof_terms(two, two.items).margin > margin
    with pytest.raises(SuiteError, match="1 independent test can prove nothing; a margin of 10 points takes about 60"):
        proof_terms(made, made.items[:1])


def test_the_method_follows_from_the_shape(tmp_path: Path) -> None:
    one = "tests: [{vars: {q: 1}, assert: [{type: rouge-l, value: a%s}]%s}]\n"
    for text, method in (
        (TESTS, "pass-fail"),
        (f"repeat: 3\n{TESTS}", "graded"),
        (one % ("", ""), "graded"),
        (one % (", threshold: 0.5", ""), "pass-fail"),
        (one % ("", ", threshold: 0.5"), "pass-fail"),
        (TESTS.replace("id: t1,", "id: t1, cluster: a,"), "pass-fail"),
        (TESTS.replace("id: t1,", "id: t1, cluster: a,").replace("id: t2,", "id: t2, cluster: a,"), "graded"),
    ):
        made = suite(HEAD + text, tmp_path)
        assert proof_method(made, made.items) == method, text
    made = suite(f"{HEAD}repeat: 3\nmargin: 0.1\n{TESTS}", tmp_path)
    (pair, *_) = proof_pairs(made.items, graded(made), graded(made), "graded")
    assert (pair.old, pair.new) == ((1.0, 1.0, 1.0), (1.0, 1.0, 1.0))


def test_python_graders_are_sources(tmp_path: Path) -> None:
    (tmp_path / "g.py").write_text("def get_assert(text, context):\n    return True\n", "utf-8")
    place = tmp_path / "suite.yaml"
    place.write_text(f"{HEAD}tests: [{{vars: {{q: 1}}, assert: [{{type: python, value: file://g.py}}]}}]\n", "utf-8")
    made = read_suite(str(place), lambda path: Path(path).read_bytes() if Path(path).is_file() else None)
    _, (grader,) = proof_sources(made, lambda path: Path(path).read_bytes())
    assert grader.file is not None
    assert grader.file.path == str(tmp_path / "g.py")
    with pytest.raises(SuiteError, match="there is no file"):
        proof_sources(made, lambda path: None)


def test_the_smallest_graded_margin() -> None:
    for units, spread in ((40, 0.1), (100, 0.2), (300, 0.3)):
        margin = graded_smallest_margin(units, spread)
        needed = graded_items_needed([spread, -spread], margin)
        assert needed is not None
        assert needed <= units
        fewer = graded_items_needed([spread, -spread], margin - 0.002)
        assert fewer is None or fewer > units
    assert graded_smallest_margin(0, 0.1) == 1
    assert graded_smallest_margin(1, 0.1) > 0.9
