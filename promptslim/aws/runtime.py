"""Calls of models on bedrock-runtime: one attempt each, with faults in our words."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from promptslim.aws.clients import LEAST_READ_TIMEOUT, Account, client
from promptslim.aws.failures import malformed, translated
from promptslim.core.call_fault import CallFault, CannotCallError
from promptslim.core.record import record

T = TypeVar("T")
_COUNT_ATTEMPTS = 8


@record
class Invoked:
    """What InvokeModel gave: the body, and the token counts of its headers by the last word of their names."""

    body: Mapping[str, Any]
    headers: Mapping[str, str]


class Runtime:
    """A client of bedrock-runtime. It may be used by several threads.

    Methods raise CallFault for an attempt that failed, CannotCallError for what no attempt will mend. boto3 repeats
    nothing, so that each attempt is the caller's.
    """

    def __init__(
        self, account: Account, *, timeout: float = LEAST_READ_TIMEOUT, connections: int = 10, attempts: int = 1
    ) -> None:
        """``attempts`` that boto3 makes by itself: more than one only for what costs nothing. Raises
        CannotCallError."""
        self._client = client("bedrock-runtime", account, timeout=timeout, connections=connections, attempts=attempts)

    def converse(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """The answer of Converse to a request in its words."""
        answer: Mapping[str, Any] = _done(lambda: self._client.converse(**request), f"converse {request['modelId']}")
        return _whole(answer)

    def converse_stream(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """The same, through the stream: nothing waits for the whole answer, and no read timeout cuts a long one."""
        about = f"converse_stream {request['modelId']}"
        events = _done(lambda: list(self._client.converse_stream(**request)["stream"]), about)
        try:
            return _whole(_joined(events))
        except (KeyError, TypeError):
            raise malformed("the events of the stream do not fit together") from None

    def invoke(self, model: str, body: Mapping[str, Any], metadata: Mapping[str, str], tier: str = "") -> Invoked:
        """The answer of InvokeModel. ``tier`` in the service's words; empty: none is asked for."""
        tags = {"requestMetadata": json.dumps(metadata)} if metadata else {}
        if tier:
            tags["serviceTier"] = tier

        def call() -> tuple[bytes, Mapping[str, str]]:
            answer = self._client.invoke_model(modelId=model, body=json.dumps(body), **tags)
            return answer["body"].read(), answer["ResponseMetadata"]["HTTPHeaders"]

        data, headers = _done(call, f"invoke_model {model}")
        try:
            said = json.loads(data)
        except ValueError:
            raise malformed("the answer is not JSON") from None
        if not isinstance(said, dict):
            raise malformed("the answer is not an object")
        return Invoked(said, headers)

    def count_tokens(self, model: str, request: Mapping[str, Any]) -> int:
        """The input tokens of a Converse request, free of charge, as the service counts them."""
        given = {key: request[key] for key in ("messages", "system", "toolConfig") if request.get(key)}
        about = f"count_tokens {model}"
        answer = _done(lambda: self._client.count_tokens(modelId=model, input={"converse": given}), about)
        tokens = answer.get("inputTokens")
        if not isinstance(tokens, int):
            raise malformed("the answer has no inputTokens")
        return tokens


def count_text(texts: Iterable[str], model: str, account: Account, base: str | None = None) -> list[int]:
    """Tokens of each text as the only message of a user, counted by the service.

    ``base``: the id of the foundation model, where ``model`` is an inference profile. The service counts for the
    former only (pydantic-ai pull request 3367 and issue 4001; agentcore-public-stack pull request 430, live in 2026);
    others report the contrary (litellm issue 34272), so the profile is asked where the model is refused.

    Raises CannotCallError, also for a model that the service does not count for.
    """
    runtime = Runtime(account, attempts=_COUNT_ATTEMPTS)
    names = list(dict.fromkeys((base or model, model)))
    counts: list[int] = []
    for text in texts:
        if not text.strip():
            raise CannotCallError(
                f"count_tokens {model}: the service counts no text of blank space; leave the file out"
            )
        counts.append(_counted(runtime, text, names))
    return counts


def _counted(runtime: Runtime, text: str, names: list[str]) -> int:
    """Tokens by the first of the ``names`` that the service counts for; those that it does not are taken out."""
    request = {"messages": [{"role": "user", "content": [{"text": text}]}]}
    while True:
        try:
            return runtime.count_tokens(names[0], request)
        except CannotCallError as refused:
            if len(names) == 1 or "ValidationException" not in str(refused):
                raise
            del names[0]
        except CallFault as fault:
            raise CannotCallError(f"count_tokens {names[0]}: {fault}; try again later") from None


def _done(call: Callable[[], T], about: str) -> T:
    try:
        return call()
    except Exception as error:  # noqa: BLE001 (what is not of AWS is raised again)
        raise translated(error, about) from None


def _whole(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """The answer, if nothing is missing from it. botocore fills gaps with nothing instead of raising."""
    match answer:
        case {
            "output": {"message": {"content": list()}},
            "stopReason": str(),
            "usage": {"inputTokens": int(), "outputTokens": int()},
        }:
            return answer
    raise malformed("the answer lacks output, stopReason or usage")


def _joined(events: list[Any]) -> dict[str, Any]:
    """The answer of Converse that the events of its stream add up to."""
    blocks: dict[int, dict[str, Any]] = {}
    answer: dict[str, Any] = {}
    for event in events:
        match event:
            case {"contentBlockStart": {"contentBlockIndex": index, "start": {"toolUse": tool}}}:
                blocks[index] = {"toolUse": {**tool, "input": ""}}
            case {"contentBlockDelta": {"contentBlockIndex": index, "delta": {"text": text}}}:
                block = blocks.setdefault(index, {"text": ""})
                block["text"] = block.get("text", "") + text
            case {"contentBlockDelta": {"contentBlockIndex": index, "delta": {"toolUse": {"input": text}}}}:
                blocks[index]["toolUse"]["input"] += text
            case {"messageStop": {"stopReason": reason}}:
                answer["stopReason"] = reason
            case {"metadata": {"usage": usage, **more}}:
                answer |= {"usage": usage, "metrics": more.get("metrics", {}), "serviceTier": more.get("serviceTier")}
    for block in blocks.values():
        if "toolUse" in block:
            block["toolUse"]["input"] = _arguments(block["toolUse"]["input"])
    answer["output"] = {"message": {"role": "assistant", "content": [blocks[index] for index in sorted(blocks)]}}
    return answer


def _arguments(text: str) -> Any:  # noqa: ANN401 (data of any form)
    try:
        return json.loads(text or "{}")
    except ValueError:
        raise malformed("the arguments of a tool are not JSON") from None
