"""How many calls run at a time: fewer after throttling, slowly more again.

Additive increase, multiplicative decrease, as in TCP (Jacobson 1988, RFC 5681): the quota of tokens per minute is not
known, so its limit is found by running into it.
"""

from __future__ import annotations

import threading
from types import TracebackType

_DECREASE = 0.7


class Pace:
    """A gate for calls; use it as a context manager around one."""

    def __init__(self, workers: int) -> None:
        self._most = float(workers)
        self._limit = float(workers)
        self._running = 0
        self._changed = threading.Condition()

    @property
    def limit(self) -> float:
        """Calls that may run at a time; at least one does."""
        return self._limit

    def __enter__(self) -> None:
        with self._changed:
            while self._running >= max(1, int(self._limit)):
                self._changed.wait()
            self._running += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        throttled = bool(getattr(error, "throttled", False))
        with self._changed:
            self._running -= 1
            if throttled:
                self._limit = max(1.0, self._limit * _DECREASE)
            elif error is None:
                self._limit = min(self._most, self._limit + 1 / self._limit)
            self._changed.notify_all()
