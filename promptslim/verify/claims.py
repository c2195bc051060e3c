"""From a suite and the grades of its answers to what a proof takes: terms, pairs and sources."""

from __future__ import annotations

import math
import posixpath
from collections.abc import Mapping, Sequence

from promptslim.check.data_meaning import data_meaning
from promptslim.proof.betting import graded_items_needed, graded_smallest_margin
from promptslim.proof.canonical import data_hash
from promptslim.proof.judge import JudgeErrors
from promptslim.proof.lock import Grader, Source
from promptslim.proof.looks import level_of
from promptslim.proof.power import ASSUMED_DISCORDANCE, items_needed_exact, smallest_margin
from promptslim.proof.recompute import source_of
from promptslim.proof.verdict import Method, Pair, Terms
from promptslim.verify.answer import Check
from promptslim.verify.grading import ItemGrade, asks_judge, compares_answers, is_graded, question_of
from promptslim.verify.local_imports import local_imports
from promptslim.verify.suite import Item, Read, Suite, SuiteError

MOST_MARGIN = 0.5
"""A prompt that loses more than half of its items is no candidate, whatever is proved of it."""

_COMMON = 0.1


def proof_method(suite: Suite, items: Sequence[Item]) -> Method:
    """How items of a suite are to be proved, decided by its shape before any answer is seen: ``pass-fail`` where each
    stands alone, is run once and either passes or not, else ``graded``. An item whose checks give scores passes or
    not where it has a threshold."""
    clusters = [item.cluster for item in items if item.cluster]
    scores = any(item.threshold is None and is_graded(item.checks) for item in items)
    return "graded" if scores or suite.repeat > 1 or len(set(clusters)) < len(clusters) else "pass-fail"


def units_of(items: Sequence[Item]) -> int:
    """The number of independent units: clusters, and items that stand alone."""
    return len({item.cluster or f"\0{item.id}" for item in items})


def proof_margin(suite: Suite, items: Sequence[Item], discordance: float = ASSUMED_DISCORDANCE) -> float:
    """The margin that the suite states, else the smallest that its items can prove with 80 % power at the first look,
    if two equally good prompts differ on a share of ``discordance`` of them."""
    if suite.margin is not None:
        return suite.margin
    level, units = level_of(suite.alpha, 1, suite.looks), units_of(items)
    if proof_method(suite, items) == "pass-fail":
        return smallest_margin(units, discordance, level=level)
    return graded_smallest_margin(units, math.sqrt(discordance), level=level)


def proof_terms(suite: Suite, items: Sequence[Item], judge: JudgeErrors | None = None) -> Terms:
    """The terms of a proof on ``items`` of a suite. Raises SuiteError where they can prove no margin of sense."""
    margin = proof_margin(suite, items)
    if margin > MOST_MARGIN:
        raise SuiteError(suite.path, None, _too_few(suite, items))
    return Terms(
        margin=margin,
        method=proof_method(suite, items),
        items=len(items),
        alpha=suite.alpha,
        looks=suite.looks,
        judge=judge,
        critical=suite.critical,
    )


def _too_few(suite: Suite, items: Sequence[Item]) -> str:
    level = level_of(suite.alpha, 1, suite.looks)
    units = units_of(items)
    if proof_method(suite, items) == "pass-fail":
        wanted = items_needed_exact(ASSUMED_DISCORDANCE, _COMMON, level=level)
    else:
        spread = math.sqrt(ASSUMED_DISCORDANCE)
        wanted = graded_items_needed((spread, -spread), _COMMON, level=level)
    some = "tests" if units != 1 else "test"
    more = f"about {wanted - units:,} more" if wanted is not None and wanted > units else "more"
    return f"{units} independent {some} can prove nothing; a margin of {100 * _COMMON:g} points takes {more}"


def proof_pairs(
    items: Sequence[Item],
    old: Mapping[str, Sequence[ItemGrade]],
    new: Mapping[str, Sequence[ItemGrade]],
    method: Method,
) -> list[Pair]:
    """The pairs of items, from the grades of their repeats by item id. For ``graded`` an item that has no threshold
    counts by its score, any other by whether it passes. Raises KeyError for an item that was not run."""
    return [
        Pair(
            item.id, _grades(item, old[item.id], method), _grades(item, new[item.id], method), item.cluster, item.slices
        )
        for item in items
    ]


def _grades(item: Item, repeats: Sequence[ItemGrade], method: Method) -> tuple[float | None, ...]:
    if method == "graded" and item.threshold is None and is_graded(item.checks):
        return tuple(grade.score for grade in repeats)
    return tuple(None if grade.passed is None else float(grade.passed) for grade in repeats)


def proof_sources(suite: Suite, read: Read) -> tuple[tuple[Source, ...], tuple[Grader, ...]]:
    """The files of the eval set, and the graders with the Python files that they call, as a claim has them. Raises
    SuiteError for a file that is gone."""
    files = tuple(_source(path, suite, read) for path in suite.files)
    graders: dict[str, Grader] = {}
    for check in (check for item in suite.items for check in item.checks):
        settings = _settings(check, suite)
        key = data_hash(settings)
        if key not in graders:
            path = _python_file(check)
            imports = local_imports(path, read) if path else ()
            graders[key] = Grader(
                check.kind,
                key,
                _source(path, suite, read) if path else None,
                tuple(_source(one, suite, read) for one in imports),
            )
    return files, tuple(graders[key] for key in sorted(graders, key=lambda key: (graders[key].name, key)))


def _source(path: str, suite: Suite, read: Read) -> Source:
    data = read(path)
    if data is None:
        raise SuiteError(suite.path, None, f"there is no file {path!r}")
    return source_of(path, data, data_meaning)


def _settings(check: Check, suite: Suite) -> dict[str, object]:
    """What tells one grader from another; the values belong to the items, but for a Python file. Of a judge it is the
    model with its parameters, and the question."""
    judge = suite.judge if asks_judge(check) or compares_answers(check) else None
    asked = {} if judge is None else {"judge": [judge.model.id, dict(judge.model.parameters), question_of(check.kind)]}
    return {
        **asked,
        **({} if check.group is None else {"set": [check.group.threshold, check.group.weight]}),
        "type": check.kind,
        "negated": check.negated,
        "threshold": check.threshold,
        "weight": check.weight,
        "options": dict(check.options),
        "file": _python_file(check),
    }


def _python_file(check: Check) -> str | None:
    if check.kind != "python":
        return None
    from promptslim.verify.graders.python_file import place_of

    return posixpath.normpath(place_of(check)[0])
