"""Calls and prompts for programs: version 1 of the JSON contract (fixtures/formats/inventory-v1.schema.json)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import zip_longest
from typing import TypeVar

from promptslim.core.call import LlmCall
from promptslim.core.prompt import Prompt
from promptslim.core.result import CallSize, Inventory, TokenCount
from promptslim.core.values import Absent, Default, Field, Known, Present, Value
from promptslim.report.fields import decisive, fallback, state
from promptslim.report.formats import View

T = TypeVar("T")


def render(inventory: Inventory, view: View) -> Iterator[str]:  # noqa: ARG001 (the same for every view)
    """One JSON object, ASCII only, with a line break at its end."""
    contract = {
        "version": 1,
        "calls": [_call(call, size) for call, size in zip_longest(inventory.calls, inventory.call_sizes)],
        "prompts": [_prompt(prompt, size) for prompt, size in zip_longest(inventory.prompts, inventory.prompt_sizes)],
    }
    yield json.dumps(contract, indent=1) + "\n"


def _call(call: LlmCall, size: CallSize | None) -> dict[str, object]:
    prefix = size.stable_prefix if size else None
    cache_points = fallback(decisive(call.cache_points).value)
    return {
        "path": call.location.path,
        "cell": call.location.cell,
        "line": call.location.start[0],
        "end_line": call.location.end[0],
        "scope": call.scope or None,
        "id": call.id,
        "sdk": call.sdk,
        "model": _field(call.model),
        "max_tokens": _field(call.max_tokens),
        "system": _system(call.system, size.system if size else None),
        "stable_prefix_tokens": prefix.n if prefix else None,
        "cache_points": cache_points,
        "opaque": call.opaque,
    }


def _field(field: Field[T]) -> dict[str, object]:
    shown = _value(decisive(field).value)
    if len(field.cases) > 1:
        shown["cases"] = [{"condition": case.condition, **_value(case.value)} for case in field]
    return shown


def _value(value: Value[T]) -> dict[str, object]:
    sent = fallback(value)
    return {"state": state(value), "value": sent}


def _system(field: Field[Prompt], count: TokenCount | None) -> dict[str, object]:
    value = decisive(field).value
    holes = None
    match value:
        case Known(value=Prompt() as prompt) | Default(value=Prompt() as prompt) | Present(fallback=Prompt() as prompt):
            holes = len(prompt.holes)
        case Absent():
            count = None
    return {
        "state": state(value),
        "tokens": count.n if count else None,
        "method": count.method if count else None,
        "holes": holes,
    }


def _prompt(prompt: Prompt, count: TokenCount | None) -> dict[str, object]:
    return {
        "id": prompt.id,
        "path": prompt.location.path,
        "cell": prompt.location.cell,
        "line": prompt.location.start[0],
        "role": prompt.role,
        "tokens": count.n if count else None,
        "method": count.method if count else None,
        "holes": len(prompt.holes),
        "used_by": sorted(prompt.used_by),
    }
