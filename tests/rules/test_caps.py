"""Caps: branches, limits, demands and keys that a page cannot show well."""

from __future__ import annotations

import pytest
from run_rule import CLAUDE, DOCUMENT, cases, client, findings, made, system, user

from promptslim.core.call import CapKey
from promptslim.core.text import Document, Location, Span
from promptslim.core.values import ABSENT, Absent, Default, Known, known, unknown

ELSEWHERE = Location(Document("src/settings.py", "CAP = 64000\n"), Span(6, 11))


def inside() -> Location:
    start = DOCUMENT.text.index("CAP")
    return Location(DOCUMENT, Span(start, start + 3))


def test_the_branch_without_a_cap_is_named_once() -> None:
    cap = cases((Known(300), "short"), (Absent(), "not short"), (Absent(), "other"))
    (found,) = findings("missing-max-tokens", made(max_tokens=cap))
    assert "is set where `not short`:" in found.message
    (plain,) = findings("missing-max-tokens", made())
    assert "where" not in plain.message


def test_conditions_are_shown_on_one_line_and_cut() -> None:
    cap = cases((Known(300), "a"), (Absent(), "first(\n    argument,\n" + "x" * 200 + ")"))
    (found,) = findings("missing-max-tokens", made(max_tokens=cap))
    assert "\n" not in found.message
    assert len(found.message) < 420


@pytest.mark.parametrize(
    ("default", "reported"),
    [
        (Default(1024, "langchain-aws 1.9.1"), False),
        (Default(None, "pydantic-ai 2.68", "pydantic-ai sends the model's maximum for Claude"), True),
        (Default(None, "ollama", "the server's own default"), False),
    ],
)
def test_a_default_counts_as_a_cap_unless_it_is_the_maximum(default: Default[int], reported: bool) -> None:
    found = findings("missing-max-tokens", made(model=known(CLAUDE), max_tokens=cases((default, None))))
    assert [one.confidence for one in found] == (["low"] if reported else [])
    assert all("64,000 tokens" in one.message for one in found)


def test_agents_and_local_models_are_low() -> None:
    (agent,) = findings("missing-max-tokens", made(kind="agent", sdk="strands.Agent", model=unknown()))
    (local,) = findings("missing-max-tokens", made(sdk="litellm.completion", model=known("ollama/llama3.1")))
    (sure,) = findings("missing-max-tokens", made())
    assert [agent.confidence, local.confidence, sure.confidence] == ["low", "low", "high"]


def test_a_key_that_does_not_count_is_left_to_its_rule() -> None:
    key = CapKey("max_tokens", 300, inside())
    wrong = made(sdk="boto3.invoke_model", model=known("meta.llama3-8b-instruct-v1:0"), cap_keys=(key,))
    assert findings("missing-max-tokens", wrong) == []
    (found,) = findings("wrong-cap-key", wrong)
    assert found.primary == inside()
    assert "`max_gen_len`" in found.message


def test_the_body_prefix_of_a_key_is_no_part_of_it() -> None:
    key = CapKey("body.max_gen_len", 300, inside())
    call = made(sdk="boto3.invoke_model", model=known("meta.llama3-8b-instruct-v1:0"), cap_keys=(key,))
    assert findings("wrong-cap-key", call) == []


def test_a_key_is_wrong_only_for_the_models_of_every_branch() -> None:
    key = CapKey("max_tokens", 300, inside())
    models = cases((Known("meta.llama3-8b-instruct-v1:0"), "a"), (Known("mistral.mixtral-8x7b-instruct-v0:1"), "b"))
    assert findings("wrong-cap-key", made(sdk="boto3.invoke_model", model=models, cap_keys=(key,))) == []


def test_a_gateway_may_translate_the_key() -> None:
    key = CapKey("max_tokens", 300, inside())
    for constructor, expected in (("openai.OpenAI", 1), ("openai:AsyncOpenAI", 1), (None, 0), ("groq.Groq", 0)):
        call = made(sdk="openai.chat", model=known("o3-mini"), cap_keys=(key,), client=client(constructor=constructor))
        assert len(findings("wrong-cap-key", call)) == expected


