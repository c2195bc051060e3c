"""The quota of tokens per minute: what a request reserves when it starts, and what it costs when it ends.

At the start input, cached tokens and the output limit are reserved; at the end input, cache writes and output times
the model's burndown rate count, cache reads are free. Sources: AWS agent-toolkit-for-aws, Bedrock reference,
2026-08-20. Two things are assumed, since no source tells them: the quota fills up evenly over the minute, and a
request without a limit reserves the model's largest output.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from promptslim.pricing.cost import Usage
from promptslim.verify.local.exchange import Refused

_MINUTE = 60.0


class Quota:
    """A bucket of tokens and one of requests; None: no limit."""

    def __init__(
        self,
        tokens_per_minute: int | None = None,
        requests_per_minute: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most = (tokens_per_minute, requests_per_minute)
        self._left = [float(tokens_per_minute or 0), float(requests_per_minute or 0)]
        self._clock = clock
        self._filled = clock()
        self._lock = threading.Lock()

    def reserve(self, tokens: int) -> None:
        """Take ``tokens`` and one request. Raises Refused, a ThrottlingException, where they are not there."""
        with self._lock:
            self._fill()
            wanted = (tokens, 1)
            for left, most, one, what in zip(self._left, self._most, wanted, ("tokens", "requests"), strict=True):
                if most is not None and left < one:
                    raise Refused("ThrottlingException", f"Too many {what}, please wait before trying again.")
            self._left = [left - one for left, one in zip(self._left, wanted, strict=True)]

    def settle(self, reserved: int, usage: Usage, burndown: int) -> None:
        """Give back what was reserved, and take what was used."""
        used = usage.fresh + usage.write_5m + usage.write_1h + usage.output * burndown
        with self._lock:
            self._fill()
            self._left[0] += reserved - used

    def _fill(self) -> None:
        now = self._clock()
        for number, most in enumerate(self._most):
            if most is not None:
                self._left[number] = min(float(most), self._left[number] + most * (now - self._filled) / _MINUTE)
        self._filled = now
