"""PS204: politeness, announcements and long-winded phrases in the instructions of a prompt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from promptslim.check.prompt_cost import model_of, waste
from promptslim.check.prompt_fixes import prompt_fixes
from promptslim.check.wording import quoted
from promptslim.core.finding import Finding
from promptslim.structure.build import structure_of
from promptslim.structure.filler import filler, without
from promptslim.structure.flat import HOLE

if TYPE_CHECKING:
    from promptslim.check.rule_context import RuleContext
    from promptslim.core.prompt import Prompt
    from promptslim.structure.filler import Filler

MOST_QUOTED = 3


def filler_wording(prompt: Prompt, rule: RuleContext) -> Iterator[Finding]:
    """One finding for a prompt whose filler together costs enough tokens; never for a single "please"."""
    if prompt.role in ("assistant", "tool", "tools") or prompt.shape == "tools":
        return
    structure = structure_of(prompt)
    found = filler(structure, rule.catalog.phrases["filler"])
    least = int(str(rule.options["min-tokens"]))
    if not found or sum(one.end - one.start for one in found) < least:
        return  # a token is a character at least
    model = model_of(prompt, rule)
    text = structure.flat.text
    before = rule.count(text.replace(HOLE, ""), model)
    saved = before.n - rule.count(without(text, found).replace(HOLE, ""), model).n
    share = saved / max(before.n, 1)
    if saved < least or share < float(str(rule.options["min-share"])):
        return
    where = next(
        (at for one in found if (at := structure.flat.location(one.start, one.end)) is not None), prompt.primary
    )
    yield rule.finding(
        f"{len(found)} phrases of filler cost {_about(saved, before.method)} with every call, {share:.0%} of this "
        f"prompt: {_examples(text, found)}; leave them out or say them shorter",
        where if where.path == prompt.location.path else prompt.primary,
        evidence=" / ".join(text[one.start : one.end] for one in found[:MOST_QUOTED]),
        prompt=prompt,
        impact=waste(prompt, before, saved, rule),
        fixes=prompt_fixes(prompt, rule, ("announcing", "wording"), "unsafe"),
    )


def _about(tokens: int, method: str) -> str:
    return f"about {tokens} tokens (estimated)" if method == "estimate" else f"{tokens} tokens (counted)"


def _examples(text: str, found: Sequence[Filler]) -> str:
    """The longest different phrases, each with what says the same."""
    shown: dict[str, str] = {}
    for one in sorted(found, key=lambda one: one.start - one.end):
        phrase = text[one.start : one.end]
        shown.setdefault(
            " ".join(phrase.lower().split()), quoted(phrase) + (f" (= {one.instead})" if one.instead else "")
        )
    return ", ".join(list(shown.values())[:MOST_QUOTED])
