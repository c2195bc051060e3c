"""Cache usage of the local server: minimum, lifetime, order and refusals, through real boto3."""

from __future__ import annotations

import json
from typing import Any

import pytest
from bedrock_client import HELLO, MODEL, client
from botocore.exceptions import ClientError

from promptslim.verify.local.answers import echo
from promptslim.verify.local.server import LocalServer
from promptslim.verify.local.service import Service

LONG = "Policy text that never changes and goes on and on. " * 160
POINT = {"cachePoint": {"type": "default"}}


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def cached() -> Any:
    clock = Clock()
    with LocalServer(Service(echo, clock=clock)) as running:
        yield client(running.url), clock


def usage(bedrock: Any, system: list[Any], model: str = MODEL, messages: Any = HELLO) -> tuple[int, int, int]:
    said = bedrock.converse(modelId=model, system=system, messages=messages)["usage"]
    return said["inputTokens"], said["cacheReadInputTokens"], said["cacheWriteInputTokens"]


def test_a_prefix_is_written_then_read_until_its_lifetime_ends(cached: Any) -> None:
    bedrock, clock = cached
    system = [{"text": LONG}, POINT]
    fresh, read, written = usage(bedrock, system)
    assert fresh < 20 < 1024 < written
    assert read == 0
    clock.now += 299
    assert usage(bedrock, system) == (fresh, written, 0)
    clock.now += 299
    assert usage(bedrock, system) == (fresh, written, 0), "a hit starts the lifetime anew"
    clock.now += 301
    assert usage(bedrock, system) == (fresh, 0, written)


def test_an_hour_lasts_longer_and_is_told_apart(cached: Any) -> None:
    bedrock, clock = cached
    system = [{"text": LONG}, {"cachePoint": {"type": "default", "ttl": "1h"}}]
    model = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
    long = [{"text": LONG * 4}, system[1]]
    details = bedrock.converse(modelId=model, system=long, messages=HELLO)["usage"]["cacheDetails"]
    assert [one["ttl"] for one in details] == ["1h"]
    clock.now += 3000
    assert usage(bedrock, long, model)[2] == 0
    assert usage(bedrock, system, model)[1:] == (0, 0), "below the minimum of 4,096 nothing is cached"


def test_a_changed_byte_before_the_point_misses(cached: Any) -> None:
    bedrock, _ = cached
    usage(bedrock, [{"text": LONG}, POINT])
    assert usage(bedrock, [{"text": f"!{LONG}"}, POINT])[1] == 0


def test_the_point_that_moves_with_a_conversation_reads_what_stood_before(cached: Any) -> None:
    bedrock, _ = cached
    first = [{"role": "user", "content": [{"text": LONG}, POINT]}]
    frame, _, written = usage(bedrock, [], messages=first)
    second = [
        {"role": "user", "content": [{"text": LONG}]},
        {"role": "assistant", "content": [{"text": "Yes."}]},
        {"role": "user", "content": [{"text": "And then?"}, POINT]},
    ]
    fresh, read, more = usage(bedrock, [], messages=second)
    assert read == written
    assert fresh <= 2 * frame
    assert 0 < more < 30


def test_a_hit_starts_the_lifetime_of_what_was_read_anew(cached: Any) -> None:
    bedrock, clock = cached
    first = [{"role": "user", "content": [{"text": LONG}, POINT]}]
    _, _, written = usage(bedrock, [], messages=first)
    clock.now += 200
    turns = [
        {"role": "assistant", "content": [{"text": "Yes."}]},
        {"role": "user", "content": [{"text": "So?"}, POINT]},
    ]
    assert usage(bedrock, [], messages=[{"role": "user", "content": [{"text": LONG}]}, *turns])[1] == written
    clock.now += 200
    assert usage(bedrock, [], messages=first)[1:] == (written, 0)


@pytest.mark.parametrize(
    ("system", "said"),
    [
        ([{"text": LONG}, POINT, {"text": "b"}, {"cachePoint": {"type": "default", "ttl": "1h"}}], "1h"),
        ([block for number in range(5) for block in ({"text": f"{number}{LONG}"}, POINT)], "maximum of 4"),
        ([POINT, {"text": LONG}], "first block"),
    ],
)
def test_points_that_the_service_refuses(cached: Any, system: list[Any], said: str) -> None:
    bedrock, _ = cached
    with pytest.raises(ClientError, match=said):
        usage(bedrock, system, "us.anthropic.claude-sonnet-5")


def test_points_in_invoke_model_of_claude_and_nova(cached: Any) -> None:
    bedrock, _ = cached
    block = {"type": "text", "text": LONG, "cache_control": {"type": "ephemeral"}}
    claude = {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 9,
        "system": [block],
        "messages": [{"role": "user", "content": "hi"}],
    }
    nova = {
        "system": [{"text": LONG, "cachePoint": {"type": "default"}}],
        "messages": [{"role": "user", "content": [{"text": "hi"}]}],
    }
    for model, body, names in (
        (MODEL, claude, ("cache_creation_input_tokens", "cache_read_input_tokens")),
        ("us.amazon.nova-pro-v1:0", nova, ("cacheWriteInputTokenCount", "cacheReadInputTokenCount")),
    ):
        answers = [bedrock.invoke_model(modelId=model, body=json.dumps(body)) for _ in range(2)]
        first, second = (json.loads(answer["body"].read())["usage"] for answer in answers)
        assert first[names[0]] == second[names[1]] > 1024
        assert first[names[1]] == second[names[0]] == 0
