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
from promptslim.verify.backend import Options, open_backend
from promptslim.verify.batch_asking import BatchAsking
from promptslim.verify.budget import Budget, LimitReachedError
from promptslim.verify.journal import Journal
from promptslim.verify.local.answers import echo
from promptslim.verify.local.server import LocalServer
from promptslim.verify.local.service import Service
from promptslim.verify.request import Request
from promptslim.verify.waves import Waves

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
    for kept in (2, 3, 30):  # before the job is known to run, after that, in the middle of its answers
        (tmp_path / "j").write_bytes(b"".join(lines[:kept]))
        found = ask(tmp_path / "j", asked)
        assert len(found.answers) == 105
        assert (jobs(server), found.calls) == (1, 105), "the same job, by its name"


def test_records_that_fail_are_no_answers(server: LocalServer, tmp_path: Path) -> None:
    server.service.faults.order("ok", "ok", "ThrottlingException")
    found = ask(tmp_path / "j", requests(100))
    assert set(found.answers) == {one.id for one in requests(100)} - {"item-1"}
    again = ask(tmp_path / "j", requests(100))
    assert (again.answers, again.calls, jobs(server)) == (found.answers, 100, 1)


def test_what_is_left_by_a_job_is_asked_one_by_one_at_the_ordinary_price(server: LocalServer, tmp_path: Path) -> None:
    server.service.faults.order("ok", "ok", "ThrottlingException")
    budget = Budget()
    with Journal(str(tmp_path / "j"), "run") as journal:
        waves = Waves(open_backend("converse", Options()), journal, budget, lambda _: tariff(), size)
        batch = waves.in_batch(OPTIONS, MODEL, lambda _: None)
        answers = batch.ask(requests(100))
        assert waves.left == 1
        rest = waves.ask([one for one in requests(100) if one.id not in answers])
    assert (set(rest), rest["item-1"].text, rest["item-1"].usd) == (
        {"item-1"},
        "say number 1",
        tariff().cost(requests(2)[1], rest["item-1"].usage),
    )
    assert budget.calls == 101


@pytest.mark.parametrize(("status", "answered"), [("Failed", 0), ("Expired", 110), ("Stopped", 110)])
def test_a_job_that_does_not_end_well_is_followed_by_another_for_what_is_missing(
    server: LocalServer, tmp_path: Path, status: str, answered: int
) -> None:
    server.service.faults.order(f"job:{status}")
    with pytest.raises(CannotCallError, match=rf"is {status} .*: {220 - answered} of 220 .*run again") as caught:
        ask(tmp_path / "j", requests(220))
    assert "\n" not in str(caught.value)
    found = ask(tmp_path / "j", requests(220))
    assert (len(found.answers), found.calls, jobs(server)) == (220, 220, 2)
    sizes = [one["totalRecordCount"] for one in server.jobs.every()["invocationJobSummaries"]]
    assert sizes == [220 - answered, 220]


def test_answers_of_a_job_are_taken_also_where_the_requests_have_changed(server: LocalServer, tmp_path: Path) -> None:
    ask(tmp_path / "j", requests(150))
    lines = (tmp_path / "j").read_bytes().splitlines(keepends=True)
    for kept in (2, 3, 60):
        (tmp_path / "j").write_bytes(b"".join(lines[:kept]))
        found = ask(tmp_path / "j", requests(120))
        assert (len(found.answers), found.calls, jobs(server)) == (120, 150, 1), "all are paid"


def test_a_job_that_was_never_started_is_forgotten(server: LocalServer, tmp_path: Path) -> None:
    with Journal(str(tmp_path / "j"), "run") as journal:
        journal.job("promptslim-x", MODEL, ["other key"])
    found = ask(tmp_path / "j", requests(100))
    assert (len(found.answers), jobs(server)) == (100, 1)


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
