"""What one call sends, in the order in which the provider reads it: tools, system, messages."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, islice, product
from typing import Any, TypeVar

from promptslim.core.call import LlmCall
from promptslim.core.prompt import Part, Prompt
from promptslim.core.record import record
from promptslim.core.values import Absent, Case, Field, Known

T = TypeVar("T")

MOST_REQUESTS = 16
"""Combinations of branches that are looked at. Calls with more are rare; the first ones stand for all."""


@record
class Request:
    """What a call sends in one combination of its branches. None and an empty tuple: not sent, or not visible;
    ``visible`` is true where every field is certain, so that nothing else is sent. For an API without a system
    argument ``system`` is the first system message, which stands in ``messages`` too."""

    tools: Prompt | None
    system: Prompt | None
    messages: tuple[Prompt, ...]
    visible: bool

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        """Tools, system and messages, in this order, each once."""
        apart = None if self.system in self.messages else self.system
        return tuple(one for one in (self.tools, apart, *self.messages) if one is not None)

    def parts(self) -> Iterator[tuple[Prompt, Part]]:
        """Every part with the prompt that it belongs to, in the order in which the provider reads them
        (AWS user guide, prompt caching: tools, system, messages; Anthropic and OpenAI alike)."""
        for prompt in self.prompts:
            for part in prompt.parts:
                yield prompt, part


def requests(call: LlmCall) -> tuple[Request, ...]:
    """Every combination of the branches of a call, the first ``MOST_REQUESTS`` of them; never empty.

    Branches under the same condition belong together. Messages that cannot be seen are left out where others
    can: a caller that cannot be followed says nothing about the rest.
    """
    seen = tuple(case for case in call.messages if isinstance(case.value, Known))
    fields: tuple[Field[Any], ...] = (call.tools, call.system, Field(seen) if seen else call.messages)
    chosen = (cases for cases in product(*(field.cases for field in fields)) if _agree(fields, cases))
    found = tuple(_request(*cases) for cases in islice(chosen, MOST_REQUESTS))
    return found or (_request(*(field.cases[0] for field in fields)),)


def _agree(fields: tuple[Field[Any], ...], cases: tuple[Case[Any], ...]) -> bool:
    """False where two fields have the same branches, and the cases stand in different ones."""
    return not any(
        one.condition != other.condition and _has(field, other.condition) and _has(other_field, one.condition)
        for (field, one), (other_field, other) in combinations(zip(fields, cases, strict=True), 2)
    )


def _has(field: Field[Any], condition: str | None) -> bool:
    return condition is not None and any(case.condition == condition for case in field)


def _request(tools: Case[Prompt], system: Case[Prompt], messages: Case[tuple[Prompt, ...]]) -> Request:
    visible = all(isinstance(case.value, (Known, Absent)) for case in (tools, system, messages))
    return Request(_value(tools), _value(system), _value(messages) or (), visible)


def _value(case: Case[T]) -> T | None:
    return case.value.value if isinstance(case.value, Known) else None
