"""Sending the requests of a run as one batch inference job per model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from promptslim.aws.batch import FEWEST_RECORDS, BatchJobs, BatchPlace, JobState
from promptslim.aws.clients import Account
from promptslim.core.call_fault import CannotCallError
from promptslim.core.record import replace
from promptslim.proof.canonical import data_hash
from promptslim.verify.answer import Answer
from promptslim.verify.asking import Asked
from promptslim.verify.backend import Options
from promptslim.verify.budget import Budget
from promptslim.verify.converse_format import converse_answer, converse_body
from promptslim.verify.journal import Journal
from promptslim.verify.request import Request
from promptslim.verify.request_key import key_of
from promptslim.verify.tariff import Tariff


class BatchAsking:
    """The requests of one run, asked in batch at batch prices and without prompt caching."""

    def __init__(
        self,
        options: Options,
        journal: Journal,
        budget: Budget,
        tariff: Tariff,
        most: Callable[[Request], int],
        *,
        told: Callable[[JobState], None] = lambda _: None,
    ) -> None:
        """Raises CannotCallError."""
        if not options.role or not options.folder:
            raise CannotCallError(
                "batch inference needs a role and a folder: the ARN of a role that Bedrock may assume, and s3://BUCKET/PREFIX"
            )
        account = Account(options.region, options.profile)
        self._jobs = BatchJobs(account, BatchPlace(options.role, options.folder))
        self._seconds = options.poll_seconds
        self._journal = journal
        self._budget = budget
        self._tariff = replace(tariff, tier="batch")
        self._most = most
        self._told = told
        self._answers: dict[str, Answer] = {}

    def ask(self, requests: Sequence[Request]) -> Asked:
        """Ask what the journal has no answer to. A job that an earlier part of the run has started is waited for, not
        started again.

        Raises CannotCallError, LimitReachedError (before anything is spent), UnboundedCostError, JournalError.
        """
        earlier = self._journal.earlier
        self._journal.count_into(self._budget)
        keys = {request.id: key_of(request) for request in requests}
        self._answers = {one: earlier.answers[key] for one, key in keys.items() if key in earlier.answers}
        for model in dict.fromkeys(request.model for request in requests):
            self._job(model, [request for request in requests if request.model == model])
        budget = self._budget
        ordered = {request.id: self._answers[request.id] for request in requests}
        return Asked(ordered, budget.calls, budget.usd, budget.unpriced, 0)

    def _job(self, model: str, requests: Sequence[Request]) -> None:
        """All requests for a model make one job, also where the journal has answers of it, so that it is found again
        by its name."""
        missing = [request for request in requests if request.id not in self._answers]
        if not missing:
            return
        records = {f"r{number:07d}": one for number, one in enumerate(requests)}
        if len(records) < FEWEST_RECORDS:
            raise CannotCallError(
                f"batch inference takes at least {FEWEST_RECORDS} requests for a model, and {model} has "
                f"{len(records)}; ask them without batch"
            )
        bodies = {name: converse_body(replace(one, cache="")) for name, one in records.items()}
        job_name = f"promptslim-{data_hash([model, bodies, [key_of(one) for one in requests]])[:32]}"
        arn = self._journal.earlier.jobs.get(job_name)
        self._budget.room_for(len(missing))
        with self._budget.hold(self._most_of(missing), 1):
            if arn is None:
                # The name makes the job one: a kill before the next line starts no second one.
                arn = self._jobs.start(job_name, model, bodies)
                self._journal.job(job_name, arn)
            state = self._jobs.wait(arn, self._told, self._seconds)
        if state.status == "Failed":
            raise CannotCallError(f"the batch job {arn} failed: {state.message or 'no reason is given'}")
        self._take(records, {str(row["recordId"]): row for row in self._jobs.answers(arn)})

    def _most_of(self, requests: Sequence[Request]) -> Decimal | None:
        prices = [self._tariff.most(one, self._most(one)) for one in requests]
        known = [price for price in prices if price is not None]
        return sum(known, Decimal(0)) if len(known) == len(prices) else None

    def _take(self, records: Mapping[str, Request], rows: Mapping[str, Mapping[str, Any]]) -> None:
        for name, request in records.items():
            if request.id in self._answers:
                continue
            row, key = rows.get(name, {}), key_of(request)
            try:
                answer = converse_answer(row["modelOutput"], None)
            except (KeyError, TypeError):
                error = row.get("error") or {}
                kind = f"batch {error.get('errorCode', 'missing')}"
                self._journal.missed(key, kind, str(error.get("errorMessage", "the job has no answer")))
                self._budget.take_over(1, Decimal(0), 0)
                self._answers[request.id] = Answer("", error=kind)
                continue
            usd = self._tariff.cost(request, answer.usage)
            known = replace(answer, usd=usd)
            self._journal.took(key, known, usd)
            self._budget.take_over(1, usd or Decimal(0), int(usd is None))
            self._answers[request.id] = known
