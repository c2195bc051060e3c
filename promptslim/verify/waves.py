"""Asking in waves: the requests of a run in several goes, so that it can stop in between."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from promptslim.core.verification import Spend
from promptslim.verify.answer import Answer
from promptslim.verify.asking import Asked, Asking, Progress
from promptslim.verify.backend import Backend, Options
from promptslim.verify.budget import Budget, LimitReachedError
from promptslim.verify.journal import Journal
from promptslim.verify.request import Request
from promptslim.verify.tariff import Tariff

if TYPE_CHECKING:
    from promptslim.aws.batch import JobState
    from promptslim.verify.batch_asking import BatchAsking


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
        self._asking: dict[str, Asking] = {}
        self._told = told
        self.before = journal.earlier.calls
        """Calls that earlier runs of the journal have made."""
        self.lost = journal.earlier.lost
        """Calls that were in flight when an earlier run was killed."""
        self.left = 0
        """Requests that a batch job gave no answer to, and that are asked one by one."""

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
        if model not in self._asking:
            self._asking[model] = Asking(
                self._backend,
                self._journal,
                self._budget,
                self._tariff(model),
                self._most,
                workers=self._workers,
                told=self._progress,
            )
        asked = self._asking[model].ask(requests)
        self._told(self.spend)
        return asked

    def in_batch(self, options: Options, model: str, told: Callable[[str], None]) -> Asker:
        """What asks the same as one batch inference job, at batch prices. Raises CannotCallError."""
        from promptslim.verify.batch_asking import BatchAsking

        def state(job: JobState) -> None:
            told(f"batch job {job.status}, {job.done} of {job.total} records")

        asking = BatchAsking(options, self._journal, self._budget, self._tariff(model), self._most, told=state)
        return _Batch(asking, self)

    def _progress(self, progress: Progress) -> None:
        self._told(Spend(progress.calls, progress.usd, progress.unpriced))


class _Batch:
    """See ``Asker``."""

    def __init__(self, asking: BatchAsking, waves: Waves) -> None:
        self._asking, self._waves = asking, waves

    def ask(self, requests: Sequence[Request]) -> Mapping[str, Answer]:
        """See ``Asker``. Raises what ``BatchAsking.ask`` raises too."""
        try:
            answers = self._asking.ask(requests).answers
        except LimitReachedError as limit:
            raise StoppedError(str(limit)) from None
        self._waves.left = self._asking.left
        return answers
