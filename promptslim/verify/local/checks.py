"""What Converse refuses in messages, tools and parameters beyond the form that boto3 checks.

The messages are the service's, as users report them: langchain-aws issue 130 (roles), zot pull request 18 (tools),
hermes-agent issue 55092 (blank texts). What models of a generation refuse: AWS agent-toolkit-for-aws, Bedrock
reference, 2026-08-20.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from promptslim.catalog.model_facts import ModelFacts
from promptslim.verify.local import fields
from promptslim.verify.local.exchange import Chat, invalid

_CONSTRAINT = "1 validation error detected: Value '{}' at '{}' failed to satisfy constraint: "
_ROLES = ("user", "assistant")
_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_VERSION = re.compile(r"claude-[a-z]+-(\d+)(?:-(\d{1,2}))?(?!\d)")
_ONE_TEXT = ("titan",)
"""Bodies of models that take one text: neither a system prompt nor tools."""


def check_conversation(messages: Sequence[Mapping[str, Any]]) -> None:
    """Raises Refused for roles that do not alternate, and for blank texts."""
    for number, message in enumerate(messages):
        if message.get("role") not in _ROLES:
            raise invalid(
                _CONSTRAINT.format(message.get("role"), f"messages.{number + 1}.member.role")
                + "Member must satisfy enum value set: [user, assistant]"
            )
        for place, block in enumerate(message["content"]):
            if isinstance(block.get("text"), str) and not block["text"].strip():
                raise invalid(
                    f"The text field in the ContentBlock object at messages.{number}.content.{place} is blank. "
                    "Add text to the text field, and try again."
                )
    roles = [message["role"] for message in messages]
    if any(one == other for one, other in itertools.pairwise(roles)):
        raise invalid(
            "A conversation must alternate between user and assistant roles. Make sure the conversation alternates "
            "between user and assistant roles and try again."
        )


def check_tools(config: Mapping[str, Any], messages: Sequence[Mapping[str, Any]]) -> None:
    """Raises Refused for names that tools cannot have, for a choice of none of them, and for results that no call
    asked for."""
    specs = [tool["toolSpec"] for tool in config.get("tools") or () if "toolSpec" in tool]
    names = [str(spec.get("name")) for spec in specs]
    for number, name in enumerate(names, 1):
        if not _TOOL_NAME.fullmatch(name):
            raise invalid(
                _CONSTRAINT.format(name, f"toolConfig.tools.{number}.member.toolSpec.name")
                + "Member must satisfy regular expression pattern: [a-zA-Z0-9_-]+"
            )
    chosen = ((config.get("toolChoice") or {}).get("tool") or {}).get("name")
    if chosen is not None and chosen not in names:
        raise invalid(f"The tool {chosen} of toolChoice is none of the tools of toolConfig.")
    asked: set[str] = set()
    for number, message in enumerate(messages):
        calls, results = set(_ids(message, "toolUse")), set(_ids(message, "toolResult"))
        if (calls or results) and not names:
            raise invalid("The toolConfig field must be defined when using toolUse and toolResult content blocks.")
        if results - asked:
            raise invalid(
                f"The number of toolResult blocks at messages.{number}.content exceeds the number of toolUse blocks of "
                "previous turn."
            )
        if asked - results:
            missing = ", ".join(sorted(asked - results))
            raise invalid(f"Expected toolResult blocks at messages.{number}.content for the following Ids: {missing}")
        asked = calls


def _ids(message: Mapping[str, Any], kind: str) -> Iterator[str]:
    return (str(block[kind].get("toolUseId")) for block in message["content"] if kind in block)


def check_parameters(config: Mapping[str, Any]) -> None:
    """Raises Refused for numbers that the API does not take."""
    for name in ("temperature", "topP"):
        value = fields.number(config, name)
        if value is not None and not 0 <= value <= 1:
            bound = "less than or equal to 1" if value > 1 else "greater than or equal to 0"
            raise invalid(_CONSTRAINT.format(value, f"inferenceConfig.{name}") + f"Member must have value {bound}")


def check_model(chat: Chat, facts: ModelFacts | None) -> None:
    """Raises Refused for what the model that is asked does not take."""
    if facts is None:
        return
    if facts.body in _ONE_TEXT:
        if chat.system:
            raise invalid("This model doesn't support the system field. Remove system and try again.")
        if any(segment.section == "tools" for segment in chat.segments):
            raise invalid("This model doesn't support tool use.")
    version = _version(facts)
    if version >= (4, 6) and chat.turns and chat.turns[-1][0] == "assistant":
        raise invalid(
            "This model does not support assistant message prefill. The conversation must end with a user message."
        )
    if version >= (4, 7) and "opus" in facts.family and chat.temperature is not None:
        raise invalid("The model returned the following errors: `temperature` is deprecated for this model.")


def check_length(tokens: int, cap: int | None, facts: ModelFacts | None) -> None:
    """Raises Refused for input that the model's context has no room for: Claude before Sonnet 4.5 also counts the
    output limit (pydantic-ai's notes on its live tests, 2026)."""
    if facts is None or facts.context is None:
        return
    if tokens > facts.context:
        raise invalid("Input is too long for requested model.")
    if (0, 0) < _version(facts) < (4, 5) and tokens + (cap or 0) > facts.context:
        raise invalid(
            f"input length and `max_tokens` exceed context limit: {tokens} + {cap} > {facts.context}, decrease input "
            "length or `max_tokens` and try again"
        )


def _version(facts: ModelFacts) -> tuple[int, int]:
    found = _VERSION.match(facts.family)
    return (int(found[1]), int(found[2] or 0)) if found else (0, 0)
