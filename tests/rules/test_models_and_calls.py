"""Dates, prices, timeouts and cost arithmetic, at their edges."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from run_rule import CLAUDE, DOCUMENT, cases, client, findings, made, system, user

from promptslim.core.call import ControlFacts, Loop
from promptslim.core.facts import FileFacts
from promptslim.core.text import Document, Location, Span
from promptslim.core.usage import UsageArithmetic
from promptslim.core.values import Known, Present, known, unknown

HAIKU_3 = "anthropic.claude-3-haiku-20240307-v1:0"
END = date(2026, 9, 10)


@pytest.mark.parametrize(
    ("today", "severity"),
    [(END - timedelta(91), None), (END - timedelta(90), "warning"), (END - timedelta(1), "warning"), (END, "error")],
)
def test_a_model_is_near_its_end_and_then_past_it(today: date, severity: str | None) -> None:
    found = findings("retired-model", made(model=known(HAIKU_3)), today)
    assert [one.severity for one in found] == ([severity] if severity else [])
    assert all(END.isoformat() in one.message for one in found)


def test_each_id_of_the_branches_is_judged_and_a_fallback_less_surely() -> None:
    models = cases((Known(HAIKU_3), "a"), (Known(CLAUDE), "b"), (Present("environment", HAIKU_3 + ""), "c"))
    (found,) = findings("retired-model", made(model=models))
    assert found.confidence == "high"
    (fallback,) = findings("retired-model", made(model=cases((Present("environment", HAIKU_3), None))))
    assert fallback.confidence == "medium"


def test_the_finding_stands_at_the_id_only_in_the_file_of_the_call() -> None:
    here = Location(DOCUMENT, Span(4, 7))
    there = Location(Document("src/settings.py", "MODEL = 1\n"), Span(0, 5))
    (near,) = findings("retired-model", made(model=known(HAIKU_3, here)))
    (far,) = findings("retired-model", made(model=known(HAIKU_3, there)))
    assert near.primary == here
    assert far.primary == made().primary


def test_the_saving_of_a_route_counts_the_visible_prompt() -> None:
    rules = "Sort the ticket into one of our forty queues by its first complaint. " * 100
    call = made(model=known("us.anthropic.claude-haiku-4-5-20251001-v1:0"), system=system(rules), messages=user(None))
    (found,) = findings("dearer-route", call)
    tokens = found.impact.usd_per_1k_calls / Decimal("0.1") * 1000
    assert 1000 < tokens < 2500
    assert found.impact.basis in ("counted", "estimated")
    assert "2026" in found.impact.source
    (bare,) = findings("dearer-route", made(model=known("us.anthropic.claude-haiku-4-5-20251001-v1:0")))
    assert bare.impact.usd_per_1k_calls is None


def test_a_prompt_over_a_price_cliff() -> None:
    line = "The committee met again in the autumn and found that the harvest had been poor in every valley.\n"
    model = known("global.anthropic.claude-haiku-5-5")
    over = made(model=model, messages=user(line * 8000))
    (found,) = findings("dearer-route", over)
    assert "over 100,000 tokens" in found.message
    assert found.severity == "warning"
    assert findings("dearer-route", made(model=model, messages=user(line * 1000))) == []


@pytest.mark.parametrize(
    ("cap", "settings", "expected"),
    [
        (7800, {}, 0),
        (7801, {}, 1),
        (7801, {"read_timeout": known(61.0)}, 0),
        (4096, {"read_timeout": known(20)}, 1),
        (64_000, {"read_timeout": unknown()}, 0),
        (64_000, {"attempts": known(1)}, 0),
        (64_000, {"attempts": unknown()}, 0),
        (64_000, {"attempts": known(5)}, 1),
        (64_000, {"constructor": None}, 0),
    ],
)
def test_an_answer_that_does_not_arrive_in_time(cap: int, settings: dict[str, object], expected: int) -> None:
    call = made(model=unknown(), max_tokens=known(cap), client=client(**settings))
    assert len(findings("retried-timeout", call)) == expected


def test_a_cap_above_the_model_limit_counts_as_the_limit() -> None:
    call = made(model=known("us.meta.llama3-1-70b-instruct-v1:0"), max_tokens=known(64_000), client=client())
    assert findings("retried-timeout", call) == []


def test_batch_prices_come_from_the_table() -> None:
    loop = ControlFacts(loop=Loop("for", "rows", DOCUMENT and made().primary, False, False))
    (priced,) = findings("batchable-loop", made(control=loop, model=known(CLAUDE), messages=user("Label: ", None)))
    assert "$0.5 in / $2.5 out per million tokens instead of $1 / $5" in priced.message
    (guess,) = findings("batchable-loop", made(control=loop, model=unknown(), messages=user("Label: ", None)))
    assert (priced.confidence, guess.confidence) == ("medium", "low")
    other = made(sdk="openai.chat", control=loop, model=known("acme/unheard-of"))
    assert findings("batchable-loop", other) == []


def arithmetic(**change: object) -> UsageArithmetic:
    values: dict[str, object] = {
        "location": Location(DOCUMENT, Span(0, 3)),
        "scope": "cost",
        "scope_span": Span(0, 20),
        "fields": ("inputTokens", "outputTokens"),
        "provider": "bedrock",
        "cached": False,
        "inclusive": False,
        "caching": True,
    }
    return UsageArithmetic(**{**values, **change})


@pytest.mark.parametrize(
    ("change", "with_calls", "confidence"),
    [
        ({}, True, "medium"),
        ({"caching": False}, True, None),
        ({"caching": False}, False, "low"),
        ({"cached": True}, True, None),
        ({"inclusive": True, "fields": ("prompt_tokens",)}, True, None),
        ({"fields": ("outputTokens",)}, True, None),
    ],
)
def test_cost_that_leaves_out_cached_tokens(
    change: dict[str, object], with_calls: bool, confidence: str | None
) -> None:
    calls = (made(),) if with_calls else ()
    file = FileFacts("src/app.py", (DOCUMENT,), calls, arithmetic=(arithmetic(**change),))
    found = findings("uncounted-cache-tokens", file)
    assert [one.confidence for one in found] == ([confidence] if confidence else [])
    assert all(one.scope == "cost" for one in found)
