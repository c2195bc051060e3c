"""The engine with the real catalog and rules, over facts built by hand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from promptslim.catalog import load as load_catalog
from promptslim.check import engine
from promptslim.check.engine import Outcome, Plan
from promptslim.check.rule_context import RunContext
from promptslim.config.settings import configure, resolve
from promptslim.core.facts import FileFacts
from promptslim.tokens.counter import Counter

CATALOG = load_catalog()
SETTINGS = resolve(configure("/", isolated=True))
ONE = "client.converse(modelId=M)\n"


def run(files: Iterable[FileFacts], rules: Iterable[str] = ("PS101", "PS901", "PS902"), **changes: object) -> Outcome:
    files = tuple(files)
    plan = Plan(
        rules=tuple(rule for rule in CATALOG.rules if rule.code in rules),
        codes={key: rule.code for rule in CATALOG.rules for key in (rule.code, rule.name)},
        options=lambda rule: rule.options,
        ignored_in=lambda path: (),
    )
    context = RunContext(CATALOG, SETTINGS, date(2026, 11, 23), Counter)
    return engine.check(files, {file.path for file in files}, lambda: context, replace(plan, **changes))


def found(outcome: Outcome) -> list[tuple[str, str, int]]:
    return [(one.code, one.primary.path, one.primary.start[0]) for one in outcome.result.findings]
