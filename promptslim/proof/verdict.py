"""From the grades of both prompts to PASS, FAIL or INCONCLUSIVE.

Passing is what is guarded: a new prompt that is worse by the margin or more passes with a chance of at most the level
of the look. Everything that can go wrong on the way (grades that are missing, a judge who errs, items that belong
together) makes passing harder, never easier.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

from promptslim.core.record import record
from promptslim.proof.betting import graded_items_needed, graded_lower, graded_passes, graded_upper, rejected_early
from promptslim.proof.judge import JUDGE_SHARE, LEAST_KAPPA, JudgeErrors
from promptslim.proof.looks import level_of
from promptslim.proof.paired import lower_bound, passes, upper_bound
from promptslim.proof.power import ASSUMED_DISCORDANCE, items_needed_exact
from promptslim.proof.proportions import clopper_pearson_upper, wilson

Decision = Literal["PASS", "FAIL", "INCONCLUSIVE"]
Method = Literal["pass-fail", "graded"]

_OPEN = "neither shown nor ruled out"
_NOT_RUN = "declared items were run"
_WEAK = "the original prompt is too weak to compare with"
_MEND = "improve it, or correct the tests that it fails"

MOST_UNPAIRED = 0.1
"""Share of items whose original answers may stay ungraded: such items drop out, and what is shown is shown of the
others."""

WEAK_SCORE = 4.0
"""Margins that the mean score of the original prompt has to hold at least, for graded scores."""


@record
class Pair:
    """One item under both prompts: the grades of its repeats in [0, 1], None where an answer could not be graded.

    ``cluster`` names the conversation or document that items have in common (empty: the item stands alone);
    ``slices`` are the critical slices it belongs to.
    """

    item: str
    old: tuple[float | None, ...]
    new: tuple[float | None, ...]
    cluster: str = ""
    slices: tuple[str, ...] = ()


@record
class Terms:
    """What was declared before any grade was seen.

    ``margin`` and ``alpha`` as fractions; ``method`` from ``method_of``. ``items``: the number that the look was
    declared for, with fewer of which nothing passes. ``look`` of ``looks`` declared ones (None: any number), see
    ``level_of``. ``judge``: the errors of the judge that grades, None for graders that do not err. ``critical``: the
    slices in which nothing may get worse. ``baseline``: the share of items that the original prompt has to be shown
    to pass, for pass/fail.
    """

    margin: float
    method: Method = "pass-fail"
    items: int = 0
    alpha: float = 0.05
    look: int = 1
    looks: int | None = 1
    judge: JudgeErrors | None = None
    critical: tuple[str, ...] = ()
    baseline: float = 0.5


@record
class Slice:
    """A critical slice: its items, those that got worse, those without a grade, and the exact 95 % bound of the
    regression rate that this number of items supports where none got worse."""

    name: str
    items: int
    worse: tuple[str, ...]
    ungraded: int
    upper: float


@record
class Outcome:
    """The verdict and the numbers behind it.

    ``items`` are the pairs that count (those with a grade of the original prompt), ``units`` the independent ones
    among them (clusters; the effective n); ``regressions`` and ``improvements`` count units. ``ungraded`` items have
    no new grade and count as regressions against passing only. ``loss`` is the mean loss of the units, ``lower`` and
    ``upper`` its one-sided bounds at ``level``, corrected for the judge (infinite where the judge shows nothing).
    ``old_score`` and ``new_score`` are means over items.
    """

    decision: Decision
    reason: str
    items: int
    units: int
    regressions: int
    improvements: int
    ungraded: int
    old_score: float
    new_score: float
    loss: float
    lower: float
    upper: float
    level: float
    critical: tuple[Slice, ...]


class _Row(NamedTuple):
    """One item with a grade of the original prompt; ``worst`` is the new grade with what is missing taken for 0."""

    pair: Pair
    old: float
    new: float | None
    worst: float


@record
class _Units:
    """Losses of independent units: as seen, and with every missing grade taken for the worst."""

    seen: tuple[float, ...]
    worst: tuple[float, ...]


def method_of(pairs: Sequence[Pair]) -> Method:
    """``pass-fail`` where every item stands alone, was run once and is graded 0 or 1, else ``graded``. To be asked of
    the suite's shape before the run, not of its result."""
    clusters = [pair.cluster for pair in pairs if pair.cluster]
    alone = len(set(clusters)) == len(clusters)
    binary = all(len(grades) == 1 and grades[0] in (0, 1, None) for grades in _distinct(pairs))
    return "pass-fail" if alone and binary else "graded"


