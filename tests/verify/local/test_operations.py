"""Every operation of the local server, through real boto3."""

from __future__ import annotations

import json
from typing import Any

import pytest
from bedrock_client import HELLO, MODEL, client
from botocore.exceptions import ClientError

from promptslim.verify.local.answers import by_rules, in_turn
from promptslim.verify.local.server import LocalServer
from promptslim.verify.local.service import Service

LONG = "Policy text that never changes and goes on and on. " * 160


def test_converse(bedrock: Any) -> None:
    answer = bedrock.converse(modelId=MODEL, messages=HELLO, inferenceConfig={"maxTokens": 50})
    assert answer["output"]["message"]["content"] == [{"text": "hello there, how are you today"}]
    assert answer["stopReason"] == "end_turn"
    usage = answer["usage"]
    assert usage["inputTokens"] > usage["outputTokens"] > 0
    assert usage["totalTokens"] == usage["inputTokens"] + usage["outputTokens"]


def test_the_cap_and_stop_sequences_end_an_answer(bedrock: Any) -> None:
    capped = bedrock.converse(modelId=MODEL, messages=HELLO, inferenceConfig={"maxTokens": 3})
    assert capped["stopReason"] == "max_tokens"
    assert capped["usage"]["outputTokens"] <= 3
    stopped = bedrock.converse(modelId=MODEL, messages=HELLO, inferenceConfig={"stopSequences": ["how"]})
    assert stopped["stopReason"] == "stop_sequence"
    assert stopped["output"]["message"]["content"][0]["text"] == "hello there, "


def test_converse_stream_gives_what_converse_gives(bedrock: Any) -> None:
    plain = bedrock.converse(modelId=MODEL, messages=HELLO)
    events = list(bedrock.converse_stream(modelId=MODEL, messages=HELLO)["stream"])
    texts = [event["contentBlockDelta"]["delta"]["text"] for event in events if "contentBlockDelta" in event]
    assert len(texts) > 1
    assert "".join(texts) == plain["output"]["message"]["content"][0]["text"]
    assert events[-2]["messageStop"]["stopReason"] == plain["stopReason"]
    assert events[-1]["metadata"]["usage"] == plain["usage"]


BODIES: dict[str, tuple[str, dict[str, Any], str]] = {
    "anthropic": (
        MODEL,
        {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]},
        "content.0.text",
    ),
    "nova": (
        "us.amazon.nova-lite-v1:0",
        {"messages": [{"role": "user", "content": [{"text": "hi"}]}], "inferenceConfig": {"maxTokens": 9}},
        "output.message.content.0.text",
    ),
    "titan": ("amazon.titan-text-express-v1", {"inputText": "hi"}, "results.0.outputText"),
    "llama": ("us.meta.llama3-3-70b-instruct-v1:0", {"prompt": "hi", "max_gen_len": 9}, "generation"),
    "mistral_text": ("mistral.mistral-7b-instruct-v0:2", {"prompt": "hi", "max_tokens": 9}, "outputs.0.text"),
    "deepseek": ("us.deepseek.r1-v1:0", {"prompt": "hi", "max_tokens": 9}, "choices.0.text"),
    "cohere": ("cohere.command-r-v1:0", {"message": "hi", "max_tokens": 9}, "text"),
    "openai": (
        "openai.gpt-oss-20b-1:0",
        {"messages": [{"role": "user", "content": "hi"}], "max_completion_tokens": 9},
        "choices.0.message.content",
    ),
    "mistral_chat": (
        "mistral.pixtral-large-2502-v1:0",
        {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 9},
        "choices.0.message.content",
    ),
}


def at(data: Any, path: str) -> Any:
    for part in path.split("."):
        data = data[int(part) if part.isdigit() else part]
    return data


@pytest.mark.parametrize("name", BODIES)
def test_invoke_model_of_each_family(bedrock: Any, name: str) -> None:
    model, body, path = BODIES[name]
    answer = bedrock.invoke_model(modelId=model, body=json.dumps(body))
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    assert int(headers["x-amzn-bedrock-input-token-count"]) > 0
    assert at(json.loads(answer["body"].read()), path) == "hi"


@pytest.mark.parametrize("name", BODIES)
def test_invoke_model_with_response_stream_of_each_family(bedrock: Any, name: str) -> None:
    model, body, _ = BODIES[name]
    events = bedrock.invoke_model_with_response_stream(modelId=model, body=json.dumps(body))["body"]
    chunks = [json.loads(event["chunk"]["bytes"]) for event in events]
    assert '"hi"' in json.dumps(chunks)
    assert chunks[-1]["amazon-bedrock-invocationMetrics"]["outputTokenCount"] > 0


