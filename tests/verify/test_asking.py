"""Runs of many requests: attempts, limits, pace, resuming, through real boto3 and the local server where it counts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from asking_by_hand import MODEL, asking, lead_to, request, requests, size, tariff
from hypothesis import given, settings
from hypothesis import strategies as st

from promptslim.core.call_fault import CallFault, CannotCallError
from promptslim.pricing.cost import Usage
from promptslim.verify.answer import Answer
from promptslim.verify.asking import Asked, Progress
from promptslim.verify.backend import Options, open_backend
from promptslim.verify.budget import Budget, LimitReachedError, UnboundedCostError
from promptslim.verify.local.answers import echo
from promptslim.verify.local.exchange import Chat, Completion, Refused
from promptslim.verify.local.quota import Quota
from promptslim.verify.local.server import LocalServer
from promptslim.verify.local.service import Service
from promptslim.verify.pace import Pace
from promptslim.verify.request import Request
from promptslim.verify.tariff import Tariff


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalServer]:
    with LocalServer(Service(echo)) as running:
        lead_to(running.url, monkeypatch)
        yield running


class Scripted:
    """A backend of this process: faults by number of the attempt, counted over all threads."""

    free = False
    route = None

    def __init__(self, *faults: CallFault | CannotCallError | None, usage: Usage | None = None) -> None:
        self.faults = list(faults)
        self.usage = usage or Usage(10, 5)
        self.sent: list[str] = []
        self._lock = threading.Lock()

    def send(self, asked: Request) -> Answer:
        with self._lock:
            self.sent.append(asked.id)
            fault = self.faults.pop(0) if self.faults else None
        if fault is not None:
            raise fault
        return Answer(asked.messages[-1].text, "end_turn", seconds=0.1, usage=self.usage)


THROTTLED = CallFault("ThrottlingException", "slow down", again=True, billed=False, throttled=True)
TIMEOUT = CallFault("timeout", "no answer", again=True, billed=True)


def test_every_request_is_answered_once_through_faults(server: LocalServer, tmp_path: Path) -> None:
    faults = ["ThrottlingException", "reset", "ok", "malformed", "InternalServerException", "empty", "ok", "ok"]
    server.service.faults.order(*faults)
    seen: list[Progress] = []
    backend = open_backend("converse", Options(workers=4))
    with asking(tmp_path / "journal", backend, told=seen.append) as run:
        asked = run.ask(requests(20))
    assert {name: one.text for name, one in asked.answers.items()} == {
        f"item-{number}": f"say number {number}" for number in range(20)
    }
    assert list(asked.answers) == [f"item-{number}" for number in range(20)]
    assert asked.calls == 25 == sum(one.attempts for one in asked.answers.values())
    # Those that broke off without a word are received and answered: only two of the five were not.
    assert len(server.service.received) == 20
    assert asked.usd > 0
    assert asked.unpriced == 0
    assert (seen[-1].done, seen[-1].total) == (20, 20)


def test_what_may_be_billed_is_counted_at_the_most_it_can_cost(tmp_path: Path) -> None:
    one = request()
    most = tariff().most(one, size(one))
    assert most is not None
    with asking(tmp_path / "journal", Scripted(THROTTLED, TIMEOUT)) as run:
        asked = run.ask([one])
    cost = tariff().cost(one, Usage(10, 5))
    assert cost is not None
    assert asked.usd == most + cost
    assert asked.answers["one"].attempts == 3
    assert asked.answers["one"].usd == most + cost


def test_a_request_that_never_succeeds_is_no_answer_and_not_a_wrong_one(tmp_path: Path) -> None:
    backend = Scripted(*[TIMEOUT] * 4)
    with asking(tmp_path / "journal", backend, workers=1) as run:
        asked = run.ask([request("bad"), request("good")])
    assert asked.answers["bad"] == Answer("", attempts=4, error="timeout")
    assert asked.answers["good"].error == ""
    with asking(tmp_path / "journal", Scripted()) as run:
        again = run.ask([request("bad"), request("good")])
    assert again.answers["bad"].attempts == 5, "a later part of the run tries again, and counts on"
    assert again.calls == 6


def test_what_failed_in_a_passing_fault_is_asked_again_after_all_others(tmp_path: Path) -> None:
    broken = CallFault("InternalServerException", "oops", again=True, billed=True)
    backend = Scripted(*[broken] * 4, usage=Usage(1, 1))
    with asking(tmp_path / "journal", backend, workers=1) as run:
        asked = run.ask([request("bad"), request("good")])
    assert backend.sent == ["bad"] * 4 + ["good", "bad"]
    assert (asked.answers["bad"].error, asked.answers["bad"].attempts, asked.calls) == ("", 5, 6)
    with asking(tmp_path / "other", Scripted(*[broken] * 4, None, *[broken] * 4), workers=1) as run:
        asked = run.ask([request("bad"), request("good")])
    assert (asked.answers["bad"].error, asked.answers["bad"].attempts) == ("InternalServerException", 8)


def test_a_service_that_is_down_ends_the_run(tmp_path: Path) -> None:
    with (
        asking(tmp_path / "journal", Scripted(*[TIMEOUT] * 400), workers=1) as run,
        pytest.raises(
            CannotCallError, match=r"5 requests in a row failed, the last after 4 attempts: timeout.*run again"
        ),
    ):
        run.ask(requests(100))


def test_what_no_attempt_mends_ends_the_run_at_once(server: LocalServer, tmp_path: Path) -> None:
    server.service.faults.order("AccessDeniedException")
    with (
        asking(tmp_path / "journal", open_backend("converse", Options()), workers=1) as run,
        pytest.raises(CannotCallError, match="AccessDeniedException"),
    ):
        run.ask(requests(50))
    assert len(server.service.received) < 50


def test_max_calls_counts_attempts(tmp_path: Path) -> None:
    backend = Scripted(THROTTLED, THROTTLED)
    with asking(tmp_path / "journal", backend, Budget(max_calls=5), workers=2) as run:
        asked = run.ask(requests(10))
    assert len(backend.sent) == asked.calls == 5
    assert len(asked.answers) == 3
    assert asked.stopped == "--max-calls 5: 5 calls are made"
    with asking(tmp_path / "journal", backend, Budget(max_calls=100)) as run:
        rest = run.ask(requests(10))
    assert (len(rest.answers), rest.calls, rest.stopped) == (10, 12, None)


def test_max_usd_is_refused_without_a_price_or_a_cap(tmp_path: Path) -> None:
    cases = [
        (Tariff(None), request(), f"no price of {MODEL} is known"),
        (tariff(), request(max_tokens=None), "add max_tokens to the parameters of the suite"),
    ]
    for number, (prices, one, why) in enumerate(cases):
        backend = Scripted()
        with (
            asking(tmp_path / f"{number}", backend, Budget(Decimal(1)), prices=prices) as run,
            pytest.raises(UnboundedCostError, match=f"--max-usd cannot be kept: .*{why}.*--max-calls"),
        ):
            run.ask([one])
        assert backend.sent == []
        with asking(tmp_path / f"{number}", backend, Budget(max_calls=1), prices=prices) as run:
            assert len(run.ask([one]).answers) == 1


@settings(max_examples=40, deadline=None)
@given(
    limit=st.integers(0, 60).map(lambda parts: Decimal(parts) / 100_000),
    faults=st.lists(st.sampled_from([None, THROTTLED, TIMEOUT]), max_size=30),
    workers=st.integers(1, 4),
    caps=st.lists(st.integers(1, 200), min_size=1, max_size=8),
    kills=st.integers(0, 6),
)
def test_spend_never_exceeds_the_limit(
    limit: Decimal,
    faults: list[CallFault | None],
    workers: int,
    caps: list[int],
    kills: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Whatever fails, whatever is billed for it, and with attempts of a killed part of the run still open."""
    folder = tmp_path_factory.mktemp("spend")
    asked = [request(f"r{number}", f"text {number}", max_tokens=cap) for number, cap in enumerate(caps)]
    most = {one.id: tariff().most(one, size(one)) for one in asked}
    cheapest = min(price for price in most.values() if price is not None)
    lost = min(kills, int(limit / cheapest))

    class Honest(Scripted):
        """Answers cost what they may at most."""

        def send(self, one: Request) -> Answer:
            super().send(one)
            return Answer("x", usage=Usage(size(one), one.max_tokens or 0))

    backend = Honest(*faults)
    with asking(folder / "journal", backend) as run:
        for number in range(lost):
            run._journal.begin(f"lost-{number}", cheapest)
    budget = Budget(limit)
    stop = None
    with asking(folder / "journal", backend, budget, workers=workers, attempts=3) as run:
        try:
            stop = run.ask(asked).stopped
        except CannotCallError:
            stop = "down"
    assert budget.usd <= limit
    billed = lost * cheapest
    assert budget.usd >= billed
    assert budget.calls == lost + len(backend.sent)
    if stop is None:
        assert set(backend.sent) == {one.id for one in asked}


