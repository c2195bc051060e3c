"""The grade of an item: what its graders say, together."""

from __future__ import annotations

import importlib
import math
import pkgutil
from collections.abc import Mapping, Sequence
from functools import cache
from types import ModuleType

from promptslim.core.record import record
from promptslim.verify import graders
from promptslim.verify.answer import Answer, Check, CheckSet, Grade


@record
class ItemGrade:
    """An item's score in [0, 1] and whether it passes; None where a grader that counts could not judge. ``parts`` are
    the grades of its checks, in order."""

    score: float | None
    passed: bool | None
    parts: tuple[Grade, ...]


@cache
def grader_modules() -> Mapping[str, ModuleType]:
    """Assertion type -> the module that grades it."""
    modules = [
        importlib.import_module(f"{graders.__name__}.{one.name}") for one in pkgutil.iter_modules(graders.__path__)
    ]
    return {kind: module for module in modules for kind in module.KINDS}


def problem(check: Check) -> str | None:
    """What is wrong with a check, before anything is spent; None: nothing."""
    found: str | None = grader_modules()[check.kind].check(check)
    return found


def is_graded(checks: Sequence[Check]) -> bool:
    """Whether the checks that count give scores between 0 and 1, which no threshold turns into pass or fail."""
    return any(_gives_score(check) for check in checks)


def _gives_score(check: Check) -> bool:
    if not check.weight or check.threshold is not None:
        return False
    if check.group is not None and (check.group.threshold is not None or not check.group.weight):
        return False
    graded: bool = grader_modules()[check.kind].GRADED
    return graded


def grade_of(answer: Answer, check: Check) -> Grade:
    """What the grader of a check says; ``not-`` turns it round, but no grade stays none."""
    grade: Grade = grader_modules()[check.kind].grade(answer, check)
    return turned(grade, check)


def turned(grade: Grade, check: Check) -> Grade:
    """A grade, or the opposite where the check is negated."""
    if not check.negated or grade.score is None:
        return grade
    return Grade(1 - grade.score, not grade.passed, f"not: {grade.reason}")


def asks_judge(check: Check) -> bool:
    """Whether a check is graded by what a judge says of one answer, see ``judge``."""
    return getattr(grader_modules()[check.kind], "ASKS", False)


def compares_answers(check: Check) -> bool:
    """Whether a check is graded by what a judge says of the answers of both prompts."""
    return getattr(grader_modules()[check.kind], "COMPARES", False)


def question_of(kind: str) -> str:
    """What a judge is asked by the graders of a kind, with places for criterion and answers."""
    question: str = grader_modules()[kind].QUESTION
    return question


def grade_item(
    answer: Answer,
    checks: Sequence[Check],
    threshold: float | None = None,
    judged: Mapping[int, Grade] | None = None,
) -> ItemGrade:
    """The weighted mean of all checks; ``judged`` are the grades of those that a judge has given, by their number.

    An item passes where each check that has a weight passes, or with ``threshold`` where the mean reaches it. One that
    could not be judged leaves the item without a grade, unless it fails whatever the grader would have said. The
    checks of a set count as one.
    """
    given = judged or {}
    parts = tuple(
        turned(given[number], check) if number in given else grade_of(answer, check)
        for number, check in enumerate(checks)
    )
    score, passed = _together(_counted(checks, parts), threshold)
    return ItemGrade(score, passed, parts)


def _counted(checks: Sequence[Check], parts: Sequence[Grade]) -> list[tuple[float, tuple[float | None, bool | None]]]:
    """Weight, score and pass of what counts for an item: checks that stand alone, and sets."""
    members: dict[CheckSet | int, list[tuple[float, tuple[float | None, bool | None]]]] = {}
    for number, (check, part) in enumerate(zip(checks, parts, strict=True)):
        members.setdefault(number if check.group is None else check.group, []).append(
            (check.weight, (part.score, part.passed))
        )
    found = []
    for key, inner in members.items():
        found += [(key.weight, _together(inner, key.threshold))] if isinstance(key, CheckSet) else inner
    return found


def _together(
    counted: Sequence[tuple[float, tuple[float | None, bool | None]]], threshold: float | None
) -> tuple[float | None, bool | None]:
    counted = [one for one in counted if one[0] > 0]
    total = math.fsum(weight for weight, _ in counted)
    known = [(weight, score, passed) for weight, (score, passed) in counted if score is not None]
    complete = len(known) == len(counted)
    score = math.fsum(weight * score for weight, score, _ in known) / total if complete and total else None
    if threshold is not None:
        return score, None if score is None else score >= threshold
    if any(passed is False for _, (_, passed) in counted):
        return score, False
    return score, True if complete and total else None
