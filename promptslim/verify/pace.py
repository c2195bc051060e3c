"""How many calls run at a time, and how many start in a minute: fewer after throttling, slowly more again.

Additive increase, multiplicative decrease, as in TCP (Jacobson 1988, RFC 5681): the quotas of requests and tokens per
minute are not known, so they are found by running into them. First fewer calls run at a time. Where even one is too
many, since the answers come fast, calls also start at a rate, like the client of botocore's adaptive mode; only where
most of the last attempts were throttled, so that single refusals do not slow a run down.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

_DECREASE = 0.7
_FASTER = 1.1
_FIRST_RATE = 2.0
_SLOWEST = 0.2
"""Starts in a second. Where even so few are throttled, it is not their number that the service minds."""
_UNBOUND = 50.0
_SEEN = 10
_LOOK = 0.05
"""Seconds after which a waiting call looks whether the run goes on."""


class Pace:
    """A gate for calls, for several threads: ``start`` before one, ``end`` after it."""

    def __init__(self, workers: int, clock: Callable[[], float] = time.monotonic) -> None:
        """``clock`` in seconds."""
        self._most = float(workers)
        self._limit = float(workers)
        self._rate: float | None = None
        self._clock = clock
        self._running = 0
        self._due = self._slowed = clock()
        self._helps = True
        self._throttled: deque[bool] = deque(maxlen=_SEEN)
        self._changed = threading.Condition()

    @property
    def limit(self) -> float:
        """Calls that may run at a time; at least one does."""
        return self._limit

    @property
    def rate(self) -> float | None:
        """Calls that may start in a second; None: as many as there are."""
        return self._rate

    def start(self, goes_on: Callable[[], bool] = lambda: True) -> float | None:
        """Wait for a turn; the time at which the call starts, for ``end``. None where the run does not go on."""
        with self._changed:
            while goes_on():
                now = self._clock()
                if self._running >= max(1, int(self._limit)):
                    self._changed.wait(_LOOK)
                elif now < self._due:
                    self._changed.wait(min(_LOOK, self._due - now))
                else:
                    self._running += 1
                    self._due = now if self._rate is None else now + 1 / self._rate
                    return now
        return None

    def end(self, started: float, throttled: bool | None) -> None:
        """A call has ended: with an answer, throttled, or (None) in another way."""
        with self._changed:
            self._running -= 1
            if throttled is not None:
                self._throttled.append(throttled)
            # Calls that ran already when the pace was slowed say nothing about the new pace.
            if throttled and started >= self._slowed:
                self._slow_down()
            elif throttled is False:
                self._speed_up()
            self._changed.notify_all()

    def _slow_down(self) -> None:
        alone = self._limit < 2
        self._slowed = now = self._clock()
        self._limit = max(1.0, self._limit * _DECREASE)
        if alone and self._helps and 2 * sum(self._throttled) >= _SEEN:
            self._rate = _FIRST_RATE if self._rate is None else _DECREASE * self._rate
            self._due = now + 1 / self._rate
            if self._rate < _SLOWEST:
                self._rate, self._due, self._helps = None, now, False

    def _speed_up(self) -> None:
        if self._rate is None:
            self._limit = min(self._most, self._limit + 1 / self._limit)
            return
        self._rate *= _FASTER
        if self._rate > _UNBOUND:
            self._rate = None
