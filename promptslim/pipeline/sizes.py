"""Tokens of calls and prompts, for the inventory."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeVar

from promptslim.core.prompt import Hole, Literal, Part, Prompt
from promptslim.core.result import CallSize, TokenCount
from promptslim.core.values import Absent, Field, Known, Present

if TYPE_CHECKING:
    from promptslim.catalog import Catalog
    from promptslim.core.call import LlmCall
    from promptslim.tokens.counter import Counter

T = TypeVar("T")
UNKNOWN_TOKENIZER = "unknown"


def call_size(call: LlmCall, catalog: Catalog, counter: Callable[[], Counter]) -> CallSize:
    """Tokens of the static system text and of the stable prefix of a call.

    The stable prefix is what is sent in front of the first hole, in the order in which providers read a
    request: tools, system, messages. It is not known where the tools or the system prompt are not.
    ``counter`` is asked for only where there is something to count.
    """
    tokenizer = _tokenizer(call, catalog)
    system = _text(call.system)
    prefix = _stable_prefix(call)
    return CallSize(
        system=None if system is None else counter().count(system.static_text, tokenizer),
        stable_prefix=None if prefix is None else counter().count(prefix, tokenizer),
    )


def prompt_size(
    prompt: Prompt, users: Iterable[LlmCall], catalog: Catalog, counter: Callable[[], Counter]
) -> TokenCount:
    """Tokens of the static text of a prompt, by the tokenizer of the calls that use it where they agree."""
    tokenizers = {_tokenizer(call, catalog) for call in users}
    return counter().count(prompt.static_text, tokenizers.pop() if len(tokenizers) == 1 else UNKNOWN_TOKENIZER)


def _tokenizer(call: LlmCall, catalog: Catalog) -> str:
    models = [catalog.model(model_id) for model_id in call.model.known()]
    keys = {model.tokenizer if model else UNKNOWN_TOKENIZER for model in models}
    return keys.pop() if len(keys) == 1 else UNKNOWN_TOKENIZER


def _text(field: Field[Prompt]) -> Prompt | None:
    match field.cases[0].value:
        case Known(value=Prompt() as prompt) | Present(fallback=Prompt() as prompt):
            return prompt
        case _:
            return None


def _stable_prefix(call: LlmCall) -> str | None:
    parts: list[Part] = []
    for field in (call.tools, call.system):
        match field.only:
            case Absent():
                continue
            case Known(value=Prompt() as prompt):
                parts += prompt.parts
            case _:
                return None
    match call.messages.only:
        case Known(value=tuple() as prompts):
            parts += [part for prompt in prompts for part in prompt.parts]
        case _:
            parts.append(Hole("messages"))
    stable: list[str] = []
    for part in parts:
        if isinstance(part, Hole):
            break
        if isinstance(part, Literal):
            stable.append(part.text)
    return "".join(stable)
