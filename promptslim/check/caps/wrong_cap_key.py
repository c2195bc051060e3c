"""PS104: an output cap under a key that the model family or the API does not take."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from promptslim.check.call_models import certain_models, writes_text, written_models
from promptslim.check.cap_fixes import renamed_cap
from promptslim.check.cap_keys import cap_paths
from promptslim.check.endpoints import at_openai_endpoint
from promptslim.check.wording import code
from promptslim.core.call import CapKey, LlmCall
from promptslim.core.finding import Finding, Related, Severity
from promptslim.core.record import record

if TYPE_CHECKING:
    from promptslim.catalog.model_facts import ModelFacts
    from promptslim.check.rule_context import RuleContext
    from promptslim.core.text import Fix, Location

OPENAI_LIKE = ("mistral_chat", "deepseek", "openai", "qwen", "jamba", "openai_like")
"""Bodies whose servers may take either of OpenAI's two names, whatever the table lists."""

OPENAI_NAMES = frozenset({"max_tokens", "max_completion_tokens"})
OPENAI_CLIENTS = ("OpenAI", "AsyncOpenAI", "AzureOpenAI", "AsyncAzureOpenAI")
ANTHROPIC_CLIENTS = re.compile(r"\b(?:Async)?Anthropic(?:Bedrock|BedrockMantle|AWS|Vertex|Foundry)?$")
_TEXT_COMPLETION = re.compile(r"claude-(?:v?[12](?!\d)|instant)")


@record
class Verdict:
    """``right``: the key paths that count; ``consequence``: what becomes of any other; ``use``: the right
    keys to name, where not all of ``right``."""

    right: frozenset[str]
    consequence: str
    severity: Severity
    use: frozenset[str] = frozenset()


def wrong_cap_key(call: LlmCall, rule: RuleContext) -> Iterator[Finding]:
    """One finding for a call of which no cap key counts. Silent where the family is not known, and where a
    key that counts stands beside the other."""
    if not call.cap_keys or not writes_text(call, rule):
        return
    verdict = _verdict(call, rule)
    if verdict is None:
        return
    paths = [key.path.removeprefix("body.") for key in call.cap_keys]
    if any(path in verdict.right for path in paths):
        return
    key = call.cap_keys[0]
    primary, related = _place(call, key)
    use = " or ".join(code(path) for path in sorted(verdict.use or verdict.right))
    yield rule.finding(
        f"{code(paths[0])} {verdict.consequence}; the cap here is {use}",
        primary,
        call=call,
        evidence=f"{call.scope} {call.callee} {paths[0]}",
        related=related,
        severity=verdict.severity,
        fixes=_fixes(call, key, verdict, rule),
        confidence=None if all(written.certain for written in written_models(call)) else "medium",
    )


def _fixes(call: LlmCall, key: CapKey, verdict: Verdict, rule: RuleContext) -> tuple[Fix, ...]:
    """The right key, the most usual first, where one cap is written and one branch sends it."""
    if len(call.cap_keys) > 1:
        return ()
    usual = [path for model in certain_models(call, rule, fallbacks=True) for path in _body_table(model, rule)]
    known = [path for path in (*cap_paths(call, rule), *usual) if path in verdict.right]
    rest = sorted(verdict.right - {*known})
    named = [path for path in (*known, *rest) if not verdict.use or path in verdict.use]
    return renamed_cap(key, tuple(dict.fromkeys((*named, *known, *rest))))


def _verdict(call: LlmCall, rule: RuleContext) -> Verdict | None:
    match call.sdk:
        case "boto3.converse":
            return _converse(call)
        case "boto3.invoke_model":
            return _bodies(call, rule)
        case "openai.chat":
            return _openai_chat(call, rule)
        case "openai.responses" if _constructor(call) in OPENAI_CLIENTS and _plain(call):
            return Verdict(frozenset({"max_output_tokens"}), "is no argument of the Responses API (TypeError)", "error")
        case "anthropic.messages" if ANTHROPIC_CLIENTS.search(_constructor(call)) and _plain(call):
            return Verdict(frozenset({"max_tokens"}), "is no argument of the Messages API (TypeError)", "error")
        case "google.generate_content" if all(key.path.startswith("config.") for key in call.cap_keys):
            right = frozenset({"config.max_output_tokens", "config.maxOutputTokens"})
            return Verdict(right, "is no setting of GenerateContentConfig, which rejects unknown ones", "error")
        case "langchain.ChatBedrock" | "langchain.BedrockChat" | "langchain.BedrockLLM" | "langchain.Bedrock":
            return _chat_bedrock(call, rule)
        case "strands.BedrockModel" if _plain(call):
            consequence = "is no setting of BedrockModel, which warns and sends no cap"
            return Verdict(frozenset({"max_tokens"}), consequence, "warning")
        case _:
            return None


