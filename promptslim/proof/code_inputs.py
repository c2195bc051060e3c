"""What the code says today of the things a proof rests on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from promptslim.core.call import LlmCall
from promptslim.core.prompt import Prompt
from promptslim.core.record import field, record
from promptslim.core.values import Absent, Default, Field, Known, Present
from promptslim.proof.canonical import json_bytes, prompt_hash, prompts_hash

UNSET = "unset"
"""What a lock calls the list of settings that no call sets."""


@record
class CodeInputs:
    """A prompt and the calls that send it. Each field holds the different values that are certain, in order; what is
    decided at run time is left out, and None stands for what is provably not set.

    ``prompt`` is the hash of the canonical prompt, ``tools`` hashes of tool definitions, ``beside`` hashes of all the
    other texts of a call (None where there are none), ``settings`` those of ``LlmCall.settings``, by name.
    """

    prompt: str
    model: tuple[str | None, ...] = ()
    max_tokens: tuple[int | None, ...] = ()
    thinking: tuple[object, ...] = ()
    tools: tuple[str | None, ...] = ()
    beside: tuple[str | None, ...] = ()
    settings: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    @property
    def recorded(self) -> dict[str, tuple[Any, ...]]:
        """``of_calls`` as a lock has it: the names of settings that no call sets stand in a list of their own."""
        unset = tuple(name for name, values in self.settings.items() if values == (None,))
        return {**{name: values for name, values in self.of_calls.items() if name not in unset}, UNSET: unset}

    @property
    def of_calls(self) -> dict[str, tuple[Any, ...]]:
        """What comes from the calls, by name."""
        return {
            "model": self.model,
            "max_tokens": self.max_tokens,
            "thinking": self.thinking,
            "tools": self.tools,
            "beside": self.beside,
            **self.settings,
        }


def code_inputs(prompt: Prompt, calls: Sequence[LlmCall]) -> CodeInputs:
    """The inputs of a prompt, sent by ``calls``."""
    return CodeInputs(
        prompt=prompt_hash(prompt),
        model=_all(calls, lambda call: call.model, str),
        max_tokens=_all(calls, lambda call: call.max_tokens, int),
        thinking=_all(calls, lambda call: call.thinking, _data),
        tools=_all(calls, lambda call: call.tools, prompt_hash),
        beside=_distinct(one for call in calls for one in _beside(prompt, call)),
        settings=_settings(calls),
    )


def _settings(calls: Sequence[LlmCall]) -> dict[str, tuple[Any, ...]]:
    found: dict[str, list[object]] = {}
    for call in calls:
        for name, value in call.settings:
            found.setdefault(name, []).extend(None if one is None else setting(one) for one in _certain(value))
    return {name: _distinct(values) for name, values in found.items()}


def setting(value: object) -> object:
    """The value of a setting as a lock has it: a number, text or switch as it is, anything else as text."""
    return value if value is None or isinstance(value, bool | int | float | str) else _data(value)


def _all(
    calls: Sequence[LlmCall], field: Callable[[LlmCall], Field[object]], make: Callable[..., object]
) -> tuple[Any, ...]:
    return _distinct(None if value is None else make(value) for call in calls for value in _certain(field(call)))


def _certain(field: Field[object]) -> Iterable[object]:
    for case in field:
        match case.value:
            case Known(value=value):
                yield value
            case Default(value=value) | Present(fallback=value) if value is not None:
                yield value
            case Absent():
                yield None


def _data(value: object) -> object:
    """Data as text, so that it can stand in the lock whatever it is."""
    return json_bytes(value).decode("utf-8", "replace")


def _beside(prompt: Prompt, call: LlmCall) -> Iterable[str | None]:
    """The other texts of a call, where all of them are certain."""
    match call.system.only, call.messages.only:
        case (Known() | Absent()) as system, (Known() | Absent()) as messages:
            first = (system.value,) if isinstance(system, Known) else ()
            rest = messages.value if isinstance(messages, Known) else ()
            others = [one for one in (*first, *rest) if one.location != prompt.location]
            yield prompts_hash(others) if others else None
        case _:
            return


def _distinct(values: Iterable[object]) -> tuple[Any, ...]:
    found = {repr(value): value for value in values}
    return tuple(found[key] for key in sorted(found))
