"""The prompts of a run, each once: where several calls or files send the same definition, one entry."""

from __future__ import annotations

from collections.abc import Iterable

from promptslim.core.call import LlmCall
from promptslim.core.facts import FileFacts
from promptslim.core.prompt import Prompt
from promptslim.core.record import replace
from promptslim.core.text import Location
from promptslim.core.values import Known

Key = tuple[str, int, int]


def prompts_of(calls: Iterable[LlmCall]) -> tuple[Prompt, ...]:
    """The texts that calls send (system prompts, messages, tools), each with the ids of all calls that send it.
    What is defined in one place but filled in different ways stays apart."""
    found: dict[tuple[object, ...], list[Prompt]] = {}
    for call in calls:
        for prompt in _sent(call):
            holes = tuple((hole.expression, hole.origin, _key(hole.source)) for hole in prompt.holes)
            found.setdefault((_key(prompt.location), prompt.static_text, holes), []).append(prompt)
    return tuple(_one(versions) for versions in found.values())


def definitions(files: Iterable[FileFacts]) -> tuple[Prompt, ...]:
    """The prompts of all files: what is defined in one and sent from others is one prompt."""
    return merged(prompt for file in files for prompt in file.prompts)


def merged(prompts: Iterable[Prompt]) -> tuple[Prompt, ...]:
    """Prompts of the same place as one, in the order of their places; the version that a call sends counts
    before the bare definition, since its holes are followed, then the longer one."""
    found: dict[Key, list[Prompt]] = {}
    for prompt in prompts:
        found.setdefault(_key(prompt.location), []).append(prompt)
    return tuple(_one(found[key]) for key in sorted(found))


def _key(place: Location | None) -> Key:
    return ("", -1, -1) if place is None else (place.path, -1 if place.cell is None else place.cell, place.span.start)


def _one(versions: list[Prompt]) -> Prompt:
    best = max(versions, key=lambda prompt: (bool(prompt.used_by), len(prompt.static_text)))
    users = tuple(dict.fromkeys(user for prompt in versions for user in prompt.used_by))
    return replace(best, used_by=users) if users != best.used_by else best


def _sent(call: LlmCall) -> Iterable[Prompt]:
    for field in (call.tools, call.system):
        for case in field:
            if isinstance(case.value, Known):
                yield replace(case.value.value, used_by=(call.id,))
    for messages in call.messages:
        if isinstance(messages.value, Known):
            for prompt in messages.value.value:
                if prompt.static_text.strip():
                    yield replace(prompt, used_by=(call.id,))