def judged(pairs: Sequence[Pair], terms: Terms) -> Outcome:
    """The verdict on the grades of all items seen so far.

    Repeats are averaged per item, items per cluster, and each cluster counts once. Items that the original prompt's
    answers leave ungraded do not count. Raises ValueError for a margin or alpha outside (0, 1), grades outside
    [0, 1], an item that comes twice, repeats that differ in number between items or prompts, and a pass/fail proof
    of other items than ``method_of`` allows.
    """
    _check(pairs, terms)
    rows = _rows(pairs)
    units = _units(rows)
    level = level_of(terms.alpha, terms.look, terms.looks)
    factor, own = _judge(terms.judge, level)
    lower, upper = _bounds(units, terms.method, own, factor)
    slices = tuple(_slice(name, rows, terms.margin) for name in terms.critical)
    decision, reason = _decide(rows, len(pairs), units, terms, own, factor, lower, slices)
    n = len(units.seen)
    return Outcome(
        decision=decision,
        reason=reason,
        items=len(rows),
        units=n,
        regressions=sum(loss > 0 for loss in units.seen),
        improvements=sum(loss < 0 for loss in units.seen),
        ungraded=sum(row.new is None for row in rows),
        old_score=_average([row.old for row in rows]),
        new_score=_average([row.new for row in rows if row.new is not None]),
        loss=_average(units.seen),
        lower=lower,
        upper=upper,
        level=level,
        critical=slices,
    )


def stops_early(pairs: Sequence[Pair], terms: Terms) -> bool:
    """Whether the items seen so far settle that the verdict is FAIL: an item of a critical slice got worse, or the
    sequential test shows a loss above the margin. May be asked after every item: the test holds at any moment. Raises
    ValueError as ``judged`` does."""
    _check(pairs, terms)
    rows = _rows(pairs)
    if any(_slice(name, rows, terms.margin).worse for name in terms.critical):
        return True
    factor, level = _judge(terms.judge, level_of(terms.alpha, terms.look, terms.looks))
    if factor <= 0 or level <= 0:
        return False
    return rejected_early(_units(rows).seen, terms.margin, level)


def wants_items(outcome: Outcome) -> bool:
    """Whether more items could settle an open verdict: not where grades are missing, the original prompt is too weak or
    the judge errs too often."""
    return outcome.decision != "INCONCLUSIVE" or outcome.reason.endswith((_OPEN, _NOT_RUN))


def more_items(outcome: Outcome, pairs: Sequence[Pair], terms: Terms) -> int | None:
    """How many more units a further look needs for 80 % power if they are like those seen, at the level of the next
    look (of this one where no further was declared). 0 where nothing is missing; None where more would not help: the
    loss that is seen is not below the margin, or more than 20,000 units would be needed.
    """
    if outcome.decision == "PASS":
        return 0
    level = level_of(terms.alpha, terms.look + 1, terms.looks) or outcome.level or terms.alpha
    factor, own = _judge(terms.judge, level)
    margin = terms.margin * factor
    units = _units(_rows(pairs))
    if margin <= 0 or own <= 0 or _average(units.seen) >= margin:
        return None
    n = len(units.seen)
    if terms.method == "pass-fail":
        differing = sum(loss != 0 for loss in units.seen)
        seen = differing / n if differing else min(ASSUMED_DISCORDANCE, 1 / max(n, 1))
        wanted = items_needed_exact(seen, margin, level=own, loss=max(0.0, _average(units.seen)))
    else:
        wanted = graded_items_needed(units.seen or (0.0,), margin, level=own)
    return None if wanted is None else max(wanted - n, terms.items - len(pairs), 1)


