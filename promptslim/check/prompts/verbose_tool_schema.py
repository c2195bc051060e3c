"""PS207: tool definitions that say things twice or say nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from promptslim.check.prompt_cost import model_of, waste
from promptslim.check.prompt_fixes import prompt_fixes
from promptslim.check.wording import quoted
from promptslim.core.finding import Finding
from promptslim.structure.flat import HOLE, flatten
from promptslim.structure.tool_padding import REPEATS_ARGUMENT, Padding, padding_in

if TYPE_CHECKING:
    from promptslim.check.rule_context import RuleContext
    from promptslim.core.prompt import Prompt

DESCRIBES = "strands."
"""Strands Agents 1.62 writes "Parameter x" where the docstring of a tool does not describe x (``tools/decorator.py``):
what only repeats the name there costs no more."""


def verbose_tool_schema(prompt: Prompt, rule: RuleContext) -> Iterator[Finding]:
    """One finding for a list of tools whose repetitions together cost enough tokens."""
    if prompt.shape != "tools":
        return
    flat = flatten(prompt.parts)
    found = padding_in(flat.text, rule.catalog.phrases["tool_wording"])
    if any(call.sdk.startswith(DESCRIBES) for call in rule.users(prompt)):
        found = tuple(one for one in found if one.why != REPEATS_ARGUMENT)
    least = int(str(rule.options["min-tokens"]))
    if not found or sum(one.end - one.start for one in found) < least:
        return
    model = model_of(prompt, rule)
    before = rule.count(flat.text.replace(HOLE, ""), model)
    saved = before.n - rule.count(_without(flat.text, found).replace(HOLE, ""), model).n
    if saved < least or saved < float(str(rule.options["min-share"])) * before.n:
        return
    first = next((at for one in found if (at := flat.location(*one.shown)) is not None), prompt.primary)
    number = f"about {saved} tokens (estimated)" if before.method == "estimate" else f"{saved} tokens (counted)"
    yield rule.finding(
        f"these tool definitions repeat themselves: {number} of each call, "
        f"{saved / max(before.n, 1):.0%} of what is visible of them: {_reasons(found)}",
        first if first.path == prompt.location.path else prompt.primary,
        evidence=f"{prompt.id} {found[0].example}",
        prompt=prompt,
        impact=waste(prompt, before, saved, rule),
        fixes=prompt_fixes(prompt, rule, ("tool-schema",), "unsafe"),
    )


def _without(text: str, found: Sequence[Padding]) -> str:
    pieces: list[str] = []
    at = 0
    for one in found:
        pieces.append(text[at : one.start])
        at = one.end
    return "".join((*pieces, text[at:]))


def _reasons(found: Sequence[Padding]) -> str:
    kinds: dict[str, list[Padding]] = {}
    for one in found:
        kinds.setdefault(one.why, []).append(one)
    return "; ".join(f"{len(ones)} {why} ({quoted(ones[0].example, 60)})" for why, ones in kinds.items())
