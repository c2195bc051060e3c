"""The limits of a run: dollars and calls, kept before each call instead of noticed after it."""

from __future__ import annotations

import threading
from decimal import Decimal


class LimitReachedError(Exception):
    """The next call could go over a limit. The message is one line with the limit and what is spent."""


class UnboundedCostError(Exception):
    """A dollar limit that cannot be kept: there is no price, or nothing bounds the output. The message is one line."""


class Budget:
    """Spend so far, what running calls may still cost, and the limits. For several threads.

    The most that a call can cost is taken from the upper end of the band of its input tokens, not from a bound that no
    tokenizer could exceed: a text outside its band can take the spend over the limit by the difference.

    A call is let in when everything spent, everything held for running calls, and the most that it can cost itself
    with all its attempts stay within the limit. Where that fails only because of running calls, it waits for them.
    """

    def __init__(self, max_usd: Decimal | None = None, max_calls: int | None = None) -> None:
        self.max_usd = max_usd
        self.max_calls = max_calls
        self.calls = 0
        self.usd = Decimal(0)
        self.unpriced = 0
        """Calls whose price is not known: ``usd`` is then too low."""
        self._held = Decimal(0)
        self._running = 0
        self._changed = threading.Condition()

    def take_over(self, calls: int, usd: Decimal, unpriced: int) -> None:
        """Count what an earlier, interrupted part of the run did."""
        with self._changed:
            self.calls += calls
            self.usd += usd
            self.unpriced += unpriced

    def room_for(self, calls: int) -> None:
        """Raises LimitReachedError where ``calls`` more are too many."""
        with self._changed:
            if self.max_calls is not None and self.calls + calls > self.max_calls:
                raise LimitReachedError(
                    f"--max-calls {self.max_calls}: {self.calls} calls are made, {calls} are wanted"
                )

    def hold(self, most: Decimal | None, attempts: int, unbounded: str = "its cost is not known") -> Hold:
        """Let a call in that costs at most ``most`` dollars in each of up to ``attempts`` attempts; ``unbounded`` says
        why that is None.

        Raises LimitReachedError, and UnboundedCostError where a dollar limit is set and ``most`` is None.
        """
        if self.max_usd is not None and most is None:
            raise UnboundedCostError(
                f"--max-usd cannot be kept: {unbounded}, or limit the run with --max-calls instead"
            )
        if self.max_usd is not None and self.unpriced:
            raise UnboundedCostError(
                f"--max-usd cannot be kept: {self.unpriced} earlier calls of this run have no known price; "
                "start the run anew, or limit it with --max-calls"
            )
        wanted = (most or Decimal(0)) * attempts
        with self._changed:
            while self.max_usd is not None and self.usd + self._held + wanted > self.max_usd:
                if not self._running:
                    raise LimitReachedError(
                        f"--max-usd {self.max_usd}: ${self.usd:.6f} are spent, and the next call may cost up to "
                        f"${wanted:.6f} with {attempts} attempts"
                    )
                self._changed.wait()
            self._held += wanted
            self._running += 1
        return Hold(self, most, wanted)

    def _count(self) -> None:
        with self._changed:
            if self.max_calls is not None and self.calls >= self.max_calls:
                raise LimitReachedError(f"--max-calls {self.max_calls}: {self.calls} calls are made")
            self.calls += 1

    def _move(self, released: Decimal, usd: Decimal | None, ended: bool) -> None:
        with self._changed:
            self._held -= released
            if usd is None:
                self.unpriced += 1
            else:
                self.usd += usd
            self._running -= ended
            self._changed.notify_all()


class Hold:
    """What is held for one running call. Leave it as a context manager."""

    def __init__(self, budget: Budget, most: Decimal | None, held: Decimal) -> None:
        self.most = most
        self._budget = budget
        self._held = held

    def __enter__(self) -> Hold:
        return self

    def __exit__(self, *_: object) -> None:
        self._budget._move(self._held, Decimal(0), True)
        self._held = Decimal(0)

    def begin(self) -> None:
        """Count an attempt, before it is made. Raises LimitReachedError."""
        self._budget._count()

    def spend(self, usd: Decimal | None) -> None:
        """An attempt has ended and cost ``usd``; None: not known."""
        released = min(self._held, self.most or Decimal(0))
        self._held -= released
        self._budget._move(released, usd, False)
