"""PS101: the API accepts a call without an output cap, and provably none is set."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from promptslim.check.call_models import certain_model, settings_are_elsewhere, writes_text
from promptslim.check.cap_fixes import added_cap
from promptslim.check.wording import branch
from promptslim.core.call import LlmCall
from promptslim.core.finding import Confidence, Finding
from promptslim.core.values import Absent, Case, Default, Known

if TYPE_CHECKING:
    from promptslim.catalog.model_facts import ModelFacts
    from promptslim.check.rule_context import RuleContext

CONVERSE = ("boto3.converse", "langchain.ChatBedrockConverse", "strands.BedrockModel", "strands.Agent")
CAP_IS_REQUIRED = ("anthropic.messages", "anthropic.completions", "strands.AnthropicModel")
INVOKES = (
    "boto3.invoke_model",
    "langchain.Bedrock",
    "langchain.BedrockLLM",
    "langchain.BedrockChat",
    "langchain.ChatBedrock",
)
LOCAL = ("ollama/", "ollama_chat/", "ollama:", "lm_studio/", "llamafile/")


def missing_max_tokens(call: LlmCall, rule: RuleContext) -> Iterator[Finding]:
    """One finding for a call whose cap is absent in some branch. A cap under a key that does not count is the
    matter of wrong-cap-key; Unknown and Present caps are silent."""
    case = _uncapped(call)
    if case is None or call.sdk in CAP_IS_REQUIRED or not writes_text(call, rule) or settings_are_elsewhere(call, rule):
        return
    model = certain_model(call, rule)
    rejected = call.sdk == "boto3.invoke_model" and model is not None and model.body == "anthropic"
    yield rule.finding(
        f"no output cap is set{branch(call.max_tokens, case)}: {_consequence(call, case, model)}",
        call.primary,
        call=call,
        evidence=f"{call.scope} {call.callee}",
        severity="error" if rejected else None,
        confidence=_confidence(call, case),
        fixes=added_cap(call, rule),
    )


def _uncapped(call: LlmCall) -> Case[int] | None:
    """The first branch without a cap, or with the model's maximum as the SDK's own choice."""
    one_branch = len(call.max_tokens.cases) == 1
    for case in call.max_tokens:
        match case.value:
            case Absent() if not (one_branch and call.cap_keys):
                return case
            case Default(value=None, note=note) if "model's maximum" in note:
                return case
    return None


def _confidence(call: LlmCall, case: Case[int]) -> Confidence | None:
    model = call.model.only
    local = isinstance(model, Known) and model.value.startswith(LOCAL)
    return "low" if call.kind == "agent" or local or isinstance(case.value, Default) else None


def _consequence(call: LlmCall, case: Case[int], model: ModelFacts | None) -> str:
    maximum = f" ({model.max_output:,} tokens)" if model and model.max_output else ""
    if isinstance(case.value, Default):
        return f"{case.value.note}{maximum} ({case.value.sdk_version}), so a runaway answer is bounded by nothing less"
    if call.sdk in INVOKES and not (call.sdk == "langchain.ChatBedrock" and model is not None and model.body == "nova"):
        return _invoke_model(model)
    bedrock = call.sdk in CONVERSE or (model is not None and model.route == "bedrock")
    if bedrock:
        claude = model.vendor == "anthropic" if model else None
        observed = "; observed: Claude stops at 4,096 tokens" if claude is not False else ""
        said = f"the service decides (documented: the model's maximum{maximum}{observed})"
        end = f"{said}, and reserves that much of the tokens-per-minute quota when the call starts"
    else:
        end = f"an answer may run up to the model's own maximum{maximum}, and is cut nowhere before"
    return f"neither here nor in what is visible of its model; {end}" if call.kind == "agent" else end


def _invoke_model(model: ModelFacts | None) -> str:
    """LangChain's ChatBedrock sends Nova through Converse, everything else through invoke_model."""
    if model is not None and model.body == "anthropic":
        return "a Claude body without max_tokens is rejected with HTTP 400"
    return "the model family's own default applies, which may cut an answer short or let it run"
