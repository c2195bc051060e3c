"""Which model a call goes to, as far as it is known."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from promptslim.core.values import Default, Known, Present

if TYPE_CHECKING:
    from promptslim.catalog.model_facts import ModelFacts
    from promptslim.check.rule_context import RuleContext
    from promptslim.core.call import LlmCall

_NOT_TEXT = re.compile(
    r"embed|rerank|moderation|whisper|tts|transcri|dall-e|[-_.]image|imagen|canvas|stable-diffusion|diffusion|sonic"
    r"|[-_.](?:audio|video|realtime|reel)|(?:^|[-_./])(?:veo|lyria|sora|voyage|pegasus|marengo)",
    re.IGNORECASE,
)
_ROUTED_NAME = re.compile(r"[^\W\d]+")


def written_models(call: LlmCall) -> tuple[str, ...]:
    """Every model id that the call may carry: written, filled in by the SDK, or the fallback of a setting."""
    ids: list[str] = []
    for case in call.model:
        match case.value:
            case Known(value=str(model_id)) | Default(value=str(model_id)) | Present(fallback=str(model_id)):
                ids.append(model_id)
    return tuple(ids)


def certain_model(call: LlmCall, rule: RuleContext) -> ModelFacts | None:
    """Facts of the one model that is written at the call and held by the tables, else None."""
    value = call.model.only
    return rule.model(value.value) if isinstance(value, Known) else None


def certain_models(call: LlmCall, rule: RuleContext) -> tuple[ModelFacts, ...]:
    """Facts of the model of every branch; empty where one branch's model is not written or not in the tables."""
    found: list[ModelFacts] = []
    for case in call.model:
        facts = rule.model(case.value.value) if isinstance(case.value, Known) else None
        if facts is None:
            return ()
        found.append(facts)
    return tuple(found)


def writes_text(call: LlmCall, rule: RuleContext) -> bool:
    """False where a model of the call makes embeddings, images, audio or rankings: by the tables, or by its
    name where they do not hold it."""
    for model_id in written_models(call):
        facts = rule.model(model_id)
        if facts.kind != "chat" if facts else _NOT_TEXT.search(model_id):
            return False
    return True


def is_placeholder(call: LlmCall, rule: RuleContext) -> bool:
    """True where every model is a bare word that no table holds (``inspect``, ``default``): a proxy or test
    harness decides what answers, and with which limits."""
    ids = written_models(call)
    return bool(ids) and all(_ROUTED_NAME.fullmatch(one) and rule.model(one) is None for one in ids)
