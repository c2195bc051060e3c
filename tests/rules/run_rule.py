"""Runs one rule function on calls built by hand, with the real catalog and counter."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from call_by_hand import call

from promptslim.catalog import load
from promptslim.check import loader
from promptslim.check.rule_context import RuleContext, RunContext
from promptslim.config.settings import configure, resolve
from promptslim.core.call import ClientFacts, LlmCall
from promptslim.core.facts import FileFacts, Project
from promptslim.core.finding import Finding
from promptslim.core.prompt import Hole, Literal, Prompt
from promptslim.core.text import Document, Location, Span
from promptslim.core.values import ABSENT, Case, Field, known, unknown
from promptslim.tokens.counter import Counter

SOURCE = "def run():\n    return client.converse(modelId=M, inferenceConfig={'maxTokens': CAP})\n"
DOCUMENT = Document("src/app.py", SOURCE)
TODAY = date(2026, 11, 23)
CLAUDE = "global.anthropic.claude-haiku-4-5-20251001-v1:0"


def findings(name: str, subject: object, today: date = TODAY, **options: object) -> list[Finding]:
    """What the rule says of ``subject``, with its page's options under ``options`` (``_`` for ``-``)."""
    catalog = load()
    meta = catalog.rule(name)
    assert meta is not None
    (rule,) = loader.load([meta])
    run = RunContext(catalog, resolve(configure("/")), today, Counter)
    chosen = {**meta.options, **{key.replace("_", "-"): value for key, value in options.items()}}
    return list(rule.function(subject, RuleContext(meta, chosen, run)))


def made(**fields: object) -> LlmCall:
    return call(DOCUMENT, **fields)


def text(*parts: str | None, role: str = "user") -> Prompt:
    """A prompt of literals; None is a hole."""
    place = Location(DOCUMENT, Span(0, 3))
    return Prompt("p", role, tuple(Hole("x") if part is None else Literal(part) for part in parts), place, place)


def system(*parts: str | None) -> Field[Prompt]:
    return known(text(*parts, role="system"))


def user(*parts: str | None) -> Field[tuple[Prompt, ...]]:
    return known((text(*parts),))


def cases(*pairs: tuple[object, str | None]) -> Field[object]:
    return Field(tuple(Case(value, condition) for value, condition in pairs))


def client(
    read_timeout: object = ABSENT, attempts: object = ABSENT, constructor: str | None = "boto3.client"
) -> ClientFacts:
    return ClientFacts(constructor, None, read_timeout, attempts, unknown() if constructor is None else ABSENT)


def project(calls: Iterable[LlmCall], whole: bool = True) -> Project:
    found = tuple(calls)
    return Project((FileFacts("src/app.py", (DOCUMENT,), found),), whole, found)
