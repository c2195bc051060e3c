"""Sending the requests of a run: several at a time, each attempt journaled, counted and within the limits."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from decimal import Decimal

from promptslim.core.call_fault import CallFault, CannotCallError
from promptslim.core.record import record, replace
from promptslim.verify.answer import Answer
from promptslim.verify.backend import Backend
from promptslim.verify.budget import Budget, Hold, LimitReachedError
from promptslim.verify.journal import Journal
from promptslim.verify.pace import Pace
from promptslim.verify.request import Request
from promptslim.verify.request_key import key_of
from promptslim.verify.tariff import Tariff

ATTEMPTS = 4
MOST_REFUSALS = 20
"""Attempts of a request that the service may refuse for too much traffic, beside the others: they cost nothing, and
waiting helps. With the waits between them they take some minutes, longer than a quota per minute needs."""
_LONGEST_WAIT = 20.0
_FAILURES_BEFORE_GIVING_UP = 5
_SLOW = ("timeout", "ModelTimeoutException")
"""Faults that cost the most and come back with the same request: a second round would double the bill."""
_TOO_MUCH = "ask the provider for a higher quota, or take fewer --workers"
_HINTS = {
    "connection": "check the network, the region and the endpoint",
    "timeout": "check the network, or lower max_tokens",
    "malformed": "check that the endpoint is one of this API",
}


@record
class Progress:
    """Requests that are answered or given up, all of them, attempts made, dollars spent, and the number of calls
    without a known price."""

    done: int
    total: int
    calls: int
    usd: Decimal
    unpriced: int


@record
class Asked:
    """Answers by request id, also those with an ``error``. ``stopped`` says why the rest was not asked, None where all
    were. ``lost``: attempts of an earlier part of the run that were in flight when it was killed, and were repeated."""

    answers: Mapping[str, Answer]
    calls: int
    usd: Decimal
    unpriced: int
    lost: int
    stopped: str | None = None


class Asking:
    """The requests of one run. ``most`` gives the most input tokens of a request (the upper end of the band)."""

    def __init__(
        self,
        backend: Backend,
        journal: Journal,
        budget: Budget,
        tariff: Tariff,
        most: Callable[[Request], int],
        *,
        workers: int = 4,
        attempts: int = ATTEMPTS,
        told: Callable[[Progress], None] = lambda _: None,
        sleep: Callable[[float], object] | None = None,
        pace: Pace | None = None,
    ) -> None:
        """``sleep`` waits between attempts; None: in real time, and no longer than the run goes on. ``pace``: None for
        one of its own."""
        self._backend = backend
        self._journal = journal
        self._budget = budget
        self._tariff = tariff
        self._most = most
        self._workers = workers
        self._attempts = attempts
        self._told = told
        self._sleep = sleep
        self._pace = pace or Pace(workers)
        self._lock = threading.Lock()
        self._answers: dict[str, Answer] = {}
        self._tried: dict[str, int] = {}
        self._failures = 0
        self._stop = threading.Event()
        self._total = 0

    def ask(self, requests: Sequence[Request]) -> Asked:
        """Ask what the journal has no answer to. A limit that is reached ends the run early (``stopped``).

        Raises CannotCallError where no call will succeed, UnboundedCostError where a limit cannot be kept, JournalError
        where the journal cannot be written, ValueError where two requests have one id. What was answered by then is in
        the journal.
        """
        if len({request.id for request in requests}) < len(requests):
            raise ValueError("two requests have the same id")
        earlier = self._journal.earlier
        self._journal.count_into(self._budget)
        self._total = len(requests)
        keys = {request.id: key_of(request) for request in requests}
        known = {one: earlier.answers[key] for one, key in keys.items() if key in earlier.answers}
        # What a batch job gave no answer to is asked again.
        self._answers = {one: answer for one, answer in known.items() if not answer.error}
        missing = [request for request in requests if request.id not in self._answers]
        self._tried = {}
        stopped = self._run(missing)
        passing = [request for request in missing if request.id in self._tried]
        if passing and stopped is None:
            # What failed in a passing fault of the service or the network has a second chance after all others.
            for request in passing:
                del self._answers[request.id]
            stopped = self._run(passing)
        budget = self._budget
        ordered = {request.id: self._answers[request.id] for request in requests if request.id in self._answers}
        return Asked(ordered, budget.calls, budget.usd, budget.unpriced, earlier.lost, stopped)

    def _run(self, requests: Sequence[Request]) -> str | None:
        self._stop = threading.Event()
        with ThreadPoolExecutor(self._workers) as pool:
            running = [pool.submit(self._one, request) for request in requests]
            try:
                wait(running, return_when=FIRST_EXCEPTION)
            finally:
                # Also when the user interrupts: what runs is finished and kept, nothing else is started.
                self._stop.set()
                for future in running:
                    future.cancel()
        errors = [error for one in running if not one.cancelled() and (error := one.exception()) is not None]
        limits = [error for error in errors if isinstance(error, LimitReachedError)]
        for error in errors:
            if error not in limits:
                raise error
        return str(limits[0]) if limits else None

    def _one(self, request: Request) -> None:
        if self._stop.is_set():
            return
        try:
            self._ask_one(request)
        except BaseException:
            self._stop.set()  # at once: the thread that waits for this one may be late
            raise

    def _ask_one(self, request: Request) -> None:
        key = key_of(request)
        attempts = self._tried.get(request.id, self._journal.earlier.attempts.get(key, 0))
        usd_before = Decimal(0)
        counted = refused = 0
        most = self._tariff.most(request, self._most(request))
        with self._budget.hold(most, self._attempts, self._tariff.unbounded(request)) as hold:
            while True:
                outcome = self._attempt(request, key, hold)
                if outcome is None:  # the run has ended: neither answered nor given up
                    return
                attempts += 1
                if isinstance(outcome, Answer):
                    self._succeeded(request, key, hold, outcome, attempts, usd_before)
                    return
                waits = outcome.throttled and not outcome.billed
                refused, counted = refused + waits, counted + (not waits)
                usd_before += self._failed(key, hold, outcome, kept=waits)
                if not outcome.again or counted >= self._attempts or refused >= MOST_REFUSALS:
                    break
                (self._sleep or self._stop.wait)(_wait(outcome, refused if waits else counted))
        self._given_up(request, outcome, attempts)

    def _attempt(self, request: Request, key: str, hold: Hold) -> Answer | CallFault | None:
        """One attempt, begun in the journal; None where the run has ended before its turn. Raises CannotCallError."""
        started = self._pace.start(lambda: not self._stop.is_set())
        if started is None:
            return None
        throttled: bool | None = None
        try:
            hold.begin()
            self._journal.begin(key, hold.most)
            answer = self._backend.send(request)
            throttled = False
        except CallFault as fault:
            throttled = fault.throttled or None
            return fault
        except CannotCallError as error:
            hold.spend(Decimal(0))
            self._journal.fail(key, "refused", str(error), Decimal(0))
            raise
        finally:
            self._pace.end(started, throttled)
        return answer

    def _failed(self, key: str, hold: Hold, fault: CallFault, *, kept: bool) -> Decimal:
        """Journal and count a failed attempt: one that may be billed as the most that it can cost. ``kept``: what is
        held for it is needed for the next one, since the service has not even begun."""
        usd = hold.most if fault.billed else Decimal(0)
        if not kept:
            hold.spend(usd)
        self._journal.fail(key, fault.kind, fault.message, usd)
        return usd or Decimal(0)

    def _succeeded(
        self, request: Request, key: str, hold: Hold, answer: Answer, attempts: int, usd_before: Decimal
    ) -> None:
        usd = self._tariff.cost(request, answer.usage, answer.tier)
        charged = hold.most if usd is None else usd
        hold.spend(charged)
        known = replace(answer, usd=None if usd is None else usd + usd_before, attempts=attempts)
        self._journal.done(key, known, charged)
        with self._lock:
            self._failures = 0
            self._answers[request.id] = known
        self._tell()

    def _given_up(self, request: Request, fault: CallFault, attempts: int) -> None:
        with self._lock:
            self._answers[request.id] = Answer("", attempts=attempts, error=fault.kind)
            self._failures += 1
            if fault.again and fault.kind not in _SLOW:
                self._tried[request.id] = attempts
            failures = self._failures
        self._tell()
        if fault.again and failures >= _FAILURES_BEFORE_GIVING_UP:
            hint = _TOO_MUCH if fault.throttled else _HINTS.get(fault.kind, "see whether the service is up")
            raise CannotCallError(
                f"{failures} requests in a row failed, the last after {attempts} attempts: {fault}; {hint}, then run "
                "again: what was answered is kept"
            )

    def _tell(self) -> None:
        with self._lock:
            done = len(self._answers)
        self._told(Progress(done, self._total, self._budget.calls, self._budget.usd, self._budget.unpriced))


def _wait(fault: CallFault, attempt: int) -> float:
    """Seconds before the next attempt: full jitter over a doubling span, as botocore 1.44.5 waits, or what the service
    asks for."""
    span = (1.0 if fault.throttled else 0.05) * 2 ** (attempt - 1)
    jittered = random.uniform(0, min(span, _LONGEST_WAIT))  # noqa: S311 (spreads load, keeps no secret)
    return min(max(jittered, fault.wait or 0.0), _LONGEST_WAIT)
