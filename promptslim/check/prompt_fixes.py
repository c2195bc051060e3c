"""The fixes of findings about prompt text: what the trimmers offer for a prompt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from promptslim.check.prompt_cost import model_of
from promptslim.core.text import Applicability, Fix

if TYPE_CHECKING:
    from promptslim.check.rule_context import RuleContext
    from promptslim.core.prompt import Prompt
    from promptslim.core.trimming import Level
    from promptslim.trim.offers import Offer


def prompt_fixes(
    prompt: Prompt, rule: RuleContext, trimmers: tuple[str, ...], level: Level, *, precise: bool = False
) -> tuple[Fix, ...]:
    """One fix per level, the mildest first, of what these trimmers change in a prompt. ``precise``: count with a
    vocabulary, which blank space needs; words that go are fewer by any count."""
    from promptslim.trim.offers import APPLICABILITY, Wanted, offers, trimmed
    from promptslim.trim.saving import scale_for, shown

    model = model_of(prompt, rule)
    counter = rule.run.counter()
    if precise:
        count = scale_for(counter, model.tokenizer if model else None).count
    else:

        def count(texts: Sequence[str]) -> list[int]:
            return [rule.count(text, model).n for text in texts]

    found = offers(prompt, rule.catalog.phrases, Wanted(level, rule.settings.keep, trimmers), count)
    fixes: list[Fix] = []
    for stage in dict.fromkeys(sorted((one.level for one in found), key=("safe", "unsafe", "proof").index)):
        own = _apart([one for one in found if one.level == stage])
        before, after = count([shown(prompt.parts), shown(trimmed(prompt, own))])
        saved = sum(one.saves for one in own) if prompt.shape == "tools" else before - after
        if saved > 0:
            title = ", ".join(dict.fromkeys(one.title for one in own)) + _warning(prompt, saved, rule)
            edits = tuple(edit for one in own for edit in one.edits)
            fixes.append(Fix(title, edits, APPLICABILITY[stage], saved))
    return tuple(fixes)


def _warning(prompt: Prompt, saved: int, rule: RuleContext) -> str:
    """What a fix would cost where it pushes a cached prefix under the minimum; empty where it does not."""
    from promptslim.check.cache_trap import threatened

    trap = threatened(prompt, saved, rule)
    if trap is None:
        return ""
    return (
        f" (the cached prefix would shrink from {trap.before:,} to {trap.after:,} tokens, under the cache minimum of "
        f"{trap.minimum:,}: dearer from a cache hit rate of {trap.hit_rate:.1%} on)"
    )


def _apart(found: Sequence[Offer]) -> list[Offer]:
    """Offers whose edits go together. Two keys of one dict share the comma between them: the second goes next time."""
    from promptslim.edits.apply import is_valid

    kept: list[Offer] = []
    for one in found:
        edits = tuple(edit for other in kept for edit in other.edits) if one.places == () else ()
        if not edits or is_valid(Fix("", (*edits, *one.edits), Applicability.DISPLAY)):
            kept.append(one)
    return kept
