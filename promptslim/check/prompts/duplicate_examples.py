"""PS203: a prompt shows the same example twice."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from promptslim.check.prompt_cost import about, model_of, waste
from promptslim.check.prompt_fixes import prompt_fixes
from promptslim.check.wording import quoted
from promptslim.core.finding import Finding, Related
from promptslim.core.prompt import Prompt
from promptslim.core.record import record
from promptslim.core.values import Known
from promptslim.structure.build import structure_of
from promptslim.structure.repeats import Key, key_of, same_wording
from promptslim.structure.shown_examples import shown_examples

if TYPE_CHECKING:
    from promptslim.check.rule_context import RuleContext
    from promptslim.core.call import LlmCall
    from promptslim.core.text import Location
    from promptslim.structure.segment import Example, Structure

MOST_PLACES = 6
_HINT = re.compile(
    r"\b(?:examples?|input|question|q|user|human|text|review|ticket|sentence|sample|shot)\b", re.IGNORECASE
)


@record
class Shown:
    """An example: its words, the text as written, how it is quoted, and its place."""

    key: Key
    text: str
    head: str
    location: Location


def duplicate_examples(prompt: Prompt, rule: RuleContext) -> Iterator[Finding]:
    """One finding for the examples in a definition's text, at the first that repeats an earlier one, and one for
    the pairs of messages that a call shows."""
    if prompt.shape == "tools" or prompt.role in ("tools", "tool"):
        return
    harmless = frozenset(rule.catalog.phrases["repeated"]["harmless"])
    if prompt.role != "assistant" and _HINT.search(prompt.static_text):
        structure = structure_of(prompt)
        if len(structure.examples) > 1:
            yield from _repeats(_examples(prompt, structure, harmless), prompt, rule)
    if prompt.role == "user":
        yield from _pairs(prompt, harmless, rule)


def _repeats(
    shown: Sequence[Shown], prompt: Prompt, rule: RuleContext, call: LlmCall | None = None
) -> Iterator[Finding]:
    """A finding for the examples that say what an earlier one says."""
    first_of: dict[Key, Shown] = {}
    again: list[tuple[Shown, Shown]] = []
    similarity = float(str(rule.options["similarity"]))
    for one in shown:
        first = first_of.setdefault(one.key, one)
        if first is not one and same_wording(first.text, one.text, similarity):
            again.append((first, one))
    if not again:
        return
    first, second = again[0]
    count = rule.count("\n".join(one.text for _, one in again), model_of(prompt, rule))
    places = [Related(first.location, "first shown here")]
    places += [Related(one.location, "shown again here") for _, one in again[1:MOST_PLACES]]
    number = "an example is" if len(again) == 1 else f"{len(again)} of {len(shown)} examples are"
    yield rule.finding(
        f"{number} shown twice, the first time in {quoted(first.head, 60)}: {about(count)} that teach nothing new; "
        "drop the copies, or show a case that is missing",
        second.location,
        call=call,
        prompt=prompt,
        evidence=" ".join(second.text.split()),
        related=places,
        impact=waste(prompt, count, count.low, rule),
        fixes=() if call else prompt_fixes(prompt, rule, ("duplicate-examples",), "proof"),
    )


def _examples(prompt: Prompt, structure: Structure, harmless: Collection[str]) -> list[Shown]:
    return [
        Shown(one.key, one.text, one.head, _place(structure, one.example) or prompt.primary)
        for one in shown_examples(structure, harmless)
    ]


def _place(structure: Structure, example: Example) -> Location | None:
    text = structure.flat.text[example.start : example.end]
    start = example.start + len(text) - len(text.lstrip())
    return structure.flat.location(start, start + max(len(text.strip().partition("\n")[0].rstrip()), 1))


def _pairs(prompt: Prompt, harmless: Collection[str], rule: RuleContext) -> Iterator[Finding]:
    """The pairs of a conversation that is written out, said at the first message that is asked again."""
    for call in rule.users(prompt):
        messages = call.messages.only
        if not isinstance(messages, Known) or len(messages.value) < 4:
            continue
        pairs = [
            (user, answer)
            for user, answer in zip(messages.value, messages.value[1:], strict=False)
            if user.role == "user" and answer.role == "assistant" and not user.holes and not answer.holes
        ]
        shown = [_shown(user, answer, harmless) for user, answer in pairs]
        findings = list(_repeats(shown, prompt, rule, call))
        if findings and findings[0].primary == _start(prompt):
            yield findings[0]
            return


def _shown(user: Prompt, answer: Prompt, harmless: Collection[str]) -> Shown:
    asked, told = user.static_text, answer.static_text
    key = (*key_of(asked, harmless), "=>", *key_of(told, harmless))
    return Shown(key, f"{asked}\n{told}", asked.strip(), _start(user))


def _start(prompt: Prompt) -> Location:
    return prompt.primary
