"""The format of Converse, its stream, and what both check in a request."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from promptslim.verify.local import checks, fields
from promptslim.verify.local.exchange import Chat, Reply, Segment, invalid

_KEYS = (
    "messages", "system", "inferenceConfig", "toolConfig", "guardrailConfig", "additionalModelRequestFields",
    "additionalModelResponseFieldPaths", "promptVariables", "requestMetadata", "performanceConfig", "serviceTier",
    "outputConfig",
)  # fmt: skip
_METADATA = re.compile(r"[a-zA-Z0-9\s:_@$#=/+,\-.]*")
_TIERS = ("priority", "default", "flex", "reserved")
_MOST_PAIRS = 16


def read(model: str, body: Mapping[str, Any]) -> Chat:
    """A Converse request. Raises Refused."""
    fields.known(body, _KEYS)
    check_metadata(body.get("requestMetadata"))
    check_tier((body.get("serviceTier") or {}).get("type", "default"))
    messages = body.get("messages") or []
    if not messages:
        raise invalid("The request has no messages. A conversation must start with a user message.")
    if messages[0].get("role") != "user":
        raise invalid(
            "A conversation must start with a user message. Try again with a conversation that starts with a user "
            "message."
        )
    segments = _segments("tools", (body.get("toolConfig") or {}).get("tools") or ())
    segments += _segments("system", body.get("system") or ())
    turns = []
    for message in messages:
        if not message.get("content"):
            raise invalid("The content field in the Message object is empty. Add a ContentBlock and try again.")
        blocks = _segments("messages", message["content"])
        segments += blocks
        turns.append((str(message.get("role")), fields.joined(blocks, "messages")))
    checks.check_conversation(messages)
    checks.check_tools(body.get("toolConfig") or {}, messages)
    config = body.get("inferenceConfig") or {}
    checks.check_parameters(config)
    return Chat(
        model, tuple(turns), fields.joined(segments, "system"), fields.whole(config, "maxTokens"),
        fields.number(config, "temperature"), fields.texts(config.get("stopSequences")), tuple(segments),
    )  # fmt: skip


def check_tier(tier: object) -> None:
    """Raises Refused."""
    if tier not in _TIERS:
        raise invalid(f"Value at 'serviceTier.type' failed to satisfy constraint: one of {', '.join(_TIERS)}")


def check_metadata(pairs: Any) -> None:  # noqa: ANN401 (data of any form)
    """Raises Refused for what the service does not take and boto3 sends all the same."""
    if pairs is None:
        return
    if not isinstance(pairs, dict) or not 1 <= len(pairs) <= _MOST_PAIRS:
        raise invalid(f"Value at 'requestMetadata' failed to satisfy constraint: 1 to {_MOST_PAIRS} pairs")
    for key, value in pairs.items():
        fits = 1 <= len(key) <= 256 and len(str(value)) <= 256
        if not fits or not _METADATA.fullmatch(key) or not _METADATA.fullmatch(str(value)):
            raise invalid("Value at 'requestMetadata' failed to satisfy constraint: length or characters of a pair")


def _segments(section: str, blocks: Any) -> list[Segment]:  # noqa: ANN401 (data of any form)
    """Blocks with the checkpoint that follows them; text blocks as their text, others as JSON."""
    found: list[Segment] = []
    for block in blocks:
        if "cachePoint" in block:
            if not found:
                raise invalid(f"A cachePoint cannot be the first block of {section}.")
            last = found[-1]
            found[-1] = Segment(section, last.text, str(block["cachePoint"].get("ttl", "5m")))
            continue
        found.append(Segment(section, str(block.get("text", json.dumps(block, sort_keys=True)))))
    return found


def write(reply: Reply) -> dict[str, Any]:
    """The answer."""
    tools = [{"toolUse": {"toolUseId": one["id"], "name": one["name"], "input": one["input"]}} for one in reply.tools]
    content = [{"text": reply.text}, *tools] if reply.text or not tools else tools
    return {
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": reply.stop,
        "usage": _usage(reply),
        "metrics": {"latencyMs": reply.milliseconds},
    }


def events(reply: Reply) -> Iterator[tuple[str, dict[str, Any]]]:
    """The events of the stream: name and body."""
    yield "messageStart", {"role": "assistant"}
    for piece in fields.pieces(reply.text):
        yield "contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": piece}}
    if reply.text:
        yield "contentBlockStop", {"contentBlockIndex": 0}
    for index, tool in enumerate(reply.tools, 1 if reply.text else 0):
        start = {"toolUse": {"toolUseId": tool["id"], "name": tool["name"]}}
        yield "contentBlockStart", {"contentBlockIndex": index, "start": start}
        delta = {"toolUse": {"input": json.dumps(tool["input"])}}
        yield "contentBlockDelta", {"contentBlockIndex": index, "delta": delta}
        yield "contentBlockStop", {"contentBlockIndex": index}
    yield "messageStop", {"stopReason": reply.stop}
    yield "metadata", {"usage": _usage(reply), "metrics": {"latencyMs": reply.milliseconds}}


def _usage(reply: Reply) -> dict[str, Any]:
    usage = reply.usage
    details = [
        {"ttl": ttl, "inputTokens": tokens}
        for ttl, tokens in (("5m", usage.write_5m), ("1h", usage.write_1h))
        if tokens
    ]
    return {
        "inputTokens": usage.fresh,
        "outputTokens": usage.output,
        "totalTokens": usage.request + usage.output,
        "cacheReadInputTokens": usage.read,
        "cacheWriteInputTokens": usage.write_5m + usage.write_1h,
        **({"cacheDetails": details} if details else {}),
    }
