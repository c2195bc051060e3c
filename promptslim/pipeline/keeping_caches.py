"""Fixing findings without making cached calls dearer."""

# pathlib costs more start-up time than everything in this module.
# ruff: noqa: PTH118, PTH123

from __future__ import annotations

import os
from collections.abc import Collection
from functools import partial
from typing import TYPE_CHECKING

from promptslim.check.cache_trap import by_id, place_of, traps
from promptslim.check.rule_context import RuleContext, RunContext
from promptslim.config.error import ConfigError
from promptslim.core.record import replace
from promptslim.edits.checked import touches
from promptslim.extract.definitions import definitions
from promptslim.pipeline.counting import Counting
from promptslim.pipeline.fixing import Analyse, Fixing, Judge, NotApplied, chosen_fix, fix_findings
from promptslim.report.trimming import trap_text
from promptslim.spend.usage_file import NAME, Usage, read_usage

if TYPE_CHECKING:
    from promptslim.check.engine import Outcome
    from promptslim.core.finding import Finding
    from promptslim.core.text import Applicability
    from promptslim.core.trimming import Trap
    from promptslim.pipeline.run import Run

MOST_TRIES = 4
"""Passes, each without the fixes of the prompts that fell into the trap before."""

PROMPT_RULE = "wasted-whitespace"
"""Under whose name models and prices are looked up: fixing has no rule of its own."""


def usage_of(run: Run) -> Usage | None:
    """The usage file of the project, None where it has none. Raises ConfigError."""
    folder = run.place.settings.folder or run.place.cwd
    path = os.path.join(folder, NAME)
    try:
        with open(path, encoding="utf-8") as file:
            return read_usage(file.read(), NAME)
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise ConfigError(f"{NAME}: cannot be read: {reason}; correct or remove the file") from None


def fix_and_keep_caches(run: Run, outcome: Outcome, level: Applicability, analyse: Analyse, judge: Judge) -> Fixing:
    """``fix_findings`` without the fixes that push a cached prefix under the cache minimum, each of which is told with
    the bill. Raises ConfigError for a usage file that cannot be used."""
    usage = usage_of(run)
    barred: dict[str, Trap] = {}
    fixing = fix_findings(run, outcome, level, analyse, judge)
    for _ in range(MOST_TRIES):
        fallen = _fallen(run, fixing, usage)
        if not fallen.keys() - barred.keys():
            break
        barred |= fallen
        judged = partial(_judged, judge, frozenset(barred))
        fixing = fix_findings(run, _without(outcome, run, barred), level, analyse, judged)
    else:
        fixing = Fixing(run, outcome)
    if not barred:
        return fixing
    left = tuple(_left(run, outcome.result.findings, level, barred))
    return replace(fixing, outcome=judge(fixing.run), not_applied=(*fixing.not_applied, *left))


def _fallen(run: Run, fixing: Fixing, usage: Usage | None) -> dict[str, Trap]:
    """The prompts whose calls get dearer, by their ids, each with the trap."""
    before = by_id(call for file in run.facts for call in file.calls)
    now = by_id(call for file in fixing.run.facts for call in file.calls)
    meta = run.catalog.rule(PROMPT_RULE)
    if meta is None or not fixing.changes:
        return {}
    counting = Counting(run.place.settings, run.place.cwd, precise=True)
    rule = RuleContext(meta, {}, RunContext(run.catalog, run.place.settings, run.today, counting.counter, before))
    found = [one for one in traps(before, now, rule, usage.hit_rate if usage else None) if one.refused]
    counting.save()
    return {prompt.id: trap for trap in found for prompt in definitions(run.facts) if place_of(prompt) in trap.prompts}


def _judged(judge: Judge, ids: Collection[str], run: Run) -> Outcome:
    return _without(judge(run), run, ids)


def _without(outcome: Outcome, run: Run, ids: Collection[str]) -> Outcome:
    """An outcome whose findings have no fix for some prompts."""
    prompts = [prompt for prompt in definitions(run.facts) if prompt.id in ids]
    findings = tuple(
        replace(one, fixes=tuple(fix for fix in one.fixes if not any(touches(prompt, fix.edits) for prompt in prompts)))
        for one in outcome.result.findings
    )
    return replace(outcome, result=replace(outcome.result, findings=findings))


def _left(run: Run, findings: Collection[Finding], level: Applicability, barred: dict[str, Trap]) -> list[NotApplied]:
    prompts = [prompt for prompt in definitions(run.facts) if prompt.id in barred]
    found: list[NotApplied] = []
    for finding in findings:
        fix = chosen_fix(finding, level)
        prompt = next((one for one in prompts if fix is not None and touches(one, fix.edits)), None)
        if fix is not None and prompt is not None:
            reason = f"{trap_text(barred[prompt.id])}; promptslim trim --accept-cache-loss would do it all the same"
            found.append(NotApplied(finding, fix, reason))
    return found
