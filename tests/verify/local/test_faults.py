"""Every fault of the local server as real boto3 sees it, and throttling by quota."""

from __future__ import annotations

from typing import Any

import pytest
from bedrock_client import HELLO, MODEL, client
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EventStreamError,
    ReadTimeoutError,
)
from urllib3.exceptions import HTTPError

from promptslim.verify.local.answers import echo
from promptslim.verify.local.faults import EXCEPTIONS, IN_STREAMS, Faults
from promptslim.verify.local.quota import Quota
from promptslim.verify.local.server import LocalServer
from promptslim.verify.local.service import Service


@pytest.fixture(scope="module")
def server() -> Any:
    with LocalServer(Service(echo)) as running:
        yield running


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_an_exception_has_its_name_and_status(server: LocalServer, name: str) -> None:
    server.service.faults.order(name)
    with pytest.raises(ClientError) as error:
        client(server.url).converse(modelId=MODEL, messages=HELLO)
    assert error.value.response["Error"]["Code"] == name
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == EXCEPTIONS[name]


@pytest.mark.parametrize("name", IN_STREAMS)
def test_an_exception_in_the_middle_of_a_stream(server: LocalServer, name: str) -> None:
    server.service.faults.order(f"stream:{name}")
    received: list[Any] = []
    stream = client(server.url).converse_stream(modelId=MODEL, messages=HELLO)["stream"]
    with pytest.raises(EventStreamError, match=name):
        received.extend(stream)
    assert len(received) == 2


def test_a_timeout_in_the_middle_of_an_invoke_stream(server: LocalServer) -> None:
    server.service.faults.order("stream:modelTimeoutException")
    body = '{"anthropic_version": "x", "max_tokens": 9, "messages": [{"role": "user", "content": "a b c d e f g"}]}'
    with pytest.raises(EventStreamError, match="modelTimeoutException"):
        list(client(server.url).invoke_model_with_response_stream(modelId=MODEL, body=body)["body"])


def test_resets_stalls_and_malformed_answers(server: LocalServer) -> None:
    bedrock = client(server.url, read_timeout=0.2)
    server.service.faults.order("reset", "malformed", "stall:0.5", "stream:reset", "stream:malformed")
    with pytest.raises(ConnectionClosedError):
        bedrock.converse(modelId=MODEL, messages=HELLO)
    # botocore takes an answer that is not JSON for a message without fields.
    assert "output" not in bedrock.converse(modelId=MODEL, messages=HELLO)
    with pytest.raises(ReadTimeoutError):
        bedrock.converse(modelId=MODEL, messages=HELLO)
    with pytest.raises(HTTPError):
        list(bedrock.converse_stream(modelId=MODEL, messages=HELLO)["stream"])
    with pytest.raises(Exception, match=r"[Cc]hecksum"):
        list(bedrock.converse_stream(modelId=MODEL, messages=HELLO)["stream"])


def test_boto3_retries_what_it_should(server: LocalServer) -> None:
    server.service.faults.order("InternalServerException", "ServiceUnavailableException")
    answer = client(server.url, attempts=3).converse(modelId=MODEL, messages=HELLO)
    assert answer["ResponseMetadata"]["RetryAttempts"] == 2


def test_a_fault_that_is_not_known_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="unknown fault 'Throttle'; known are AccessDenied"):
        Faults(["Throttle"])


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_quota_reserves_the_cap_and_settles_by_burndown() -> None:
    clock = Clock()
    # 1,000 per minute: a cap of 900 leaves no room for a second request at once, and gives it back at its end.
    with LocalServer(Service(echo, quota=Quota(1000, clock=clock))) as running:
        bedrock = client(running.url)
        small = {"modelId": "us.amazon.nova-lite-v1:0", "messages": HELLO}
        bedrock.converse(**small, inferenceConfig={"maxTokens": 900})
        bedrock.converse(**small, inferenceConfig={"maxTokens": 900})
        with pytest.raises(ClientError, match="ThrottlingException"):
            bedrock.converse(**small, inferenceConfig={"maxTokens": 1200})
        with pytest.raises(ClientError, match="Too many tokens"):
            bedrock.converse(**small)
        clock.now += 60
        claude = {"modelId": MODEL, "messages": [{"role": "user", "content": [{"text": "word " * 150}]}]}
        used = bedrock.converse(**claude, inferenceConfig={"maxTokens": 700})["usage"]
        left = 1000 - used["inputTokens"] - 5 * used["outputTokens"]
        with pytest.raises(ClientError, match="ThrottlingException"):
            bedrock.converse(**small, inferenceConfig={"maxTokens": max(1, left)})
        clock.now += 60
        bedrock.converse(**small, inferenceConfig={"maxTokens": 900})


def test_requests_per_minute() -> None:
    clock = Clock()
    with LocalServer(Service(echo, quota=Quota(None, 2, clock=clock))) as running:
        bedrock = client(running.url)
        for _ in range(2):
            bedrock.converse(modelId=MODEL, messages=HELLO)
        with pytest.raises(ClientError, match="Too many requests"):
            bedrock.converse(modelId=MODEL, messages=HELLO)
        clock.now += 30
        bedrock.converse(modelId=MODEL, messages=HELLO)