def test_limits_are_read_with_a_tolerance_for_rounding() -> None:
    for cap, expected in ((10_000, 0), (10_240, 0), (10_241, 1)):
        call = made(model=known("us.amazon.nova-lite-v1:0"), max_tokens=known(cap))
        assert len(findings("oversized-max-tokens", call)) == expected


def test_a_cap_is_above_the_limit_only_if_it_is_for_every_branch_of_the_model() -> None:
    models = cases((Known("us.amazon.nova-lite-v1:0"), "a"), (Known(CLAUDE), "b"))
    assert findings("oversized-max-tokens", made(model=models, max_tokens=known(20_000))) == []
    assert len(findings("oversized-max-tokens", made(model=models, max_tokens=known(200_000)))) == 1


def test_the_place_is_the_number_inside_the_call_and_else_the_call() -> None:
    nova = known("us.amazon.nova-lite-v1:0")
    (near,) = findings("oversized-max-tokens", made(model=nova, max_tokens=known(64_000, inside())))
    (far,) = findings("oversized-max-tokens", made(model=nova, max_tokens=known(64_000, ELSEWHERE)))
    assert near.primary == inside()
    assert far.primary == made().primary
    assert [one.location for one in far.related] == [ELSEWHERE]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, 1),
        ({"tools": system("a tool")}, 0),
        ({"tools": unknown()}, 0),
        ({"thinking": known({"type": "enabled", "budget_tokens": 4000})}, 0),
        ({"thinking": known({"type": "disabled"})}, 1),
        ({"thinking": unknown()}, 0),
        ({"max_tokens": known(7999)}, 0),
        ({"model": unknown()}, 1),
        ({"model": known("us.anthropic.claude-opus-5-5")}, 0),
    ],
)
def test_a_large_cap_for_one_word(change: dict[str, object], expected: int) -> None:
    fields = {"model": known(CLAUDE), "max_tokens": known(16_000), "system": system("Answer with one word.")}
    assert len(findings("oversized-max-tokens", made(**{**fields, **change}))) == expected


def test_confidence_follows_the_place_of_the_demand() -> None:
    fields = {"model": known(CLAUDE), "max_tokens": known(16_000)}
    (high,) = findings("oversized-max-tokens", made(**fields, system=system("Answer yes or no.")))
    (medium,) = findings("oversized-max-tokens", made(**fields, messages=user(None, " Answer yes or no.")))
    assert (high.confidence, medium.confidence) == ("high", "medium")


def test_no_money_is_claimed_for_a_cap() -> None:
    for call in (made(), made(model=known("us.amazon.nova-lite-v1:0"), max_tokens=known(64_000))):
        for rule in ("missing-max-tokens", "oversized-max-tokens"):
            assert all(one.impact.usd_per_1k_calls is None for one in findings(rule, call))


def test_a_length_counts_only_with_a_clear_margin() -> None:
    for cap, expected in ((500, 1), (519, 1), (520, 0), (700, 0)):
        call = made(max_tokens=known(cap), messages=user("Write at least 500 words about ", None, "."))
        assert len(findings("starving-max-tokens", call)) == expected


def test_thinking_off_by_a_setting_of_the_file() -> None:
    call = made(sdk="openai.chat", model=known("gpt-5-mini"), max_tokens=known(200))
    assert len(findings("starving-max-tokens", call)) == 1
    document = Document("src/app.py", DOCUMENT.text + "REASONING = {'reasoning_effort': 'minimal'}\n")
    elsewhere = made(
        sdk="openai.chat",
        model=known("gpt-5-mini"),
        max_tokens=known(200),
        location=Location(document, made().location.span),
    )
    assert findings("starving-max-tokens", elsewhere) == []
    assert findings("starving-max-tokens", made(sdk="openai.chat", model=known("gpt-5-mini"), max_tokens=ABSENT)) == []
