"""What a model that judges is asked, what it says, and how often it errs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from promptslim.core.record import record
from promptslim.proof.judge import JudgeErrors
from promptslim.verify.answer import Answer, Check, Grade, ungradeable
from promptslim.verify.grading import asks_judge, compares_answers, grader_modules, turned
from promptslim.verify.request import Message, Request, request_of
from promptslim.verify.suite import Item, Judge, Suite

Ask = Callable[[Sequence[Request]], Mapping[str, Answer]]


@record
class Case:
    """Answers that a judge is to look at: ``id`` names them in the run, ``other`` is the answer of the shorter prompt
    where two are compared (None: only ``answer`` is judged)."""

    id: str
    checks: tuple[Check, ...]
    answer: Answer
    other: Answer | None = None


Judged = Mapping[int, Grade]
"""Number of a check -> what the judge says."""


def judged(cases: Sequence[Case], judge: Judge | None, ask: Ask) -> dict[str, tuple[Judged, Judged]]:
    """What the judge says of each case by its id: of ``answer`` and of ``other``."""
    if judge is None:
        return {case.id: ({}, {}) for case in cases}
    questions = {question.id: question for case in cases for question in questions_of(case, judge)}
    replies = ask(list(questions.values())) if questions else {}
    return {case.id: _grades(case, replies) for case in cases}


def questions_of(case: Case, judge: Judge) -> Iterator[Request]:
    """What the judge is asked about a case."""
    for number, check in enumerate(case.checks):
        module = grader_modules()[check.kind]
        texts: tuple[str, ...] = ()
        if asks_judge(check) and not case.answer.error:
            texts = module.questions(case.answer, check)
            yield from _requests(case, judge, number, "", texts)
        if asks_judge(check) and case.other is not None and not case.other.error:
            yield from _requests(case, judge, number, "new", module.questions(case.other, check))
        if compares_answers(check) and case.other is not None and not (case.answer.error or case.other.error):
            yield from _requests(case, judge, number, "", module.questions(case.answer, case.other, check))


def _requests(case: Case, judge: Judge, number: int, side: str, texts: Sequence[str]) -> Iterator[Request]:
    for turn, text in enumerate(texts):
        yield request_of(_name(case, number, side, turn), judge.model, (Message("user", text),))


def _name(case: Case, number: int, side: str, turn: int) -> str:
    return "/".join(part for part in (case.id, "judge", str(number), side, str(turn) if turn else "") if part)


def _grades(case: Case, replies: Mapping[str, Answer]) -> tuple[Judged, Judged]:
    first: dict[int, Grade] = {}
    second: dict[int, Grade] = {}
    for number, check in enumerate(case.checks):
        module = grader_modules()[check.kind]
        if asks_judge(check):
            first[number] = _said(module.judged, replies, [_name(case, number, "", 0)])
            if case.other is not None:
                second[number] = _said(module.judged, replies, [_name(case, number, "new", 0)])
        elif compares_answers(check):
            texts = [replies.get(_name(case, number, "", turn)) for turn in (0, 1)]
            known = tuple(one.text for one in texts if one is not None and not one.error)
            none = ungradeable("the judge gave no answer")
            first[number], second[number] = module.compared(known) if len(known) == len(texts) else (none, none)
    return first, second


def _said(grade: Callable[[tuple[str, ...]], Grade], replies: Mapping[str, Answer], names: Sequence[str]) -> Grade:
    found = [replies[name] for name in names if name in replies and not replies[name].error]
    return (
        grade(tuple(one.text for one in found)) if len(found) == len(names) else ungradeable("the judge gave no answer")
    )


def needs_judge(items: Sequence[Item]) -> bool:
    """Whether a judge grades anything that counts."""
    return any(
        check.weight > 0 and (asks_judge(check) or compares_answers(check)) for item in items for check in item.checks
    )


def labelled(items: Sequence[Item], judge: Judge) -> list[Case]:
    """The labelled answers as cases, in their order."""
    by_id = {item.id: item for item in items}
    cases = []
    for number, label in enumerate(judge.labels):
        checks = by_id[label.test].checks
        answer = Answer(label.output)
        if any(compares_answers(check) for check in checks):
            cases.append(Case(f"label/{number}", checks, Answer(label.original or ""), answer))
        else:
            cases.append(Case(f"label/{number}", checks, answer))
    return cases


def measured(suite: Suite, ask: Ask, unread: Callable[[str], None] = lambda case: None) -> JudgeErrors | None:  # noqa: ARG005
    """The errors of the suite's judge on its labelled answers; None where no judge grades. A reply without a verdict
    counts as an error, in the direction that hides a loss least; ``unread`` is told the case of each."""
    judge = suite.judge
    if judge is None or not needs_judge(suite.items):
        return None
    cases = labelled(suite.items, judge)
    said = judged(cases, judge, ask)
    counts = {(True, True): 0, (True, False): 0, (False, False): 0, (False, True): 0}
    for case, label in zip(cases, judge.labels, strict=True):
        first, second = said[case.id]
        grades = second if case.other is not None else first
        found = [turned(grade, case.checks[number]) for number, grade in grades.items()]
        if all(grade.gradeable for grade in found):
            passed = all(grade.passed for grade in found)
        else:
            passed = not label.passed
            unread(case.id)
        counts[label.passed, passed] += 1
    return JudgeErrors(
        good_passed=counts[True, True],
        good_failed=counts[True, False],
        bad_failed=counts[False, False],
        bad_passed=counts[False, True],
    )
