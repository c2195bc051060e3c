"""Sending the requests of a run as one batch inference job per model."""

from __future__ import annotations

import secrets
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
from promptslim.verify.journal import BatchJob, Journal
from promptslim.verify.request import Request
from promptslim.verify.request_key import key_of
from promptslim.verify.tariff import Tariff


class BatchAsking:
    """The requests of one run, asked in batch at batch prices and without prompt caching. ``left``: see ``ask``."""

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
        self.left = 0

    def ask(self, requests: Sequence[Request]) -> Asked:
        """Ask what the journal has no answer to. A job that an earlier part of the run has started is waited for, not
        started again; what it gave no answer to goes into another. ``left`` counts what is then too little for a job:
        requests without an answer, to be asked otherwise.

        Raises CannotCallError, LimitReachedError (before anything is spent), UnboundedCostError, JournalError.
        """
        earlier = self._journal.earlier
        self._journal.count_into(self._budget)
        wanted = {key_of(request): request for request in requests}
        self._answers = {one.id: earlier.answers[key] for key, one in wanted.items() if self._known(key)}
        for job in earlier.jobs:
            self._go_on(job, wanted)
        models = dict.fromkeys(request.model for request in requests)
        for model in models:
            missing = {key: one for key, one in wanted.items() if one.model == model and one.id not in self._answers}
            if len(missing) >= FEWEST_RECORDS:
                self._start(model, missing)
            elif missing and not any(one.model == model for one in requests if one.id in self._answers):
                raise CannotCallError(
                    f"batch inference takes at least {FEWEST_RECORDS} requests for a model, and {model} has "
                    f"{len(missing)}; ask them without batch"
                )
        ordered = {request.id: self._answers[request.id] for request in requests if request.id in self._answers}
        self.left = len(requests) - len(ordered)
        budget = self._budget
        return Asked(ordered, budget.calls, budget.usd, budget.unpriced, 0)

    def _known(self, key: str) -> bool:
        answers = self._journal.earlier.answers
        return key in answers and not answers[key].error

    def _start(self, model: str, missing: Mapping[str, Request]) -> None:
        """A job for these requests by key. It is in the journal before it is started: its name makes it one."""
        self._budget.room_for(len(missing))
        first = next(iter(missing.values()))
        with self._budget.hold(self._most_of(list(missing.values())), 1, self._tariff.unbounded(first)):
            name = f"promptslim-{data_hash([model, list(missing)])[:24]}-{secrets.token_hex(4)}"
            self._journal.job(name, model, list(missing))
            self._finish(BatchJob(name, model, tuple(missing)), missing)

    def _go_on(self, job: BatchJob, wanted: Mapping[str, Request]) -> None:
        """Wait for a job of an earlier part of the run. It is paid for, whatever the limits are now."""
        if not job.arn and not all(key in wanted for key in job.keys):
            arn = self._jobs.find(job.name)
            if arn is None:  # the kill came before it was started
                self._journal.ended(job.name, "not started")
                return
            job = replace(job, arn=arn)
        self._finish(job, wanted)

    def _finish(self, job: BatchJob, wanted: Mapping[str, Request]) -> None:
        """Start a job unless it runs, wait for it, take its answers."""
        if not job.arn:
            bodies = {_record_id(number): self._body(wanted[key]) for number, key in enumerate(job.keys)}
            job = replace(job, arn=self._jobs.start(job.name, job.model, bodies))
            self._journal.started(job.name, job.arn)
        state = self._jobs.wait(job.arn, self._told, self._seconds)
        if state.status != "Failed":
            rows = {str(row["recordId"]): row for row in self._jobs.answers(job.arn, whole=state.status == "Completed")}
            self._take(job, wanted, rows)
        self._journal.ended(job.name, state.status)
        missing = sum(key in wanted and wanted[key].id not in self._answers for key in job.keys)
        if missing and (missing >= FEWEST_RECORDS or state.status in ("Failed", "Stopped", "Expired")):
            reason = state.message.rstrip(".") or "no reason is given"
            raise CannotCallError(
                f"the batch job {job.arn} is {state.status} ({reason}): {missing} of {len(job.keys)} requests have no "
                "answer; run again to ask for those, what was answered is kept"
            )

    def _body(self, request: Request) -> Mapping[str, Any]:
        return converse_body(replace(request, cache=""))

    def _most_of(self, requests: Sequence[Request]) -> Decimal | None:
        prices = [self._tariff.most(one, self._most(one)) for one in requests]
        known = [price for price in prices if price is not None]
        return sum(known, Decimal(0)) if len(known) == len(prices) else None

    def _take(self, job: BatchJob, wanted: Mapping[str, Request], rows: Mapping[str, Mapping[str, Any]]) -> None:
        """Journal and count the answers of a job, also those to requests that are not wanted any more: they are paid.
        A record without a line has not been looked at."""
        for number, key in enumerate(job.keys):
            row, request = rows.get(_record_id(number)), wanted.get(key)
            if key in job.taken or row is None:
                continue
            try:
                answer = converse_answer(row["modelOutput"], None)
            except (KeyError, TypeError):
                error = row.get("error") or {}
                kind = f"batch {error.get('errorCode', 'malformed')}"
                self._journal.missed(key, kind, str(error.get("errorMessage", "the answer lacks a field")))
                self._budget.take_over(1, Decimal(0), 0)
                continue
            usd = self._tariff.cost(request or Request("", job.model, ()), answer.usage)
            known = replace(answer, usd=usd)
            self._journal.took(key, known, usd)
            self._budget.take_over(1, usd or Decimal(0), int(usd is None))
            if request is not None:
                self._answers[request.id] = known


def _record_id(number: int) -> str:
    """Eleven letters and digits, as in the examples of the AWS user guide, pages on batch inference, 2026."""
    return f"r{number:010d}"
