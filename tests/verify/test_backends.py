"""Each backend against the local server (real boto3), recorded answers, and what they say of faults."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from asking_by_hand import MODEL, lead_to, request

from promptslim.core.call_fault import CallFault, CannotCallError
from promptslim.verify.answer import ToolCall
from promptslim.verify.backend import Backend, Options, open_backend
from promptslim.verify.local.answers import echo, in_turn
from promptslim.verify.local.server import LocalServer
from promptslim.verify.local.service import Service
from promptslim.verify.request import Message, Tool

CLAUDE = "us.anthropic.claude-sonnet-4-6"
PROFILE = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc"
LONG = "Policy text that never changes and goes on and on. " * 160


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    with LocalServer(Service(echo)) as running, pytest.MonkeyPatch.context() as patch:
        lead_to(running.url, patch)
        yield running


@pytest.fixture(scope="module")
def opened(server: LocalServer) -> Callable[..., Backend]:
    """Backends at the server: a client of boto3 takes half a second to make, and is made once."""
    return cache(lambda name, stream=False: open_backend(name, Options(stream=stream)))


@pytest.mark.parametrize("stream", [False, True])
def test_converse(server: LocalServer, opened: Callable[..., Backend], stream: bool) -> None:
    backend = opened("converse", stream)
    answer = backend.send(request(text="one two three four five", metadata={"run": "r-1"}))
    assert (answer.text, answer.stop, answer.error) == ("one two three four five", "end_turn", "")
    assert answer.usage is not None
    assert answer.usage.fresh > 0 < answer.usage.output
    assert answer.seconds is not None
    received = server.service.received[-1]
    assert received.operation == ("converse-stream" if stream else "converse")
    assert received.metadata == {"run": "r-1"}
    assert backend.send(request(text="one two three four five", max_tokens=2)).stop == "max_tokens"


@pytest.mark.parametrize(
    "model",
    [
        CLAUDE,
        "us.amazon.nova-lite-v1:0",
        "amazon.titan-text-express-v1",
        "us.meta.llama3-3-70b-instruct-v1:0",
        "us.meta.llama4-scout-17b-instruct-v1:0",
        "mistral.mistral-7b-instruct-v0:2",
        "us.deepseek.r1-v1:0",
        "cohere.command-r-v1:0",
        "openai.gpt-oss-20b-1:0",
        "mistral.pixtral-large-2502-v1:0",
        "qwen.qwen3-32b-v1:0",
    ],
)
def test_invoke_model_of_each_family(server: LocalServer, opened: Callable[..., Backend], model: str) -> None:
    backend = opened("invoke_model")
    answer = backend.send(request(text="one two three", model=model, system="Repeat.", max_tokens=200))
    assert "one two three" in answer.text
    assert answer.stop == "end_turn"
    assert answer.usage is not None
    assert answer.usage.fresh > 0 < answer.usage.output
    capped = backend.send(request(text="one two three four five six seven", model=model, max_tokens=2))
    assert capped.stop == "max_tokens"
    assert server.service.received[-1].operation == "invoke"


@pytest.mark.parametrize("name", ["converse", "invoke_model"])
@pytest.mark.parametrize(
    ("model", "ttl"), [(CLAUDE, "5m"), ("us.amazon.nova-pro-v1:0", "5m"), ("us.anthropic.claude-sonnet-5", "1h")]
)
def test_cached_tokens_are_told_apart(
    server: LocalServer, opened: Callable[..., Backend], name: str, model: str, ttl: str
) -> None:
    backend = opened(name)
    asked = request(model=model, system=name + LONG, cache=ttl)
    first, second = (backend.send(asked).usage for _ in range(2))
    assert first is not None
    assert second is not None
    written = first.write_1h if ttl == "1h" else first.write_5m
    assert written == second.read > 1024
    assert first.read == second.write_5m == second.write_1h == 0
    assert first.fresh == second.fresh < 30


@pytest.mark.parametrize("name", ["converse", "invoke_model"])
@pytest.mark.parametrize("model", [CLAUDE, "us.amazon.nova-pro-v1:0", "openai.gpt-oss-20b-1:0"])
def test_tool_calls(monkeypatch: pytest.MonkeyPatch, name: str, model: str) -> None:
    said = {"tools": [{"name": "find", "input": {"city": "Oslo"}}]}
    with LocalServer(Service(in_turn([said]))) as running:
        lead_to(running.url, monkeypatch)
        tool = Tool("find", {"type": "object"}, "Finds.")
        answer = open_backend(name, Options()).send(request(model=model, tools=(tool,), max_tokens=200))
    assert answer.tool_calls == (ToolCall("find", {"city": "Oslo"}),)
    assert (answer.stop, answer.text) == ("tool_use", "")


@pytest.mark.parametrize(
    ("fault", "kind", "billed", "throttled"),
    [
        ("ThrottlingException", "ThrottlingException", False, True),
        ("ModelNotReadyException", "ModelNotReadyException", False, True),
        ("ServiceUnavailableException", "ServiceUnavailableException", False, True),
        ("InternalServerException", "InternalServerException", True, False),
        ("ModelTimeoutException", "ModelTimeoutException", True, False),
        ("ModelErrorException", "ModelErrorException", True, False),
        ("reset", "connection", True, False),
        ("malformed", "malformed", True, False),
        ("empty", "malformed", True, False),
        ("stream:throttlingException", "ThrottlingException", True, True),
        ("stream:modelStreamErrorException", "ModelStreamErrorException", True, False),
        ("stream:internalServerException", "InternalServerException", True, False),
        ("stream:reset", "connection", True, False),
        ("stream:malformed", "malformed", True, False),
    ],
)
def test_faults_that_another_attempt_may_not_have(
    server: LocalServer, opened: Callable[..., Backend], fault: str, kind: str, billed: bool, throttled: bool
) -> None:
    backend = opened("converse", fault.startswith("stream:"))
    server.service.faults.order(fault)
    with pytest.raises(CallFault) as caught:
        backend.send(request())
    found = caught.value
    assert (found.kind, found.billed, found.throttled, found.again) == (kind, billed, throttled, True)
    assert backend.send(request()).text == "hello"


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("AccessDeniedException", "promptslim.aws.policy"),
        ("ValidationException", "change the request"),
        ("ResourceNotFoundException", "check the model id and the region"),
        ("ServiceQuotaExceededException", "higher quota"),
    ],
)
@pytest.mark.parametrize("name", ["converse", "invoke_model"])
def test_faults_that_no_attempt_mends(
    server: LocalServer, opened: Callable[..., Backend], name: str, fault: str, said: str
) -> None:
    server.service.faults.order(fault)
    with pytest.raises(CannotCallError, match=said) as caught:
        opened(name).send(request())
    assert fault in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_read_timeout_is_a_fault_that_may_be_billed(server: LocalServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("promptslim.aws.clients.LEAST_READ_TIMEOUT", 0.2)
    backend = open_backend("converse", Options(longest_output=1))
    server.service.faults.order("stall:0.6")
    with pytest.raises(CallFault) as caught:
        backend.send(request())
    assert (caught.value.kind, caught.value.billed) == ("timeout", True)


def test_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    with LocalServer(Service(echo)) as running:
        url = running.url
    lead_to(url, monkeypatch)
    with pytest.raises(CallFault) as caught:
        open_backend("converse", Options()).send(request())
    assert (caught.value.kind, caught.value.billed) == ("connection", False)
    with pytest.raises(CallFault, match="connection") as caught:
        open_backend("openai", Options(endpoint=f"{url}/openai/v1")).send(request())
    assert not caught.value.billed


def test_missing_credentials_region_and_profile_are_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    with pytest.raises(CannotCallError, match="no AWS region: set AWS_REGION"):
        open_backend("converse", Options())
    with pytest.raises(CannotCallError, match="check AWS_PROFILE"):
        open_backend("converse", Options(profile="nobody"))
    with pytest.raises(CannotCallError, match="no AWS credentials"):
        open_backend("converse", Options(region="us-east-1")).send(request())


def test_an_openai_compatible_endpoint(server: LocalServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "secret")
    options = Options(endpoint=f"{server.url}/openai/v1/", key_variable="MY_KEY")
    backend = open_backend("openai", options)
    assert backend.route == "other"
    answer = backend.send(request(text="one two three", model="openai.gpt-oss-20b-1:0", system="Repeat."))
    assert (answer.text, answer.stop) == ("one two three", "end_turn")
    assert answer.usage is not None
    server.service.faults.order("ThrottlingException", "reset", "malformed", "empty", "ValidationException")
    kinds = []
    for _ in range(4):
        with pytest.raises(CallFault) as caught:
            backend.send(request(model="openai.gpt-oss-20b-1:0"))
        kinds.append((caught.value.kind, caught.value.billed))
    assert kinds == [("HTTP 429", False), ("connection", True), ("malformed", True), ("malformed", True)]
    with pytest.raises(CannotCallError, match="HTTP 400: simulated ValidationException"):
        backend.send(request(model="openai.gpt-oss-20b-1:0"))


@pytest.mark.parametrize(
    ("host", "route"),
    [
        ("api.openai.com", "openai"),
        ("bedrock-runtime.us-east-1.amazonaws.com", "bedrock"),
        ("bedrock-mantle.us-east-1.api.aws", "bedrock_mantle"),
        ("bedrock-runtime.us-east-1.amazonaws.com.example.org", "other"),
        ("localhost:8000", "other"),
    ],
)
def test_whose_prices_count_is_told_by_the_host(monkeypatch: pytest.MonkeyPatch, host: str, route: str) -> None:
    monkeypatch.setenv("KEY", "x")
    assert open_backend("openai", Options(endpoint=f"https://{host}/v1", key_variable="KEY")).route == route


def test_openai_itself_needs_a_key_and_an_endpoint_a_scheme(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(CannotCallError, match=r"no key for api\.openai\.com: set OPENAI_API_KEY"):
        open_backend("openai", Options())
    with pytest.raises(CannotCallError, match="is no endpoint"):
        open_backend("openai", Options(endpoint="file:///etc/passwd"))


def test_replay_of_lines_with_ids(tmp_path: Path) -> None:
    recording = tmp_path / "answers.jsonl"
    lines: list[dict[str, Any]] = [{"id": "one", "text": "recorded", "stop": "end_turn"}, {"id": "two", "text": ""}]
    recording.write_text("".join(json.dumps(line) + "\n" for line in lines))
    backend = open_backend("replay", Options(recording=str(recording)))
    assert backend.free
    assert backend.send(request("one")).text == "recorded"
    with pytest.raises(CallFault, match="no answer to three") as caught:
        backend.send(request("three"))
    assert not caught.value.again
    recording.write_text('{"id": "one"}\n{"id": "two", "text": "x"}\n')
    with pytest.raises(CannotCallError, match="1: not a recorded answer"):
        open_backend("replay", Options(recording=str(recording)))


def test_a_recording_without_answers_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_text("")
    with pytest.raises(CannotCallError, match="has no recorded answers"):
        open_backend("replay", Options(recording=str(tmp_path / "r.jsonl")))


def test_an_unknown_backend_is_told_with_the_nearest() -> None:
    with pytest.raises(CannotCallError, match=r"unknown backend 'convers'.*converse"):
        open_backend("convers", Options())


def test_what_a_body_has_no_place_for_is_refused_before_it_is_sent(
    server: LocalServer, opened: Callable[..., Backend]
) -> None:
    backend, before = opened("invoke_model"), len(server.service.received)
    for asked, said in (
        (request(model=CLAUDE, max_tokens=None), "needs max_tokens"),
        (request(model="us.meta.llama3-3-70b-instruct-v1:0", stop=("x",)), "use Converse"),
        (
            request(model="arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc"),
            "call it with Converse",
        ),
    ):
        with pytest.raises(CannotCallError, match=said):
            backend.send(asked)
    assert len(server.service.received) == before


def test_turns_are_kept_in_order(server: LocalServer, opened: Callable[..., Backend]) -> None:
    turns = (Message("user", "a"), Message("assistant", "b"), Message("user", "c"))
    for model in ("us.meta.llama3-3-70b-instruct-v1:0", "cohere.command-r-v1:0", "mistral.mistral-7b-instruct-v0:2"):
        one = request(model=model)
        asked = type(one)(id="x", model=model, messages=turns, max_tokens=500)
        said = opened("invoke_model").send(asked).text
        assert re.search(r"\bc\b", said)
        assert "cohere" in model or re.search(r"\ba\b.*\bb\b.*\bc\b", said, re.DOTALL)
    assert opened("converse").send(type(one)(id="x", model=MODEL, messages=turns)).text == "c"


def test_the_stream_is_a_backend_of_its_own(server: LocalServer) -> None:
    backend = open_backend("converse_stream", Options())
    assert backend.send(request(text="one two three")).text == "one two three"
    assert server.service.received[-1].operation == "converse-stream"


@pytest.mark.parametrize("name", ["converse", "converse_stream", "invoke_model"])
def test_the_tier_is_asked_for_and_told(server: LocalServer, opened: Callable[..., Backend], name: str) -> None:
    backend = opened(name)
    assert backend.send(request(tier="flex")).tier == "flex"
    assert server.service.received[-1].tier == "flex"
    assert backend.send(request()).tier == "standard"