def _check(pairs: Sequence[Pair], terms: Terms) -> None:
    if not (0 < terms.margin < 1 and 0 < terms.alpha < 1):
        raise ValueError("margin and alpha have to lie between 0 and 1")
    if len({pair.item for pair in pairs}) != len(pairs):
        raise ValueError("an item comes twice")
    distinct = _distinct(pairs)
    if len({len(grades) for grades in distinct}) > 1:
        raise ValueError("the number of repeats differs between items or prompts")
    for grade in {grade for grades in distinct for grade in grades}:
        if grade is not None and not 0 <= grade <= 1:
            raise ValueError(f"the grade {grade:g} lies outside 0 and 1")
    if terms.method == "pass-fail" and method_of(pairs) != "pass-fail":
        raise ValueError("a pass/fail proof takes items that stand alone, run once and graded 0 or 1")


def _distinct(pairs: Sequence[Pair]) -> set[tuple[float | None, ...]]:
    """The grades that occur: of a thousand pass/fail items there are three at most."""
    return {pair.old for pair in pairs} | {pair.new for pair in pairs}


def _rows(pairs: Sequence[Pair]) -> list[_Row]:
    means = {grades: _mean(grades) for grades in _distinct(pairs)}
    least = {grades: _least(grades) for grades in means}
    rows = []
    for pair in pairs:
        old, new = means[pair.old], means[pair.new]
        if old is not None:
            rows.append(_Row(pair, old, new, least[pair.new] if new is None else new))
    return rows


def _mean(grades: Sequence[float | None]) -> float | None:
    """The mean over repeats; None where one could not be graded, since the others may be the easier ones."""
    if len(grades) == 1:
        return grades[0]
    known = [grade for grade in grades if grade is not None]
    return math.fsum(known) / len(known) if known and len(known) == len(grades) else None


def _least(grades: Sequence[float | None]) -> float:
    """The mean with every missing grade taken for 0."""
    return math.fsum(grade for grade in grades if grade is not None) / max(len(grades), 1)


