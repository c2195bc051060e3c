"""Calls and prompts for people: one block per file."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby, zip_longest
from typing import TypeVar

from promptslim.core.call import LlmCall
from promptslim.core.prompt import Prompt
from promptslim.core.result import CallSize, Inventory, TokenCount
from promptslim.core.values import Absent, Default, Field, Present, Unknown, Value
from promptslim.report import escape
from promptslim.report.colour import paint
from promptslim.report.fields import fallback
from promptslim.report.formats import View
from promptslim.report.place import place
from promptslim.report.quantity import tokens

T = TypeVar("T")


def render(inventory: Inventory, view: View) -> Iterator[str]:
    """Calls with what was resolved of them, then prompts, then how many there are."""
    calls = zip_longest(inventory.calls, inventory.call_sizes)
    for path, rows in groupby(calls, key=lambda row: row[0].location.path):
        yield paint(escape.path(path), "bold", view.colour) + "\n"
        for call, size in rows:
            yield from _call(call, size, view.colour)
        yield "\n"
    if inventory.prompts:
        yield paint("Prompts", "bold", view.colour) + "\n"
    for prompt, count in zip_longest(inventory.prompts, inventory.prompt_sizes):
        yield f"  {place(prompt.primary)} {escape.one_line(prompt.id)}: {_prompt(prompt, count)}\n"
    if inventory.prompts:
        yield "\n"
    if view.summary:
        calls_found, prompts_found = len(inventory.calls), len(inventory.prompts)
        yield f"{calls_found} LLM call{_s(calls_found)}, {prompts_found} prompt{_s(prompts_found)}\n"


def _call(call: LlmCall, size: CallSize | None, colour: bool) -> Iterator[str]:
    line, column = call.location.start
    where = f"{line}:{column}" if call.location.cell is None else f"cell {call.location.cell}:{line}:{column}"
    scope = f" in {escape.one_line(call.scope)}" if call.scope else ""
    yield f"  {paint(where, 'blue', colour)} {call.sdk}{scope}\n"
    yield f"      model       {_field(call.model)}\n"
    yield f"      max_tokens  {_field(call.max_tokens)}\n"
    yield f"      system      {_system(call.system, size)}\n"
    if size and size.stable_prefix and size.stable_prefix.n:
        yield f"      prefix      {tokens(size.stable_prefix)} before the first changing part\n"
    points = fallback(call.cache_points.cases[0].value)
    if points:
        yield f"      cached      {points} cache point{_s(points)}\n"
    if call.opaque:
        yield "      further settings may come from outside\n"


def _field(field: Field[T]) -> str:
    shown = []
    for case in field.cases:
        when = f" if {escape.one_line(case.condition)}" if case.condition else ""
        shown.append(_value(case.value) + when)
    return "; ".join(dict.fromkeys(shown))


def _value(value: Value[T]) -> str:
    match value:
        case Default(value=sent, sdk_version=version):
            return (
                f"{escape.one_line(str(sent))} (default of the SDK, {version})" if sent is not None else "SDK default"
            )
        case Present(origin=origin, fallback=sent):
            known = f", {escape.one_line(str(sent))} unless overridden" if sent is not None else ""
            return f"set at run time ({escape.one_line(origin)}){known}"
        case Absent():
            return "not set"
        case Unknown(origin=origin):
            return f"unknown ({escape.one_line(origin)})" if origin else "unknown"
        case _:
            return escape.one_line(str(value.value))


def _system(field: Field[Prompt], size: CallSize | None) -> str:
    prompt = fallback(field.cases[0].value)
    if prompt is not None:
        return _prompt(prompt, size.system if size else None)
    return "not set" if field.only == Absent() else "unknown"


def _prompt(prompt: Prompt, count: TokenCount | None) -> str:
    holes = len(prompt.holes)
    size = tokens(count) if count else "tokens unknown"
    return f"{prompt.role}, {size}" + (f", {holes} hole{_s(holes)}" if holes else "")


def _s(count: int) -> str:
    return "" if count == 1 else "s"
