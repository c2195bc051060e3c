"""Requests of any content: the server answers, and goes on."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptslim.verify.local.answers import echo
from promptslim.verify.local.server import LocalServer
from promptslim.verify.local.service import Service

MODELS = (
    "us.anthropic.claude-sonnet-4-6",
    "us.amazon.nova-lite-v1:0",
    "amazon.titan-text-express-v1",
    "us.meta.llama3-3-70b-instruct-v1:0",
    "mistral.mistral-7b-instruct-v0:2",
    "cohere.command-r-v1:0",
    "qwen.qwen3-32b-v1:0",
)
KEYS = (
    "messages", "system", "max_tokens", "anthropic_version", "role", "content", "text", "prompt", "inputText",
    "message", "inferenceConfig", "maxTokens", "cachePoint", "cache_control", "toolConfig", "tools", "requestMetadata",
    "input",
)  # fmt: skip
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5000) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    with LocalServer(Service(echo)) as running:
        yield running


def post(url: str, data: bytes) -> int:
    """The status; an error has to say something."""
    request = urllib.request.Request(url, data, {"Authorization": "AWS4-HMAC-SHA256 x"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            answer.read()
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code if json.loads(error.read())["message"] else 0


@settings(max_examples=80, deadline=None)
@given(
    body=st.dictionaries(st.sampled_from(KEYS), JSON, max_size=5),
    model=st.sampled_from(MODELS),
    operation=st.sampled_from(["converse", "converse-stream", "invoke", "invoke-with-response-stream", "count-tokens"]),
)
def test_any_body_is_answered_or_refused(server: LocalServer, body: Any, model: str, operation: str) -> None:
    status = post(f"{server.url}/model/{quote(model, safe='')}/{operation}", json.dumps(body).encode())
    assert status in (200, 400)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff\xfe", b"null"])
def test_what_is_not_an_object_is_refused(server: LocalServer, data: bytes) -> None:
    assert post(f"{server.url}/model/{MODELS[0]}/converse", data) == 400


def test_a_request_without_a_signature_is_refused(server: LocalServer) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{server.url}/model-invocation-jobs", timeout=10)
    caught.value.close()
    assert caught.value.code == 403
