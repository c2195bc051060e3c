"""PS205: blank space and ruler lines that cost tokens and say nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from promptslim.check.prompt_cost import model_of, waste
from promptslim.check.prompt_fixes import prompt_fixes
from promptslim.core.finding import Finding
from promptslim.core.result import TokenCount
from promptslim.structure.blank_space import blank_space, tightened
from promptslim.structure.build import structure_of
from promptslim.structure.flat import HOLE
from promptslim.tokens.generations import GENERATIONS

if TYPE_CHECKING:
    from promptslim.check.rule_context import RuleContext
    from promptslim.core.call import LlmCall
    from promptslim.core.prompt import Prompt
    from promptslim.structure.blank_space import Blank, BlankKind

STAND_IN = "claude-3"
"""Whose vocabulary counts for models without one here. On prose with margins, blanks at line ends, repeated blanks
and rulers it saves what o200k saves (24 of 24, 23 of 23, 168 of 168, 23 of 23 tokens), where the estimate, which
does not see what a run of blanks costs, is up to ten times too high."""

DEAREST = 10
"""Tokens that one place can save at most: 60 dashes in Claude 4.7's vocabulary."""


def wasted_whitespace(prompt: Prompt, rule: RuleContext) -> Iterator[Finding]:
    """One finding for a prompt whose blank space costs enough tokens, by a vocabulary and not by its length."""
    if prompt.role in ("assistant", "tool", "tools") or prompt.shape == "tools":
        return
    structure = structure_of(prompt)
    found = blank_space(structure, templated=prompt.shape in ("jinja", "mustache"))
    if any(_dedents(call) for call in rule.users(prompt)):
        found = tuple(one for one in found if one.kind != "margin")
    least = int(str(rule.options["min-tokens"]))
    if len(found) * DEAREST < least:
        return
    text = structure.flat.text
    before, after = _counts([text, tightened(text, found)], prompt, rule)
    saved = before.n - after.n
    if saved < least or saved < float(str(rule.options["min-share"])) * before.n:
        return
    first = next((at for one in found if (at := structure.flat.location(one.start, one.end))), prompt.primary)
    known = before.method != "estimate"
    yield rule.finding(
        f"blank space costs {saved if known else f'about {saved}'} tokens ({'counted' if known else 'estimated'}) with "
        f"every call, {saved / max(before.n, 1):.0%} of this prompt: {_reasons(found)}; {_remedy(found)}",
        first if first.path == prompt.location.path else prompt.primary,
        evidence=f"{prompt.id} blank space",
        prompt=prompt,
        impact=waste(prompt, before, saved, rule),
        fixes=prompt_fixes(prompt, rule, ("blank-space", "decoration"), "unsafe", precise=True),
    )


def _dedents(call: LlmCall) -> bool:
    """True for a call that dedents its messages itself: instructor does, where it fills them from a context
    (instructor 1.15, templating.py)."""
    return "response_model=" in call.location.text and "context=" in call.location.text


def _counts(texts: Sequence[str], prompt: Prompt, rule: RuleContext) -> list[TokenCount]:
    """Counts by the vocabulary of the model where it is known, else by a vocabulary that treats blank space alike,
    called an estimate."""
    model = model_of(prompt, rule)
    known = model is not None and model.tokenizer in GENERATIONS
    key = model.tokenizer if model is not None and known else STAND_IN
    # A hole stands for a word: without it the blanks around it would run together.
    counts = rule.run.counter().count_many([text.replace(HOLE, "x") for text in texts], key, precise=True)
    return counts if known else [TokenCount(one.n, one.low, one.high, "estimate") for one in counts]


def _reasons(found: Sequence[Blank]) -> str:
    kinds = Counter(one.kind for one in found)
    margin = next((one.end - one.start for one in found if one.kind == "margin"), 0)
    texts: dict[BlankKind, str] = {
        "margin": f"{kinds['margin']} lines share an indentation of {margin}",
        "line end": f"{kinds['line end']} line ends have blanks",
        "inner": f"{kinds['inner']} gaps between words are wider than one blank",
        "ruler": f"{kinds['ruler']} rulers are longer than three signs",
    }
    return ", ".join(text for kind, text in texts.items() if kinds[kind])


def _remedy(found: Sequence[Blank]) -> str:
    if any(one.kind == "margin" for one in found):
        return "take the indentation out of the literal (textwrap.dedent, before values are filled in)"
    return "remove it: no word changes" if any(one.kind != "ruler" for one in found) else "shorten them to three"
