"""PS201: a prompt is over its budget."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from promptslim.check.answer_demands import short_answer
from promptslim.check.prompt_cost import about, model_of, price, priced_uses, rounded, users_with_prices, waste
from promptslim.check.prompt_text import is_material
from promptslim.check.wording import quoted
from promptslim.core.finding import Confidence, Finding
from promptslim.core.prompt import Literal, Prompt
from promptslim.core.record import record
from promptslim.structure.build import structure_of
from promptslim.structure.repeats import blocks

if TYPE_CHECKING:
    from promptslim.catalog.model_facts import ModelFacts
    from promptslim.check.rule_context import RuleContext
    from promptslim.structure.segment import Structure

NOT_BUDGETED = ("tools", "tool", "assistant")
HEAD = 600
"""Characters in which a prompt says what the model is."""

LARGEST_SECTIONS = 3
NEARLY_ALL = 0.8
"""Share of the text from which a section is looked into."""

LEAST_SHARE = 10
"""Percent below which a part is not worth a mention."""


@record
class Budget:
    """A budget in tokens, why it counts, and how sure the rule is of it."""

    tokens: int
    reason: str
    confidence: Confidence | None


def oversized_system_prompt(prompt: Prompt, rule: RuleContext) -> Iterator[Finding]:
    """One finding for a definition whose certain text is over the budget of its role, or of a small task."""
    if prompt.shape == "tools" or prompt.role in NOT_BUDGETED or is_material(prompt):
        return
    text = "".join(part.text for part in prompt.parts if isinstance(part, Literal) and not part.maybe)
    own = rule.settings.budgets.get(prompt.id)
    if own is not None:
        from promptslim.check.prompt_budgets import over_own_budget  # few prompts have one

        yield from over_own_budget(prompt, text, own, rule)
        return
    names = ("budget", "message-budget", "small-task-budget", "material-budget")
    least = min(_option(rule, name) for name in names)
    if len(text) <= least:
        # Hardly any text has more tokens than characters.
        return
    model = model_of(prompt, rule)
    for find in (_budget, _small_task, _mostly_material):
        budget = find(prompt, rule)
        if budget is not None and rule.over(text, model, budget.tokens):
            yield _finding(prompt, text, budget, model, rule)
            return


def _option(rule: RuleContext, name: str) -> int:
    return int(str(rule.options[name]))


def _budget(prompt: Prompt, rule: RuleContext) -> Budget:
    experiment = prompt.location.cell is not None and prompt.role != "system"
    name = "message-budget" if prompt.role == "user" or experiment else "budget"
    return Budget(_option(rule, name), "", None)


def _small_task(prompt: Prompt, rule: RuleContext) -> Budget | None:
    """The budget of a task that has a short answer in every call, or whose prompt calls the model a classifier."""
    tokens = _option(rule, "small-task-budget")
    demands = [short_answer(call, rule.catalog.phrases) for call in rule.users(prompt)]
    if demands and demands[0] is not None and None not in demands:
        return Budget(tokens, f" for a task whose answer is {demands[0].form}", "medium")
    match = re.search(rule.catalog.phrases["small_task"]["role"], prompt.static_text[:HEAD], re.IGNORECASE)
    return Budget(tokens, f" for a small task ({quoted(match[0], 60)})", "low") if match else None


def _mostly_material(prompt: Prompt, rule: RuleContext) -> Budget | None:
    """The budget of a prompt of which most shows rather than says: examples, code and JSON, text said again."""
    if prompt.role == "user" or prompt.location.cell is not None:
        return None
    structure = structure_of(prompt)
    share = sum(_material(structure, rule).values()) / max(len(structure.flat.text), 1)
    if share < float(str(rule.options["material-share"])):
        return None
    return Budget(
        _option(rule, "material-budget"), " for one that is mostly examples, code and JSON, or text said again", "low"
    )


def _material(structure: Structure, rule: RuleContext) -> dict[str, int]:
    """Characters of what is no instruction of its own, by its name in messages."""
    segments = structure.segments
    shown = sum(segment.end - segment.start for segment in segments if segment.example)
    typed = sum(s.end - s.start for s in segments if s.kind in ("code", "data") and not s.example)
    harmless = frozenset(rule.catalog.phrases["repeated"]["harmless"])
    again = sum(segments[one.end - 1].end - segments[one.start].start for one in blocks(structure, harmless, 5, 90))
    return {"examples": shown, "code and JSON": typed, "repeated text": again}


def _finding(prompt: Prompt, text: str, budget: Budget, model: ModelFacts | None, rule: RuleContext) -> Finding:
    count = rule.count(text, model)
    uses = priced_uses(prompt, rule)
    cost = f"; {price(count.n, uses[0].model)} ({_source(uses[0].model)})" if uses else ""
    return rule.finding(
        f"{_name(prompt)} of {about(count)} goes with every call, over the budget of {budget.tokens:,}"
        f"{budget.reason}{_composition(structure_of(prompt), count.n, rule)}{cost}",
        prompt.primary,
        prompt=prompt,
        evidence=prompt.id,
        confidence=budget.confidence,
        related=users_with_prices(prompt, count.n, rule),
        impact=waste(prompt, count, count.n - budget.tokens, rule),
        size=count.n,
    )


def _name(prompt: Prompt) -> str:
    match prompt.role:
        case "system":
            return "a system prompt"
        case "user":
            return "the fixed text of a message"
        case _:
            return "a prompt"


def _source(model: ModelFacts) -> str:
    from promptslim.pricing.rates import provenance

    return provenance(model.rates) if model.rates else ""


def _composition(structure: Structure, tokens: int, rule: RuleContext) -> str:
    """Where the tokens are: shares of the characters, and of ``tokens`` by these shares."""
    total = max(len(structure.flat.text), 1)
    parts = [
        f"{percent} % {name} (about {rounded(tokens * part // total):,})"
        for name, part in _material(structure, rule).items()
        if (percent := round(100 * part / total)) >= LEAST_SHARE
    ]
    largest = _largest_sections(structure, tokens)
    if largest:
        parts.append("largest sections " + ", ".join(largest))
    return f": {'; '.join(parts)}" if parts else ""


def _largest_sections(structure: Structure, tokens: int) -> list[str]:
    """The largest sections with their share. A section that holds nearly everything is looked into."""
    total = len(structure.flat.text)
    inside: list[tuple[int, int]] = []
    deeper = _sizes(structure, 0)
    while deeper:
        inside = deeper
        deeper = _sizes(structure, inside[0][1]) if inside[0][0] >= NEARLY_ALL * total else []
    return [
        f"{quoted(structure.sections[one].title, 40)} {round(100 * size / total)} % "
        f"(about {rounded(tokens * size // total):,})"
        for size, one in inside[:LARGEST_SECTIONS]
        if 100 * size >= LEAST_SHARE * total
    ]


def _sizes(structure: Structure, section: int) -> list[tuple[int, int]]:
    """The sections directly inside one, as characters and index, the largest first."""
    children = [
        (structure.sections[one].end - structure.sections[one].start, one) for one in structure.children(section)
    ]
    return sorted(children, key=lambda one: (-one[0], one[1]))
