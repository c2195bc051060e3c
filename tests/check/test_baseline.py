"""Known findings stay known while code moves, and come back when they grow."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest
from call_by_hand import facts
from engine_by_hand import ONE, run
from hypothesis import given
from hypothesis import strategies as st

from promptslim.check.baseline import BaselineError, Entry, compare, entry, read, write
from promptslim.check.fingerprint import with_fingerprints
from promptslim.core.finding import Finding, Impact
from promptslim.core.text import Document, Location, Span

TWO = ONE + ONE


def finding(path: str = "a.py", evidence: str = "run converse", tokens: int | None = None) -> Finding:
    return Finding(
        code="PS101",
        name="missing-max-tokens",
        severity="warning",
        confidence="high",
        message="no cap",
        primary=Location(Document(path, "x"), Span(0, 1)),
        evidence=evidence,
        impact=Impact(input_tokens_per_call=tokens),
    )


def recorded(*findings: Finding) -> tuple[Entry, ...]:
    return tuple(map(entry, with_fingerprints(findings)))


def everywhere(_: Entry) -> bool:
    return True


def test_a_recorded_run_has_nothing_new() -> None:
    files = [facts("a.py", TWO), facts("b.py", ONE)]
    known = tuple(map(entry, run(files).result.findings))
    again = run(files, baseline=known).result
    assert again.findings == ()
    assert (again.summary.baselined, again.summary.fixed_in_baseline) == (3, 0)


def test_moving_code_and_inserting_lines_makes_nothing_new() -> None:
    known = tuple(map(entry, run([facts("a.py", TWO)]).result.findings))
    assert run([facts("a.py", "import os\n\n" + ONE + "\n\n" + ONE)], baseline=known).result.findings == ()


def test_one_more_equal_finding_is_one_new_finding() -> None:
    known = tuple(map(entry, run([facts("a.py", TWO)]).result.findings))
    after = run([facts("a.py", ONE + TWO)], baseline=known).result
    assert (len(after.findings), after.summary.baselined) == (1, 2)


def test_a_moved_file_is_known_where_it_is_now() -> None:
    known = tuple(map(entry, run([facts("old.py", ONE)]).result.findings))
    outcome = run([facts("new.py", ONE)], baseline=known, gone=lambda path: path == "old.py")
    assert outcome.result.findings == ()
    assert [one.path for one in outcome.comparison.known] == ["new.py"]


def test_a_file_that_was_not_looked_at_neither_hides_nor_is_fixed() -> None:
    known = tuple(map(entry, run([facts("other.py", ONE)]).result.findings))
    outcome = run([facts("a.py", ONE)], baseline=known)
    assert len(outcome.result.findings) == 1
    assert outcome.comparison.unseen == known
    assert outcome.result.summary.fixed_in_baseline == 0
    assert set(outcome.comparison.pruned()) == set(known)


def test_a_fixed_finding_is_counted_and_can_be_dropped() -> None:
    known = tuple(map(entry, run([facts("a.py", TWO)]).result.findings))
    outcome = run([facts("a.py", ONE)], baseline=known)
    assert outcome.result.summary.fixed_in_baseline == 1
    assert len(outcome.comparison.pruned()) == 1


def test_a_rule_that_did_not_run_has_not_fixed_anything() -> None:
    known = tuple(map(entry, run([facts("a.py", ONE)]).result.findings))
    assert run([facts("a.py", ONE)], rules=("PS502",), baseline=known).comparison.unseen == known
    project = tuple(map(entry, run([facts("a.py", ONE)], rules=("PS601",), whole=True).result.findings))
    assert len(project) == 1
    assert run([facts("a.py", ONE)], rules=("PS601",), baseline=project).comparison.unseen == project


@pytest.mark.parametrize(("now", "reported"), [(1000, False), (1100, False), (1101, True), (900, False)])
def test_growth_by_more_than_a_tenth_is_a_finding_again(now: int, reported: bool) -> None:
    known = recorded(finding(tokens=1000))
    grown = with_fingerprints([finding(tokens=now)])
    comparison = compare(grown, known, everywhere)
    assert bool(comparison.new) is reported
    assert comparison.pruned()[0].tokens == min(now, 1000)
    assert comparison.accepting(comparison.new)[0].tokens == (now if reported else min(now, 1000))


def test_file_is_sorted_without_lines_and_dates() -> None:
    known = recorded(finding("b.py"), finding("a.py", tokens=5), finding("a.py"))
    text = write(known)
    assert text == write(reversed(known))
    assert [row["path"] for row in json.loads(text)["findings"]] == ["a.py", "a.py", "b.py"]
    keys = {"path", "rule", "fingerprint", "evidence", "content", "scope", "what", "tokens"}
    assert set(json.loads(text)["findings"][0]) == keys
    assert len(text.splitlines()) == 5
    assert sorted(read(text), key=repr) == sorted(known, key=repr)
    assert read(write(())) == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "{" * 100_000,
        '{"version": 1, "findings": []}',
        '{"version": 2, "findings": [{"path": "a"}]}',
        '{"version": 2, "findings": [3]}',
    ],
)
def test_a_damaged_file_says_what_to_do(text: str) -> None:
    with pytest.raises(BaselineError, match="--write-baseline") as caught:
        read(text)
    assert "\n" not in str(caught.value)


FINDINGS = st.lists(
    st.builds(
        finding,
        st.sampled_from(["a.py", "b.py"]),
        st.sampled_from(["x", "y", "z  z"]),
        st.none() | st.integers(0, 50),
    ),
    max_size=8,
)


@given(before=FINDINGS, after=FINDINGS, seed=st.integers(0, 9))
def test_matching_is_one_to_one_and_loses_nothing(before: list[Finding], after: list[Finding], seed: int) -> None:
    known = recorded(*before)
    now = with_fingerprints(after)
    comparison = compare(now, known, everywhere)
    assert len(comparison.new) + len(comparison.known) == len(now)
    assert len(comparison.known) + len(comparison.outgrown) + len(comparison.fixed) == len(known)
    shuffled = list(known)
    random.Random(seed).shuffle(shuffled)
    assert compare(now, shuffled, everywhere).new == comparison.new
    accepted = comparison.accepting(comparison.new)
    assert compare(now, accepted, everywhere).new == ()
    assert sorted(read(write(accepted)), key=repr) == sorted(accepted, key=repr)


def test_entries_follow_their_finding_within_a_file_that_changed_its_evidence_order() -> None:
    known = recorded(finding(evidence="x"), finding(evidence="y"))
    now = with_fingerprints([replace(finding(evidence="y")), finding(evidence="x")])
    assert compare(now, known, everywhere).new == ()
