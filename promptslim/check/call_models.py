"""Which model a call goes to, as far as it is known."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from promptslim.core.lazy_pattern import pattern
from promptslim.core.record import record
from promptslim.core.values import Default, Known, Present

if TYPE_CHECKING:
    from promptslim.catalog.model_facts import ModelFacts
    from promptslim.check.rule_context import RuleContext
    from promptslim.core.call import LlmCall
    from promptslim.core.text import Location

_NOT_TEXT = pattern(
    r"embed|rerank|moderation|whisper|tts|transcri|dall-e|[-_.]image|imagen|canvas|stable-diffusion|diffusion|sonic"
    r"|[-_.](?:audio|video|realtime|reel)|(?:^|[-_./])(?:veo|lyria|sora|voyage|pegasus|marengo)",
    re.IGNORECASE,
)
_MANAGED_PROMPT = pattern(r"^arn:[^:]*:bedrock:.*:prompt/")
_ROUTED_NAME = pattern(r"[^\W\d]+")


@record
class WrittenModel:
    """A model id as it stands in the program. ``certain`` is false for the fallback of a setting, which may be
    overridden at run time. ``location`` is the id's own place where that is known."""

    id: str
    certain: bool
    location: Location | None

    def place(self, call: LlmCall) -> Location:
        """The id itself where it stands in the file of the call, so that calls that share a constant share
        a finding; else the call."""
        at = self.location
        return at if at is not None and at.path == call.location.path else call.primary


def written_models(call: LlmCall) -> Iterator[WrittenModel]:
    """The ids that the program writes for a call, each once."""
    seen: set[str] = set()
    for case in call.model:
        match case.value:
            case Known(value=str(model_id), location=at) if model_id not in seen:
                yield WrittenModel(model_id, True, at)
            case Present(fallback=str(model_id), location=at) if model_id not in seen:
                yield WrittenModel(model_id, False, at)
            case _:
                continue
        seen.add(model_id)


def possible_models(call: LlmCall) -> tuple[str, ...]:
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


def certain_models(call: LlmCall, rule: RuleContext, *, fallbacks: bool = False) -> tuple[ModelFacts, ...]:
    """Facts of the model of every branch; empty where one branch's model is not written or not in the tables.
    ``fallbacks``: the fallback of a setting or parameter counts as written."""
    found: list[ModelFacts] = []
    for case in call.model:
        match case.value:
            case Known(value=str(model_id)):
                facts = rule.model(model_id)
            case Present(fallback=str(model_id)) if fallbacks:
                facts = rule.model(model_id)
            case _:
                facts = None
        if facts is None:
            return ()
        found.append(facts)
    return tuple(found)


def writes_text(call: LlmCall, rule: RuleContext) -> bool:
    """False where a model of the call makes embeddings, images, audio or rankings: by the tables, or by its
    name where they do not hold it."""
    for model_id in possible_models(call):
        facts = rule.model(model_id)
        if facts.kind != "chat" if facts else _NOT_TEXT.search(model_id):
            return False
    return True


def settings_are_elsewhere(call: LlmCall, rule: RuleContext) -> bool:
    """True where every model is a managed prompt, which carries its own settings, or a bare word that no table
    holds (``inspect``, ``default``): a proxy or test harness decides what answers, and with which limits."""
    ids = possible_models(call)
    return bool(ids) and all(
        _MANAGED_PROMPT.search(one) or (_ROUTED_NAME.fullmatch(one) and rule.model(one) is None) for one in ids
    )