def test_a_call_waits_for_running_ones_before_it_is_refused() -> None:
    budget = Budget(Decimal(10))
    first = budget.hold(Decimal(4), 2)
    let_in = []

    def second() -> None:
        with budget.hold(Decimal(3), 2) as hold:
            let_in.append(hold)

    waiting = threading.Thread(target=second)
    waiting.start()
    time.sleep(0.05)
    assert let_in == []
    first.spend(Decimal(1))
    first.__exit__()
    waiting.join(2)
    assert len(let_in) == 1
    with pytest.raises(LimitReachedError, match="the next call may cost up to"):
        budget.hold(Decimal(10), 1)


def minutes() -> float:
    """A clock that runs sixty times as fast."""
    return time.monotonic() * 60


class Clock:
    """Time that passes only while the run waits."""

    now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_fewer_calls_at_a_time_after_throttling() -> None:
    clock = Clock()
    pace = Pace(8, clock)

    def call(throttled: bool) -> None:
        started = pace.start()
        assert started is not None
        clock.sleep(0.01)
        pace.end(started, throttled)

    for _ in range(3):
        call(True)
    assert (pace.limit < 3, pace.rate) == (True, None)
    for _ in range(100):
        call(False)
    assert pace.limit == 8


def test_calls_that_ran_when_the_pace_was_slowed_slow_it_no_further() -> None:
    pace = Pace(8)
    running = [pace.start() for _ in range(8)]
    for one in running:
        assert one is not None
        pace.end(one, True)
    assert pace.limit == pytest.approx(8 * 0.7)


