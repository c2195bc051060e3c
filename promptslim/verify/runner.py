"""Running the items of a suite with both prompts: noise floor, waves, early rejection. Nothing is written here."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence

from promptslim.core.call import LlmCall
from promptslim.core.call_fault import CannotCallError
from promptslim.core.record import record, replace
from promptslim.proof.canonical import data_hash
from promptslim.proof.noise import Noise, noise_floor
from promptslim.proof.verdict import MOST_UNPAIRED, Pair, Terms, judged, stops_early
from promptslim.verify.answer import UNRECORDED, Answer, Check
from promptslim.verify.claims import proof_pairs
from promptslim.verify.compared import Compared
from promptslim.verify.filling import FillingError, cached_for, sent, tools_of
from promptslim.verify.grading import ItemGrade, compares_answers, grade_item, grader_modules
from promptslim.verify.judging import Case, measured
from promptslim.verify.judging import judged as judge_says
from promptslim.verify.request import ParameterError, Request, request_of
from promptslim.verify.suite import Item, Model, Suite, SuiteError
from promptslim.verify.waves import Asker

NOISE_ITEMS = 20
"""Items that the original prompt answers twice, for the noise floor."""

WAVE = 10
"""Items after which the run may stop. A fixed number, so that which items were run does not depend on timing."""

OLD, NEW, AGAIN = "old", "new", "again"


@record
class Job:
    """One run: ``items`` are those to be asked, ``earlier`` the pairs of items whose grades an earlier look gives.
    ``terms`` without the errors of the judge, which the run measures."""

    suite: Suite
    compared: Compared
    model: Model
    terms: Terms
    items: tuple[Item, ...]
    earlier: tuple[Pair, ...] = ()
    metadata: Mapping[str, str] | None = None

    @property
    def call(self) -> LlmCall | None:
        """The call whose texts and tools go with the prompt: that of the model, where several calls send it."""
        calls = self.compared.calls
        return next((one for one in calls if self.model.id in one.model.known()), calls[0] if calls else None)


@record
class Outputs:
    """Answers and grades of an item, one for each repeat."""

    answers: tuple[Answer, ...]
    grades: tuple[ItemGrade, ...]


@record
class Ran:
    """What a run gave: outputs of both prompts by item id, for the items that were run; ``terms`` with the judge's
    errors; ``early``: it stopped since the verdict was settled; ``refused``: why no item was opened (empty: they
    were)."""

    old: Mapping[str, Outputs]
    new: Mapping[str, Outputs]
    terms: Terms
    noise: tuple[Noise, ...]
    early: bool = False
    refused: str = ""


def in_order(items: Sequence[Item]) -> tuple[Item, ...]:
    """The items in an order that has nothing to do with what they are about, so that the first ones stand for all."""
    return tuple(sorted(items, key=lambda item: hashlib.sha256(item.id.encode("utf-8", "surrogatepass")).digest()))


def inputs_of(item: Item) -> str:
    """A hash of what an item asks and is graded by."""
    checks = [
        [one.kind, one.value, one.threshold, one.weight, one.negated, dict(one.options), *_set_of(one)]
        for one in item.checks
    ]
    return data_hash([dict(item.variables), checks, item.threshold])[:12]


def _set_of(check: Check) -> list[object]:
    return [] if check.group is None else [check.group.threshold, check.group.weight]


def requests_of(job: Job) -> dict[str, Request]:
    """Every request of the run by id, without those of the judge. Raises SuiteError for what cannot be filled: before
    anything is spent."""
    sides = [OLD, NEW]
    found: dict[str, Request] = {}
    for number, item in enumerate(job.items):
        again = [AGAIN] if job.suite.repeat == 1 and number < NOISE_ITEMS else []
        for side in [*sides, *again]:
            for repeat in range(job.suite.repeat):
                request = _request(job, item, side, repeat)
                found[request.id] = request
    return found


def _request(job: Job, item: Item, side: str, repeat: int) -> Request:
    prompt = job.compared.after if side == NEW else job.compared.before
    call = job.call
    tools, _ = tools_of(call)
    try:
        texts = sent(prompt, job.compared.before, call, item.variables)
        return request_of(
            f"{item.id}/{side}/{repeat}",
            job.model,
            texts.messages,
            system=texts.system,
            tools=tools,
            cache=cached_for(call),
            metadata=job.metadata,
        )
    except FillingError as error:
        path, _, line = item.place.rpartition(":")
        raise SuiteError(path, int(line), str(error)) from None
    except ParameterError as error:
        raise SuiteError(job.suite.path, None, str(error)) from None


class Runner:
    """One run."""

    def __init__(
        self,
        job: Job,
        asker: Asker,
        told: Callable[[int, int], None] = lambda done, total: None,  # noqa: ARG005
        ahead: Asker | None = None,
    ) -> None:
        """``told`` is called after each wave with the items that are done and all of them. ``ahead``: asks everything
        but the judge at once, before the first wave. Raises SuiteError."""
        self._job, self._asker, self._told = job, asker, told
        self._ahead = ahead
        self._requests = requests_of(job)
        self._answers: dict[str, Answer] = {}
        self._old: dict[str, Outputs] = {}
        self._new: dict[str, Outputs] = {}
        self._terms = job.terms
        self._asked = 0
        self._unrecorded: list[str] = []
        self._unread: list[str] = []

    def run(self) -> Ran:
        """Ask and grade. Raises what the asker raises, and CannotCallError where a recording lacks many answers."""
        job = self._job
        self._terms = replace(job.terms, judge=measured(job.suite, self._replies, self._unread.append))
        self._recorded()
        weak = judged((), self._terms).reason if self._terms.judge is not None else ""
        if weak.startswith("the judge"):
            count = len(self._unread)
            return self._ended((), refused=weak + (f" ({count} of its replies had no verdict)" if count else ""))
        if self._ahead is not None and self._requests:
            self._answers.update(self._ahead.ask(list(self._requests.values())))
        noise = self._noise(job.items[:NOISE_ITEMS]) if job.items else ()
        loud = [one for one in noise if one.too_noisy and one.items >= NOISE_ITEMS // 2]
        if loud:
            return self._ended(noise, refused=_noisy(loud[0]))
        done: list[Item] = []
        for wave in _waves(job.items):
            self._grade(wave)
            done += wave
            self._told(len(done), len(job.items))
            if len(done) < len(job.items) and stops_early([*job.earlier, *self._pairs(done)], self._terms):
                return self._ended(noise, early=True)
        self._recorded()
        return self._ended(noise)

    def _replies(self, requests: Sequence[Request]) -> Mapping[str, Answer]:
        answers = self._asker.ask(requests)
        # A recording made by hand may go without the second answers of the noise floor.
        needed = {name: one for name, one in answers.items() if not name.endswith(f"/{AGAIN}/0")}
        self._asked += len(needed)
        self._unrecorded += [name for name, one in needed.items() if one.error == UNRECORDED]
        return answers

    def _recorded(self) -> None:
        """Raises CannotCallError where so many answers are not in the recording that nothing could pass: that is no
        look at the items."""
        count = len(self._unrecorded)
        if count > MOST_UNPAIRED * self._asked:
            raise CannotCallError(
                f"the recording has no answer to {count} of {self._asked} requests, the first {self._unrecorded[0]!r} "
                "(test, prompt, repetition); record them too, or take out the tests that it lacks; nothing was proved"
            )

    def _ended(self, noise: tuple[Noise, ...], *, early: bool = False, refused: str = "") -> Ran:
        return Ran(self._old, self._new, self._terms, noise, early, refused)

    def _pairs(self, items: Sequence[Item]) -> list[Pair]:
        old = {name: one.grades for name, one in self._old.items()}
        new = {name: one.grades for name, one in self._new.items()}
        return proof_pairs(items, old, new, self._terms.method)

    def _ask(self, items: Sequence[Item], sides: Sequence[str]) -> None:
        wanted = [
            name
            for item in items
            for side in sides
            for repeat in range(self._job.suite.repeat)
            if (name := f"{item.id}/{side}/{repeat}") in self._requests and name not in self._answers
        ]
        if wanted:
            self._answers.update(self._replies([self._requests[name] for name in wanted]))

    def _noise(self, items: Sequence[Item]) -> tuple[Noise, ...]:
        """The original prompt against itself: a second answer, or the first two repeats."""
        second = (AGAIN, 0) if self._job.suite.repeat == 1 else (OLD, 1)
        self._ask(items, tuple(dict.fromkeys((OLD, second[0]))))
        cases = [
            Case(f"{item.id}/noise", item.checks, self._answer(item, OLD, 0), self._answer(item, *second))
            for item in items
        ]
        said = judge_says(cases, self._job.suite.judge, self._replies)
        grades: dict[str, list[tuple[float | None, float | None]]] = {}
        for item, case in zip(items, cases, strict=True):
            if case.other is None:
                continue
            first = _graded(item, case.answer, said[case.id][0])
            other = _graded(item, case.other, said[case.id][1])
            for number, check in enumerate(item.checks):
                if check.weight > 0 and first.parts and other.parts:
                    pair = _score(check, first, number), _score(check, other, number)
                    grades.setdefault(check.kind, []).append(pair)
        return noise_floor(grades)

    def _answer(self, item: Item, side: str, repeat: int) -> Answer:
        return self._answers.get(f"{item.id}/{side}/{repeat}", Answer("", error=UNRECORDED))

    def _grade(self, items: Sequence[Item]) -> None:
        self._ask(items, (OLD, NEW))
        repeats = range(self._job.suite.repeat)
        cases = {
            (item.id, repeat): Case(
                f"{item.id}/{repeat}", item.checks, self._answer(item, OLD, repeat), self._answer(item, NEW, repeat)
            )
            for item in items
            for repeat in repeats
        }
        said = judge_says(list(cases.values()), self._job.suite.judge, self._replies)
        for item in items:
            own = [cases[item.id, repeat] for repeat in repeats]
            news = [case.other for case in own if case.other is not None]
            self._old[item.id] = Outputs(
                tuple(case.answer for case in own),
                tuple(_graded(item, case.answer, said[case.id][0]) for case in own),
            )
            self._new[item.id] = Outputs(
                tuple(news),
                tuple(_graded(item, new, said[case.id][1]) for case, new in zip(own, news, strict=True)),
            )


def _graded(item: Item, answer: Answer, says: Mapping[int, object]) -> ItemGrade:
    """The grade of an answer; none where there was no answer."""
    if answer.error:
        return ItemGrade(None, None, ())
    return grade_item(answer, item.checks, item.threshold, says)  # type: ignore[arg-type]


def _score(check: Check, grade: ItemGrade, number: int) -> float | None:
    part = grade.parts[number]
    if part.passed is None:
        return None
    graded = grader_modules()[check.kind].GRADED and check.threshold is None
    return part.score if graded and not compares_answers(check) else float(part.passed)


def _waves(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    return (items[start : start + WAVE] for start in range(0, len(items), WAVE))


def _noisy(noise: Noise) -> str:
    return (
        f"{noise.grader} grades two answers of the original prompt differently on {noise.discordance:.0%} of "
        f"{noise.items} items; lower the temperature, or take another grader"
    )
