"""What the service refuses and boto3 sends all the same."""

from __future__ import annotations

import json
import socket
from typing import Any
from urllib.parse import urlsplit

import pytest
from bedrock_client import HELLO, MODEL, client
from botocore.exceptions import ClientError

from promptslim.verify.local.server import LocalServer

TOOL = {"toolSpec": {"name": "look", "inputSchema": {"json": {"type": "object"}}}}
CALL = {"role": "assistant", "content": [{"toolUse": {"toolUseId": "t1", "name": "look", "input": {}}}]}
RESULT = {"role": "user", "content": [{"toolResult": {"toolUseId": "t1", "content": [{"text": "1"}]}}]}
PREFILL = {"role": "assistant", "content": [{"text": "So"}]}


def said(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "content": [{"text": text}]}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"messages": [said("user", " ")]}, "messages.0.content.0 is blank"),
        ({"messages": [said("user", "a"), said("user", "b")]}, "must alternate"),
        ({"messages": [said("assistant", "a")]}, "must start with a user message"),
        ({"messages": [said("user", "a"), said("robot", "b")]}, "enum value set"),
        ({"messages": [said("user", "a"), PREFILL]}, "assistant message prefill"),
        ({"inferenceConfig": {"temperature": 1.5}}, "less than or equal to 1"),
        ({"inferenceConfig": {"topP": 1.5}}, "less than or equal to 1"),
        ({"toolConfig": {"tools": [{"toolSpec": {**TOOL["toolSpec"], "name": "a b"}}]}}, "regular expression pattern"),
        ({"toolConfig": {"tools": [TOOL], "toolChoice": {"tool": {"name": "x"}}}}, "none of the tools"),
        ({"messages": [said("user", "a"), CALL, RESULT]}, "toolConfig field must be defined"),
        ({"messages": [RESULT], "toolConfig": {"tools": [TOOL]}}, "exceeds the number of toolUse blocks"),
        ({"messages": [said("user", "a"), CALL, said("user", "b")], "toolConfig": {"tools": [TOOL]}}, "Ids: t1"),
        ({"modelId": "amazon.titan-text-express-v1", "system": [{"text": "a"}]}, "doesn't support the system field"),
        ({"modelId": "us.anthropic.claude-opus-4-7", "inferenceConfig": {"temperature": 0.0}}, "is deprecated"),
        ({"serviceTier": {"type": "batch"}}, "serviceTier"),
    ],
)
def test_converse(bedrock: Any, given: dict[str, Any], message: str) -> None:
    with pytest.raises(bedrock.exceptions.ValidationException) as caught:
        bedrock.converse(**{"modelId": MODEL, "messages": HELLO, **given})
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("model", "words"), [("amazon.nova-micro-v1:0", 400_000), ("anthropic.claude-haiku-4-5-20251001-v1:0", 250_000)]
)
def test_input_that_is_too_long(bedrock: Any, model: str, words: int) -> None:
    with pytest.raises(bedrock.exceptions.ValidationException, match="Input is too long"):
        bedrock.converse(modelId=model, messages=[said("user", "a " * words)])


def test_a_conversation_with_tools_is_answered(bedrock: Any) -> None:
    messages = [said("user", "a"), CALL, RESULT]
    assert bedrock.converse(modelId=MODEL, messages=messages, toolConfig={"tools": [TOOL]})["stopReason"] == "end_turn"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"maxTokens": 5}, "maxTokens: Extra inputs"),
        ({"temperature": 2}, "range: 0..1"),
        ({"messages": [{"role": "user", "content": ""}]}, "non-empty content"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": ""}]}]}, "non-empty"),
        ({"messages": [{"role": "system", "content": "a"}]}, "Input should be"),
        ({"messages": [{"role": "assistant", "content": "a"}]}, "must use the user role"),
    ],
)
def test_claude_in_invoke_model(bedrock: Any, more: dict[str, Any], message: str) -> None:
    body = {"anthropic_version": "x", "max_tokens": 9, "messages": [{"role": "user", "content": "a"}], **more}
    with pytest.raises(bedrock.exceptions.ValidationException) as caught:
        bedrock.invoke_model(modelId=MODEL, body=json.dumps(body))
    assert message in str(caught.value)


@pytest.mark.parametrize("fault", ["AccessDeniedException=You have no access.", "stream:throttlingException=Too many."])
def test_a_fault_has_the_message_that_it_was_given(server: LocalServer, bedrock: Any, fault: str) -> None:
    server.service.faults.order(fault)
    with pytest.raises(ClientError) as caught:
        list(bedrock.converse_stream(modelId=MODEL, messages=HELLO)["stream"])
    assert fault.rpartition("=")[2] in str(caught.value)


def test_an_operation_that_is_not_served_is_an_error(server: LocalServer) -> None:
    with pytest.raises(ClientError, match="UnknownOperationException"):
        client(server.url, "bedrock").list_foundation_models()


def raw(server: LocalServer, data: bytes) -> bytes:
    """What comes back until the server closes the connection."""
    with socket.create_connection(("127.0.0.1", urlsplit(server.url).port or 0), timeout=10) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


HEAD = f"POST /model/{MODEL}/converse HTTP/1.1\r\nHost: x\r\nAuthorization: AWS4-HMAC-SHA256 x\r\n".encode()
BODY = json.dumps({"messages": HELLO}).encode()


def chunked(*sizes: bytes) -> bytes:
    return HEAD + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + b"".join(sizes)


@pytest.mark.parametrize(
    "data",
    [
        HEAD + b"Content-Length: abc\r\n\r\n",
        HEAD + b"Content-Length: -1\r\n\r\n{}",
        HEAD + b"Content-Length: 99999999999999\r\n\r\n{}",
        HEAD + b"Content-Length: 50\r\n\r\n{}",
        chunked(b"zz\r\n"),
        chunked(b"ffffffffff\r\n{}"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_and_the_connection_closed(server: LocalServer, data: bytes) -> None:
    answer = raw(server, data)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"Malformed input request" in answer


def test_a_body_in_chunks(server: LocalServer) -> None:
    parts = [b"%x\r\n%b\r\n" % (len(part), part) for part in (BODY[:7], BODY[7:])]
    assert raw(server, chunked(*parts, b"0\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