def test_where_one_call_at_a_time_is_too_many_they_start_at_the_rate_of_the_quota() -> None:
    clock = Clock()
    quota = Quota(None, 30, clock=clock)
    pace = Pace(1, clock)
    refused, done, rates = 0, 0, []
    while done < 150:
        pace._changed.wait = lambda seconds: clock.sleep(seconds or 0)  # type: ignore[method-assign,assignment]
        started = pace.start()
        assert started is not None
        clock.sleep(0.02)
        try:
            quota.reserve(1)
        except Refused:
            refused += 1
            pace.end(started, True)
        else:
            done += 1
            pace.end(started, False)
        rates.append(pace.rate)
    assert refused < done, "without a rate there are 100 refusals for each answer"
    later = [rate for rate in rates[-100:] if rate is not None]
    assert 0.2 < sum(later) / len(later) < 1.5, "the quota is one call in two seconds"
    assert clock.now < 1.5 * 60 * (150 - 30) / 30, "and it is not left unused"


def test_a_run_that_has_ended_does_not_wait_for_its_turn() -> None:
    pace = Pace(1)
    assert pace.start() is not None
    assert pace.start(lambda: False) is None


def test_a_quota_slows_a_run_down_and_loses_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    quota = Quota(None, 12, clock=minutes)
    with LocalServer(Service(echo, quota=quota)) as running:
        lead_to(running.url, monkeypatch)
        backend = open_backend("converse", Options(workers=4))
        with asking(tmp_path / "journal", backend, sleep=lambda s: time.sleep(s / 60), pace=Pace(4, minutes)) as run:
            asked = run.ask(requests(30))
    assert all(one.text for one in asked.answers.values())
    throttled = asked.calls - 30
    assert throttled > 0
    costs = [tariff().cost(one, asked.answers[one.id].usage) or 0 for one in requests(30)]
    assert asked.usd == sum(costs), "throttled attempts cost nothing"


def test_a_quota_that_lets_nothing_through_ends_the_run_and_says_what_to_do(tmp_path: Path) -> None:
    backend = Scripted(*[THROTTLED] * 500)
    with (
        asking(tmp_path / "journal", backend, Budget(Decimal("0.01")), workers=1, pace=Pace(1, Hurry())) as run,
        pytest.raises(CannotCallError, match=r"higher quota.*run again"),
    ):
        run.ask(requests(9))
    assert len(backend.sent) == 5 * 20


class Hurry:
    """A clock of which every look is a minute later."""

    now = 0.0

    def __call__(self) -> float:
        self.now += 60
        return self.now