def _constructor(call: LlmCall) -> str:
    return (call.client.constructor or "").rpartition(".")[2].rpartition(":")[2]


def _plain(call: LlmCall) -> bool:
    """Every cap key is an argument of the call itself, not inside ``extra_body`` or the like."""
    return all("." not in key.path for key in call.cap_keys)


def _converse(call: LlmCall) -> Verdict | None:
    if any(key.path.startswith("additionalModelRequestFields") for key in call.cap_keys):
        return None
    right = frozenset({"inferenceConfig.maxTokens"})
    return Verdict(right, "is no parameter of Converse: botocore rejects the call before it is sent", "error")


def _bodies(call: LlmCall, rule: RuleContext) -> Verdict | None:
    """The keys that count in the body of every model of the call."""
    right: set[str] = set()
    consequences: list[tuple[str, Severity]] = []
    for model in certain_models(call, rule):
        keys = _body_keys(model, rule)
        if not keys:
            return None
        right |= keys
        consequences.append(_in_body(model))
    if not consequences:
        return None
    return Verdict(frozenset(right), *consequences[0])


def _in_body(model: ModelFacts) -> tuple[str, Severity]:
    if model.body == "anthropic":
        return f"does not count in a body of {model.family}, which is rejected without its cap (HTTP 400)", "error"
    if model.reasoning:
        return f"is rejected by {model.family}", "error"
    return f"is of another model family: Bedrock rejects it in a body of {model.family}, or ignores it", "warning"


def _body_keys(model: ModelFacts, rule: RuleContext) -> set[str]:
    """Cap keys of the model's own body, by the SDK table; empty where it is not described."""
    if model.body == "anthropic":
        return {"max_tokens_to_sample", "max_tokens"} if _TEXT_COMPLETION.match(model.family) else {"max_tokens"}
    if model.body == "openai" and model.reasoning:
        return {"max_completion_tokens"}
    keys = set(_body_table(model, rule))
    return keys | OPENAI_NAMES if model.body in OPENAI_LIKE else keys


def _body_table(model: ModelFacts, rule: RuleContext) -> tuple[str, ...]:
    tables = (body for sdk in rule.catalog.sdks for body in sdk.get("body", ()))
    return next((tuple(body["max_tokens"]) for body in tables if body["family"] == model.body), ())


def _openai_chat(call: LlmCall, rule: RuleContext) -> Verdict | None:
    """Only where the request certainly goes to OpenAI or Azure: gateways translate the key."""
    if _constructor(call) not in OPENAI_CLIENTS or not _plain(call):
        return None
    models = certain_models(call, rule, fallbacks=True)
    at_openai = "Azure" in _constructor(call) or at_openai_endpoint(call)
    if models and all(model.reasoning and model.vendor == "openai" for model in models) and at_openai:
        return Verdict(frozenset({"max_completion_tokens"}), f"is rejected by {models[0].family} (HTTP 400)", "error")
    return Verdict(OPENAI_NAMES, "is no argument of Chat Completions (TypeError)", "error")


def _chat_bedrock(call: LlmCall, rule: RuleContext) -> Verdict | None:
    """``model_kwargs`` go into the body as they are, except ``max_tokens``, which is translated; with the
    Converse API only keys that it knows survive (langchain-aws 1.9.1)."""
    models = certain_models(call, rule, fallbacks=True)
    if not models or any(model.body in (None, "nova") for model in models):
        return None
    own = {path for model in models for path in _body_keys(model, rule)}
    right = {"max_tokens", *own, *(path.rpartition(".")[2] for path in own)}
    return Verdict(
        frozenset({"max_tokens"} | {f"model_kwargs.{path}" for path in right}),
        f"is no cap of {models[0].family}: langchain-aws sends it on to be rejected or drops it",
        "warning",
        use=frozenset({"max_tokens"}),
    )


def _place(call: LlmCall, key: CapKey) -> tuple[Location, tuple[Related, ...]]:
    if (key.location.path, key.location.cell) == (call.location.path, call.location.cell):
        return key.location, (Related(call.primary, "the call"),)
    return call.primary, (Related(key.location, "the key is set here"),)
