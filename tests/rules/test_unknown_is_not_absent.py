"""What is not known is not claimed: a call of which nothing is known raises nothing, whatever rule looks at it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from run_rule import cases, client, findings, made, project, system, user

from promptslim.core.call import ClientFacts, ControlFacts, Loop, Retry, RetrySite
from promptslim.core.values import Absent, Present, Unknown, known, unknown

ON_CALLS = (
    "missing-max-tokens",
    "oversized-max-tokens",
    "starving-max-tokens",
    "wrong-cap-key",
    "retired-model",
    "dearer-route",
    "retried-timeout",
    "batchable-loop",
)
SDKS = (
    "boto3.converse",
    "boto3.invoke_model",
    "anthropic.messages",
    "openai.chat",
    "openai.responses",
    "litellm.completion",
    "langchain.ChatBedrock",
    "strands.Agent",
    "pydantic_ai.Agent",
)
FIELDS = ("model", "max_tokens", "system", "messages", "tools", "cache_points", "metadata", "thinking", "stream")
NOTHING = ClientFacts(None, None, unknown(), unknown(), unknown())


@given(sdk=st.sampled_from(SDKS), rule=st.sampled_from(ON_CALLS), kind=st.sampled_from(("request", "model", "agent")))
def test_a_call_of_which_nothing_is_known_is_silent(sdk: str, rule: str, kind: str) -> None:
    call = made(sdk=sdk, kind=kind, opaque=True, client=NOTHING, **{field: unknown("**kwargs") for field in FIELDS})
    assert findings(rule, call) == []


@settings(max_examples=60)
@given(
    sdk=st.sampled_from(SDKS),
    cap=st.sampled_from(
        [Unknown("parameter"), Present("environment"), Present("environment", 64_000), Present("environment", 1)]
    ),
    model=st.sampled_from(["us.amazon.nova-lite-v1:0", "us.anthropic.claude-opus-5-5", "o3"]),
    rule=st.sampled_from(ON_CALLS[:4]),
)
def test_a_cap_from_elsewhere_is_silent(sdk: str, cap: object, model: str, rule: str) -> None:
    call = made(
        sdk=sdk,
        model=known(model),
        max_tokens=cases((cap, None)),
        system=system("Answer with one word. Write at least 9000 words."),
        messages=user("Hello"),
        client=client(),
    )
    assert findings(rule, call) == []


@pytest.mark.parametrize("rule", ON_CALLS)
def test_branches_that_are_unknown_stay_silent_beside_a_fine_one(rule: str) -> None:
    cap = cases((Unknown("parameter"), "a"), (known(300).cases[0].value, "b"))
    assert findings(rule, made(model=known("acme.unheard-of-v1:0"), max_tokens=cap, messages=unknown())) == []


def test_untagged_invocation_needs_proof() -> None:
    opaque = made(metadata=unknown("**kwargs"))
    from_elsewhere = made(model=unknown("parameter"))
    assert findings("untagged-invocation", project([opaque, from_elsewhere])) == []
    assert len(findings("untagged-invocation", project([opaque, made()]))) == 1
    assert findings("untagged-invocation", project([made()], whole=False)) == []


def test_a_retry_of_unknown_cause_is_silent() -> None:
    call = made()

    def site(cause: str, evidence: str) -> RetrySite:
        retry = Retry(cause, call.primary, evidence)
        return RetrySite(retry, call.callee, call.scope, None, call.primary, call.sdk, direct=True)

    for cause in ("transport", "unknown"):
        assert findings("output-retry-loop", site(cause, "except Exception")) == []
    (found,) = findings("output-retry-loop", site("malformed", "except ValueError"))
    assert "`except ValueError`" in found.message
    assert found.related[0].location == call.primary


@pytest.mark.parametrize(
    "change", [{"attempts": True}, {"carried": True}, {"kind": "while"}, {"size": 3}, {"over": "models"}]
)
def test_batchable_loop_needs_independent_calls_over_data(change: dict[str, object]) -> None:
    loop = {"kind": "for", "over": "rows", "location": made().primary, "attempts": False, "carried": False}
    fine = made(control=ControlFacts(loop=Loop(**loop)), max_tokens=known(64), messages=user("Label: ", None))
    assert len(findings("batchable-loop", fine)) == 1
    assert findings("batchable-loop", made(control=ControlFacts(loop=Loop(**{**loop, **change})))) == []


def test_absent_is_reported_where_the_api_accepts_it() -> None:
    assert len(findings("missing-max-tokens", made(max_tokens=cases((Absent(), None))))) == 1
    assert findings("missing-max-tokens", made(sdk="anthropic.messages", max_tokens=cases((Absent(), None)))) == []