RUN = """
import sys
from pathlib import Path
sys.path[:0] = [{tests!r}, {root!r}]
from asking_by_hand import asking, requests
from promptslim.verify.backend import Options, open_backend
with asking(Path({journal!r}), open_backend("converse", Options(workers=4)), workers=4) as run:
    asked = run.ask(requests(40))
print(len(asked.answers), asked.calls, asked.lost, asked.usd)
"""


@pytest.mark.slow
def test_kill_9_repeats_at_most_what_was_in_flight(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    received: list[str] = []

    def slow_echo(chat: Chat) -> Completion:
        received.append(chat.last)
        time.sleep(0.02)
        return Completion(chat.last)

    journal = tmp_path / "journal"
    here = Path(__file__).parent
    script = RUN.format(tests=str(here), root=str(here.parent.parent), journal=str(journal))
    kills = [5, 17, 30]
    lost_at_most = 0
    with LocalServer(Service(slow_echo)) as running:
        lead_to(running.url, monkeypatch)
        for number in kills:
            process = subprocess.Popen([sys.executable, "-c", script], env=os.environ.copy())
            started = time.monotonic()
            while len(received) < number and time.monotonic() - started < 60:
                time.sleep(0.005)
            process.send_signal(signal.SIGKILL)
            process.wait()
            lost_at_most += 4
        done = subprocess.run([sys.executable, "-c", script], env=os.environ.copy(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    answers, calls, lost, usd = done.stdout.split()
    assert int(answers) == 40
    assert int(lost) <= lost_at_most
    assert int(calls) == 40 + int(lost), "the repeated calls are counted"
    assert len(received) <= int(calls), "nothing was sent that the journal does not know"
    assert len(received) - 40 <= int(lost)
    assert Decimal(usd) > 0
    again = subprocess.run([sys.executable, "-c", script], env=os.environ.copy(), capture_output=True, text=True)
    assert again.stdout == done.stdout, "all is answered: nothing is sent, the figures are the same"


def test_replay_of_a_journal_gives_the_same_answers(server: LocalServer, tmp_path: Path) -> None:
    def texts(asked: Asked) -> dict[str, str]:
        return {name: one.text for name, one in asked.answers.items()}

    with asking(tmp_path / "journal", open_backend("converse", Options())) as run:
        first = run.ask(requests(6))
    before = len(server.service.received)
    replay = open_backend("replay", Options(recording=str(tmp_path / "journal")))
    with asking(tmp_path / "other", replay, prices=Tariff(None, free=True)) as run:
        second = run.ask(requests(6))
    assert texts(first) == texts(second)
    assert len(server.service.received) == before
    assert second.usd == 0
    changed = [request("item-0", "another prompt"), *requests(6)[1:]]
    with asking(tmp_path / "third", replay, prices=Tariff(None, free=True)) as run:
        assert run.ask(changed).answers["item-0"].error == "missing"


def test_two_requests_with_one_id_are_an_error(tmp_path: Path) -> None:
    with asking(tmp_path / "journal", Scripted()) as run, pytest.raises(ValueError, match="same id"):
        run.ask([request("a"), request("a", "other")])


def test_a_run_may_ask_several_times_through_one_journal(tmp_path: Path) -> None:
    with asking(tmp_path / "journal", Scripted(THROTTLED)) as run:
        run.ask(requests(3))
    budget = Budget()
    with asking(tmp_path / "journal", Scripted(), budget) as run:
        run.ask(requests(5))
        run.ask(requests(8)[5:])
    assert budget.calls == 9


def test_a_run_that_ends_does_not_wait_for_attempts_of_others(tmp_path: Path) -> None:
    patient = CallFault("ThrottlingException", "slow down", again=True, billed=False, throttled=True, wait=15.0)
    refused = CannotCallError("no rights")

    class Slow(Scripted):
        def send(self, asked: Request) -> Answer:
            if asked.id == "item-1":
                time.sleep(0.2)
            return super().send(asked)

    backend = Slow(patient, refused)
    started = time.monotonic()
    with (
        asking(tmp_path / "journal", backend, workers=2, sleep=None) as run,
        pytest.raises(CannotCallError, match="no rights"),
    ):
        run.ask(requests(2))
    assert time.monotonic() - started < 5
    with asking(tmp_path / "journal", Scripted()) as run:
        assert [one.error for one in run.ask(requests(2)).answers.values()] == ["", ""]
