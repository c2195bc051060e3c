"""What a proof unlocks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from projects import MODEL, prove

from promptslim.proof.lock import Lock
from promptslim.proof.proved import is_proved
from promptslim.proof.recompute import Checked


def test_only_the_very_step_for_the_very_model(tmp_path: Path) -> None:
    entry = prove(tmp_path)
    lock, before, after = Lock((entry,)), entry.claim.before, entry.claim.after
    assert is_proved(lock, before, after, MODEL)
    assert is_proved(lock, before, after, "us." + MODEL, resolve=lambda model: model.removeprefix("us."))
    assert not is_proved(lock, before, after, "us." + MODEL)
    assert not is_proved(lock, before, after, None), "a model that is not known has no proof"
    assert not is_proved(lock, after, before, MODEL)
    assert not is_proved(lock, before, before, MODEL)
    assert not is_proved(Lock(), before, after, MODEL)


def test_no_other_verdict_and_nothing_edited_by_hand(tmp_path: Path) -> None:
    failed = prove(tmp_path, worse=20)
    assert not is_proved(Lock((failed,)), failed.claim.before, failed.claim.after, MODEL)
    entry = prove(tmp_path)
    edited = replace(entry, claim=replace(entry.claim, after="f" * 64))
    assert not is_proved(Lock((edited,)), entry.claim.before, "f" * 64, MODEL)


@pytest.mark.parametrize(("status", "proved"), [("VALID", True), ("STALE", False), ("EXPIRED", False), ("OPEN", False)])
def test_a_check_decides_where_one_is_given(tmp_path: Path, status: str, proved: bool) -> None:
    entry = prove(tmp_path)
    found = is_proved(
        Lock((entry,)),
        entry.claim.before,
        entry.claim.after,
        MODEL,
        check=lambda one: Checked(one, status),  # type: ignore[arg-type]
    )
    assert found is proved
