"""Batch inference through real boto3: one job, prices, limits, resuming, and what stands in the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from asking_by_hand import MODEL, lead_to, requests, size, tariff

from promptslim.core.call_fault import CannotCallError
from promptslim.verify.asking import Asked
from promptslim.verify.backend import Options
from promptslim.verify.batch_asking import BatchAsking
from promptslim.verify.budget import Budget, LimitReachedError
from promptslim.verify.journal import Journal
from promptslim.verify.local.answers import echo
from promptslim.verify.local.server import LocalServer
from promptslim.verify.local.service import Service
from promptslim.verify.request import Request

OPTIONS = Options(role="arn:aws:iam::123456789012:role/batch", folder="s3://data/runs", poll_seconds=0.02)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalServer]:
    with LocalServer(Service(echo)) as running:
        lead_to(running.url, monkeypatch)
        yield running


def ask(path: Path, asked: list[Request], budget: Budget | None = None, options: Options = OPTIONS) -> Asked:
    with Journal(str(path), "run") as journal:
        return BatchAsking(options, journal, budget or Budget(), tariff(), size).ask(asked)


def jobs(server: LocalServer) -> int:
    return len(server.jobs.every()["invocationJobSummaries"])


def test_all_requests_are_answered_by_one_job_at_batch_prices(server: LocalServer, tmp_path: Path) -> None:
    asked = requests(110, cache="5m", system="Repeat.")
    found = ask(tmp_path / "j", asked)
    assert {name: one.text for name, one in found.answers.items()} == {one.id: one.messages[0].text for one in asked}
    assert (jobs(server), found.calls) == (1, 110)
    usages = [(one, found.answers[one.id].usage) for one in asked]
    assert found.usd == sum(tariff(tier="batch").cost(one, usage) or 0 for one, usage in usages)
    assert found.usd * 2 == sum(tariff().cost(one, usage) or 0 for one, usage in usages)
    again = ask(tmp_path / "j", asked)
    assert (again.answers, again.calls, again.usd, jobs(server)) == (found.answers, 110, found.usd, 1)


def test_a_run_that_was_killed_waits_for_its_job(server: LocalServer, tmp_path: Path) -> None:
    asked = requests(105)
    ask(tmp_path / "j", asked)
    lines = (tmp_path / "j").read_bytes().splitlines(keepends=True)
    for kept in (1, 2, 30):  # before the job is known, after it, in the middle of its answers
        (tmp_path / "j").write_bytes(b"".join(lines[:kept]))
        found = ask(tmp_path / "j", asked)
        assert len(found.answers) == 105
        assert (jobs(server), found.calls) == (1, 105), "the same job, by its name"


def test_records_that_fail_are_no_answers(server: LocalServer, tmp_path: Path) -> None:
    server.service.faults.order("ok", "ok", "ThrottlingException")
    found = ask(tmp_path / "j", requests(100))
    failed = {name: one.error for name, one in found.answers.items() if one.error}
    assert failed == {"item-1": "batch 429"}
    assert ask(tmp_path / "j", requests(100)).answers == found.answers


def test_what_stands_in_the_way_is_told_before_anything_is_sent(server: LocalServer, tmp_path: Path) -> None:
    with pytest.raises(CannotCallError, match=f"at least 100 requests for a model, and {MODEL} has 99"):
        ask(tmp_path / "a", requests(99))
    with pytest.raises(LimitReachedError, match="--max-usd"):
        ask(tmp_path / "b", requests(100), Budget(Decimal("0.000001")))
    with pytest.raises(LimitReachedError, match="--max-calls 50: 0 calls are made, 100 are wanted"):
        ask(tmp_path / "b2", requests(100), Budget(max_calls=50))
    with pytest.raises(CannotCallError, match="needs a role and a folder"):
        ask(tmp_path / "c", requests(100), options=Options())
    with pytest.raises(CannotCallError, match="give s3://BUCKET/PREFIX"):
        ask(tmp_path / "d", requests(100), options=replace(OPTIONS, folder="data"))
    assert jobs(server) == 0


def test_a_job_that_fails_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with LocalServer(Service(echo), fewest_records=1000) as running:
        lead_to(running.url, monkeypatch)
        with pytest.raises(CannotCallError, match="needs at least 1000"):
            ask(tmp_path / "j", requests(100))