def _average(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else 0.0


def _units(rows: Sequence[_Row]) -> _Units:
    """Every item for itself, and every cluster as the mean of its items."""
    seen, worst = [], []
    clusters: dict[str, list[_Row]] = {}
    for row in rows:
        if row.pair.cluster:
            clusters.setdefault(row.pair.cluster, []).append(row)
            continue
        worst.append(row.old - row.worst)
        if row.new is not None:
            seen.append(row.old - row.new)
    for members in clusters.values():
        worst.append(_average([row.old - row.worst for row in members]))
        graded = [row.old - row.new for row in members if row.new is not None]
        if graded:
            seen.append(_average(graded))
    return _Units(tuple(seen), tuple(worst))


def _judge(errors: JudgeErrors | None, level: float) -> tuple[float, float]:
    """The factor by which the judge shrinks a loss, and what is left of the level for the items."""
    if errors is None:
        return 1.0, level
    return (errors.shrinkage(level * JUDGE_SHARE) if level else 0.0), level * (1 - JUDGE_SHARE)


def _bounds(units: _Units, method: Method, level: float, factor: float) -> tuple[float, float]:
    if factor <= 0 or level <= 0 or not units.seen:
        return -math.inf, math.inf
    if method == "pass-fail":
        b, c = _discordant(units.seen)
        worst_b, worst_c = _discordant(units.worst)
        lower = lower_bound(b, c, len(units.seen), level)
        upper = upper_bound(worst_b, worst_c, len(units.worst), level)
    else:
        lower, upper = graded_lower(units.seen, level), graded_upper(units.worst, level)
    # A judge hides a part of what there is, and the factor bounds from below how much it shows: it may show it all.
    return min(lower, lower / factor), max(upper, upper / factor)


def _discordant(losses: Sequence[float]) -> tuple[int, int]:
    return sum(loss > 0 for loss in losses), sum(loss < 0 for loss in losses)


def _slice(name: str, rows: Sequence[_Row], margin: float) -> Slice:
    """A pass/fail item got worse by any loss; a graded score by more than the margin."""
    members = [row for row in rows if name in row.pair.slices]
    worse = tuple(row.pair.item for row in members if row.new is not None and row.old - row.new > margin)
    ungraded = sum(row.new is None for row in members)
    upper = clopper_pearson_upper(0, len(members)) if members else 1.0
    return Slice(name, len(members), worse, ungraded, upper)


def _decide(
    rows: Sequence[_Row],
    given: int,
    units: _Units,
    terms: Terms,
    level: float,
    factor: float,
    lower: float,
    slices: Sequence[Slice],
) -> tuple[Decision, str]:
    hurt = [part for part in slices if part.worse]
    if hurt:
        return "FAIL", f"critical slice {hurt[0].name!r}: {len(hurt[0].worse)} of {hurt[0].items} items got worse"
    if terms.judge is not None and (terms.judge.kappa < LEAST_KAPPA or factor <= 0):
        return "INCONCLUSIVE", _weak_judge(terms.judge)
    if lower > terms.margin or (level > 0 and rejected_early(units.seen, terms.margin, level)):
        return "FAIL", f"the loss is shown to be above {_points(terms.margin)} points"
    missing = _missing(rows, given, terms, slices)
    if missing:
        return "INCONCLUSIVE", missing
    if level <= 0:
        return "INCONCLUSIVE", _spent(terms.looks or 1)
    if _shown(units.worst, terms, level, factor):
        return "PASS", f"the loss is shown to be at most {_points(terms.margin)} points"
    if units.worst != units.seen and _shown(units.seen, terms, level, factor):
        return "INCONCLUSIVE", "items without a grade could be regressions; grade them"
    return "INCONCLUSIVE", f"a loss of {_points(terms.margin)} points is {_OPEN}"


def _shown(losses: Sequence[float], terms: Terms, level: float, factor: float) -> bool:
    margin = terms.margin * factor
    if terms.method == "pass-fail":
        b, c = _discordant(losses)
        return passes(b, c, len(losses), margin, level)
    return graded_passes(losses, margin, level)


def _missing(rows: Sequence[_Row], given: int, terms: Terms, slices: Sequence[Slice]) -> str | None:
    """Why nothing can pass whatever the losses are."""
    if not rows:
        return "no item has a grade"
    if given < terms.items:
        return f"{given} of the {terms.items} {_NOT_RUN}"
    if given - len(rows) > MOST_UNPAIRED * given:
        return f"{given - len(rows)} of {given} answers of the original prompt have no grade"
    for part in slices:
        if not part.items:
            return f"critical slice {part.name!r} has no item"
        if part.ungraded:
            return f"critical slice {part.name!r}: {part.ungraded} of {part.items} items have no grade"
    if terms.method == "pass-fail":
        passed = sum(row.old > 0 for row in rows)
        if wilson(passed, len(rows), 0.9)[0] < terms.baseline:
            return f"{_WEAK}: it passes {passed} of {len(rows)} items; {_MEND}"
    elif (score := _average([row.old for row in rows])) < WEAK_SCORE * terms.margin:
        return f"{_WEAK}: it scores {score:.2f}; {_MEND}"
    return None


def _weak_judge(judge: JudgeErrors) -> str:
    return (
        f"the judge's own errors are too large: right on {judge.accuracy:.0%} of {judge.items} labelled items, "
        f"kappa {judge.kappa:.2f}; label more items or take another judge"
    )


def _spent(looks: int) -> str:
    declared = (
        "the one declared look at these tests is" if looks == 1 else f"all {looks} declared looks at these tests are"
    )
    return (
        f"{declared} spent; prove it on new tests, and declare before their first run how many looks it may take "
        f"(looks: {looks + 1})"
    )


def _points(share: float) -> str:
    return f"{100 * share:g}"