@pytest.mark.parametrize(
    ("model", "body", "said"),
    [
        (MODEL, {"anthropic_version": "bedrock-2023-05-31", "messages": []}, "max_tokens: Field required"),
        ("us.meta.llama3-3-70b-instruct-v1:0", {"prompt": "hi", "max_tokens": 5}, "extraneous key [max_tokens]"),
        ("us.amazon.nova-lite-v1:0", {"messages": [], "max_tokens": 5}, "extraneous key [max_tokens]"),
        ("no-such-model", {"prompt": "hi"}, "model identifier is invalid"),
    ],
)
def test_bodies_that_the_service_refuses(bedrock: Any, model: str, body: dict[str, Any], said: str) -> None:
    with pytest.raises(ClientError, match="ValidationException") as error:
        bedrock.invoke_model(modelId=model, body=json.dumps(body))
    assert said in str(error.value)


def test_count_tokens_agrees_with_the_usage_of_the_call(bedrock: Any) -> None:
    system = [{"text": "Answer briefly."}]
    counted = bedrock.count_tokens(
        modelId=MODEL.removeprefix("us."), input={"converse": {"messages": HELLO, "system": system}}
    )
    called = bedrock.converse(modelId=MODEL, messages=HELLO, system=system)
    assert counted["inputTokens"] == called["usage"]["inputTokens"]
    body = json.dumps(BODIES["anthropic"][1]).encode()
    assert (
        bedrock.count_tokens(modelId=MODEL.removeprefix("us."), input={"invokeModel": {"body": body}})["inputTokens"]
        == 8
    )


@pytest.mark.parametrize("model", [MODEL, "anthropic.claude-opus-4-7", "amazon.nova-2-lite-v1:0"])
def test_count_tokens_counts_for_no_profile_and_for_no_model_offered_through_profiles(bedrock: Any, model: str) -> None:
    with pytest.raises(bedrock.exceptions.ValidationException, match="doesn't support counting tokens"):
        bedrock.count_tokens(modelId=model, input={"converse": {"messages": HELLO}})


def test_an_arn_is_a_model_id(bedrock: Any) -> None:
    arn = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123"
    assert bedrock.converse(modelId=arn, messages=HELLO)["stopReason"] == "end_turn"


def test_metadata_arrives_and_is_checked(server: LocalServer, bedrock: Any) -> None:
    bedrock.converse(modelId=MODEL, messages=HELLO, requestMetadata={"run": "abc"})
    assert server.service.received[-1].metadata == {"run": "abc"}
    body = json.dumps(BODIES["anthropic"][1])
    bedrock.invoke_model(modelId=MODEL, body=body, requestMetadata='{"run": "def"}')
    assert server.service.received[-1].metadata == {"run": "def"}
    with pytest.raises(ClientError, match="requestMetadata"):
        bedrock.converse(modelId=MODEL, messages=HELLO, requestMetadata={"run": "Grüße"})


def test_a_cap_above_the_models_limit_is_refused(bedrock: Any) -> None:
    with pytest.raises(ClientError, match="exceeds the model limit"):
        bedrock.converse(modelId=MODEL, messages=HELLO, inferenceConfig={"maxTokens": 1_000_000})


def test_tools_are_called_and_streamed() -> None:
    tool = {"toolSpec": {"name": "look_up", "inputSchema": {"json": {"type": "object"}}}}
    said = {"text": "", "tools": [{"name": "look_up", "input": {"id": 7}}]}
    with LocalServer(Service(in_turn([said]))) as running:
        bedrock = client(running.url)
        answer = bedrock.converse(modelId=MODEL, messages=HELLO, toolConfig={"tools": [tool]})
        assert answer["stopReason"] == "tool_use"
        assert answer["output"]["message"]["content"][0]["toolUse"]["input"] == {"id": 7}
        events = list(bedrock.converse_stream(modelId=MODEL, messages=HELLO, toolConfig={"tools": [tool]})["stream"])
        inputs = [one["contentBlockDelta"]["delta"]["toolUse"]["input"] for one in events if "contentBlockDelta" in one]
        assert json.loads("".join(inputs)) == {"id": 7}


def test_rules_answer_by_what_the_prompt_says() -> None:
    rules = [{"match": r"card (\d+)", "text": r"It is card \1."}, {"text": "unknown"}]
    with LocalServer(Service(by_rules(rules))) as running:
        bedrock = client(running.url)
        ask = [{"role": "user", "content": [{"text": "block card 42"}]}]
        answers = [bedrock.converse(modelId=MODEL, messages=one) for one in (ask, HELLO)]
        texts = [answer["output"]["message"]["content"][0]["text"] for answer in answers]
        assert texts == ["It is card 42.", "unknown"]
