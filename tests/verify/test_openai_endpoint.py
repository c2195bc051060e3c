"""An endpoint of OpenAI's form that answers in every wrong way there is."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from asking_by_hand import request

from promptslim.core.call_fault import CallFault, CannotCallError
from promptslim.verify.backend import Backend, Options, open_backend

GOOD: dict[str, Any] = {
    "choices": [{"message": {"role": "assistant", "content": "yes"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 30, "completion_tokens": 1},
}


class Endpoint(BaseHTTPRequestHandler):
    """Answers with what the test has put in, and keeps what it was sent."""

    answer: tuple[int, Any, dict[str, str]] = (200, GOOD, {})
    received: dict[str, Any]

    def do_POST(self) -> None:
        type(self).received = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status, body, headers = self.answer
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Endpoint) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
        server.shutdown()


@pytest.fixture
def backend(url: str, monkeypatch: pytest.MonkeyPatch) -> Backend:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    return open_backend("openai", Options(endpoint=url))


def answering(status: int, body: Any, **headers: str) -> None:
    Endpoint.answer = (status, body, {name.replace("_", "-"): value for name, value in headers.items()})


def with_usage(usage: object) -> dict[str, Any]:
    return {**GOOD, "usage": usage}


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": 3, "completion_tokens": None}, {"total_tokens": 3}])
def test_counts_that_are_not_told_are_none(backend: Backend, usage: object) -> None:
    answering(200, with_usage(usage))
    answer = backend.send(request())
    assert (answer.text, answer.usage) == ("yes", None)


def test_content_in_parts(backend: Backend) -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "image"}, {"type": "text", "text": "b"}]
    answering(200, {**GOOD, "choices": [{"message": {"content": parts}, "finish_reason": "stop"}]})
    assert backend.send(request()).text == "ab"


@pytest.mark.parametrize(("told", "served"), [("flex", "flex"), ("default", "standard"), ("scale", None)])
def test_the_tier_is_asked_for_and_the_one_that_served_counts(backend: Backend, told: str, served: str | None) -> None:
    answering(200, {**GOOD, "service_tier": told})
    answer = backend.send(request(tier="flex"))
    assert Endpoint.received["service_tier"] == "flex"
    assert answer.tier == served


@pytest.mark.parametrize(
    ("status", "body", "headers", "billed", "wait"),
    [
        (429, {"error": {"message": "slow down"}}, {"Retry_After": "0.5"}, False, 0.5),
        (429, "busy", {"Retry_After": "Mon, 23 Nov 2026 10:00:00 GMT"}, False, None),
        (503, "", {}, False, None),
        (500, "oops", {}, True, None),
        (200, "<html>", {}, True, None),
        (200, [], {}, True, None),
        (200, {"choices": [{"message": {"content": 5}}]}, {}, True, None),
    ],
)
def test_what_another_attempt_may_mend(
    backend: Backend, status: int, body: Any, headers: dict[str, str], billed: bool, wait: float | None
) -> None:
    answering(status, body, **headers)
    with pytest.raises(CallFault) as caught:
        backend.send(request())
    assert (caught.value.again, caught.value.billed, caught.value.wait) == (True, billed, wait)


@pytest.mark.parametrize(
    ("status", "body", "headers", "hint"),
    [
        (401, {"error": {"message": "Incorrect API key"}}, {}, "HTTP 401: Incorrect API key; check the key"),
        (404, "", {}, "HTTP 404: Not Found; check the endpoint"),
        (301, "", {"Location": "http://127.0.0.1:1/"}, "redirects are not followed"),
        (
            429,
            {"error": {"message": "You exceeded your current quota.", "code": "insufficient_quota"}},
            {},
            "add credit to the account",
        ),
    ],
)
def test_what_none_mends_says_what_to_do(
    backend: Backend, status: int, body: Any, headers: dict[str, str], hint: str
) -> None:
    answering(status, body, **headers)
    with pytest.raises(CannotCallError, match=hint) as caught:
        backend.send(request())
    assert "\n" not in str(caught.value)


def test_a_host_that_is_not_there_is_not_billed(monkeypatch: pytest.MonkeyPatch) -> None:
    for endpoint in ("http://127.0.0.1:1/v1", "https://nobody.invalid/v1"):
        with pytest.raises(CallFault, match="connection") as caught:
            open_backend("openai", Options(endpoint=endpoint)).send(request())
        assert (caught.value.again, caught.value.billed) == (True, False)


def test_a_key_that_is_none_is_not_shown(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret\nkey")
    with pytest.raises(CannotCallError, match="the key in OPENAI_API_KEY") as caught:
        open_backend("openai", Options(endpoint=url)).send(request())
    assert "secret" not in str(caught.value)
