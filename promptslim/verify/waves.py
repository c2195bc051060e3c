"""Asking in waves: the requests of a run in several goes, so that it can stop in between."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Protocol

from promptslim.core.verification import Spend
from promptslim.verify.answer import Answer
from promptslim.verify.asking import Asked, Asking, Progress
from promptslim.verify.backend import Backend
from promptslim.verify.budget import Budget
from promptslim.verify.journal import Journal
from promptslim.verify.request import Request
from promptslim.verify.tariff import Tariff


class StoppedError(Exception):
    """A limit ended the run. The message is one line; what was answered is in the journal."""


class Asker(Protocol):
    """What a run asks."""

    def ask(self, requests: Sequence[Request]) -> Mapping[str, Answer]:
        """The answers by request id, those that failed too. Raises StoppedError."""


class Waves:
    """Asks through one backend, journal and budget; each model has its own tariff."""

    def __init__(
        self,
        backend: Backend,
        journal: Journal,
        budget: Budget,
        tariff: Callable[[str], Tariff],
        most: Callable[[Request], int],
        *,
        workers: int = 4,
        told: Callable[[Spend], None] = lambda _: None,
    ) -> None:
        self._backend, self._journal, self._budget = backend, journal, budget
        self._tariff, self._most = tariff, most
        self._workers = workers
        self._told = told
        self.before = journal.earlier.calls
        """Calls that earlier runs of the journal have made."""
        self.lost = journal.earlier.lost
        """Calls that were in flight when an earlier run was killed."""

    @property
    def spend(self) -> Spend:
        """All calls of the run so far, those of its earlier parts too."""
        return Spend(self._budget.calls, self._budget.usd, self._budget.unpriced)

    def ask(self, requests: Sequence[Request]) -> Mapping[str, Answer]:
        """See ``Asker``. Raises what ``Asking.ask`` raises too."""
        answers: dict[str, Answer] = {}
        for model in dict.fromkeys(request.model for request in requests):
            asked = self._of_model(model, [request for request in requests if request.model == model])
            answers.update(asked.answers)
            if asked.stopped is not None:
                raise StoppedError(asked.stopped)
        return answers

    def _of_model(self, model: str, requests: Sequence[Request]) -> Asked:
        asking = Asking(
            self._backend,
            self._journal,
            self._budget,
            self._tariff(model),
            self._most,
            workers=self._workers,
            told=self._progress,
        )
        asked = asking.ask(requests)
        # The budget has taken over what the journal had; the next wave must not count it again.
        self._journal.earlier = replace(self._journal.earlier, calls=0, usd=Decimal(0), unpriced=0, lost=0)
        self._told(self.spend)
        return asked

    def _progress(self, progress: Progress) -> None:
        self._told(Spend(progress.calls, progress.usd, progress.unpriced))
