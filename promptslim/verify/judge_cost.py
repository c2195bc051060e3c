"""What the judge of a run costs, before anything is spent."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from promptslim.core.record import record
from promptslim.pricing.cost import Usage
from promptslim.tokens.counter import Counter
from promptslim.verify.answer import Answer
from promptslim.verify.grading import compares_answers
from promptslim.verify.judging import Case, labelled, needs_judge, questions_of
from promptslim.verify.request import Request, most_input_tokens
from promptslim.verify.runner import NOISE_ITEMS, Job
from promptslim.verify.tariff import Tariff


@record
class JudgeCost:
    """``calls`` of the judge; dollars if every answer that it looks at and every reply of its own is
    empty (``usd_least``), and if all are as long as their caps (``usd_most``). None without a price or a cap."""

    calls: int
    usd_least: Decimal | None
    usd_most: Decimal | None


@record
class _Question:
    """A question without the answers that it is about, how many of them go in, and how often it is asked."""

    request: Request
    answers: int
    times: int


def judge_cost(job: Job, counter: Counter, tariff: Tariff, tokenizer: str) -> JudgeCost:
    """The calls and dollars of the judge of a run, with its own ``tariff`` and ``tokenizer``: about both answers of
    every repeat, the noise floor and the labelled answers.

    The answers of the model are taken at its cap, in its own tokens: the judge's tokenizer may differ.
    """
    cap = job.model.parameters.get("max_tokens")
    longest = cap if isinstance(cap, int) else None
    calls, least, most = 0, Decimal(0), Decimal(0)
    priced, bounded = True, True
    for question in _questions(job):
        tokens = most_input_tokens(question.request, counter, tokenizer)
        low = tariff.cost(question.request, Usage(tokens))
        room = 0 if not question.answers else None if longest is None else question.answers * longest
        high = None if room is None else tariff.most(question.request, tokens + room)
        calls += question.times
        least += (low or 0) * question.times
        most += (high or 0) * question.times
        priced, bounded = priced and low is not None, bounded and high is not None
    return JudgeCost(calls, least if priced else None, most if bounded else None)


def _questions(job: Job) -> Iterator[_Question]:
    suite = job.suite
    if suite.judge is None:
        return
    empty = Answer("")
    for number, item in enumerate(job.items):
        times = suite.repeat + (number < NOISE_ITEMS)
        for check in item.checks:
            for request in questions_of(Case(item.id, (check,), empty, empty), suite.judge):
                yield _Question(request, 2 if compares_answers(check) else 1, times)
    if needs_judge(suite.items):
        for case in labelled(suite.items, suite.judge):
            for request in questions_of(case, suite.judge):
                yield _Question(request, 0, 1)
