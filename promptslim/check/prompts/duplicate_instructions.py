"""PS202: the same instructions reach the model twice in one request."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from promptslim.check.prompt_cost import about, model_of, waste
from promptslim.check.prompt_fixes import prompt_fixes
from promptslim.check.prompt_text import is_material
from promptslim.check.wording import quoted
from promptslim.core.finding import Finding, Related
from promptslim.core.prompt import Prompt
from promptslim.core.values import Known
from promptslim.structure.build import structure_of
from promptslim.structure.repeats import Block, chunk_keys, may_repeat, repeated_instructions, shared

if TYPE_CHECKING:
    from promptslim.check.rule_context import RuleContext
    from promptslim.core.call import LlmCall
    from promptslim.core.text import Location
    from promptslim.structure.segment import Segment, Structure

LEAST_WORDS = 5
"""Words that count in a sentence; shorter ones ("Be concise.") repeat by chance, and only lengthen a block."""

CHARACTERS_PER_TOKEN = 2
"""No text of instructions has fewer: shorter texts are not looked at."""

MOST_PLACES = 6
NOT_INSTRUCTIONS = ("tools", "tool", "assistant")


def duplicate_instructions(prompt: Prompt, rule: RuleContext) -> Iterator[Finding]:
    """One finding at the second copy for all that a definition says twice on the same side of its data, else at
    low confidence for one long block that is restated after the data; and one where a message repeats the
    system prompt."""
    if prompt.shape == "tools" or prompt.role in NOT_INSTRUCTIONS or is_material(prompt):
        return
    least = int(str(rule.options["least-tokens"]))
    if len(prompt.static_text) < CHARACTERS_PER_TOKEN * least:
        return
    harmless = frozenset(rule.catalog.phrases["repeated"]["harmless"])
    if may_repeat(prompt.static_text, harmless, LEAST_WORDS):
        yield from _inside(prompt, least, rule)
    yield from _across(prompt, least, harmless, rule)


def _inside(prompt: Prompt, least: int, rule: RuleContext) -> Iterator[Finding]:
    structure = structure_of(prompt)
    similarity = float(str(rule.options["similarity"]))
    found = repeated_instructions(structure, rule.catalog.phrases["repeated"], LEAST_WORDS, similarity)
    model = model_of(prompt, rule)
    same = [block for block in found if block.same_side]
    text = "".join(_text(structure, block) for block in same)
    if same and rule.over(text, model, least):
        yield _said_twice(prompt, structure, same, text, rule)
        return
    far = max(
        (block for block in found if not block.same_side), key=lambda one: len(_text(structure, one)), default=None
    )
    if far and rule.over(_text(structure, far), model, int(str(rule.options["restated-tokens"]))):
        yield _restated(prompt, structure, far, rule)


def _said_twice(prompt: Prompt, structure: Structure, found: Sequence[Block], text: str, rule: RuleContext) -> Finding:
    count = rule.count(text, model_of(prompt, rule))
    largest = max(found, key=lambda block: len(_text(structure, block)))
    second = _segment(structure, largest.start)
    alike = "the same" if all(block.exact for block in found) else "the same but for words that change nothing"
    others = f"; {len(found)} passages repeat earlier ones" if len(found) > 1 else ""
    return rule.finding(
        f"{quoted(second)} is said again in this prompt, {alike}{others}: {about(count)} that every call sends twice, "
        "keep one copy",
        _place(structure, largest.start, prompt),
        prompt=prompt,
        evidence=" ".join(second.split()),
        related=_others(prompt, structure, largest, found),
        impact=waste(prompt, count, count.low, rule),
        fixes=prompt_fixes(prompt, rule, ("duplicate-instructions",), "proof"),
    )


def _restated(prompt: Prompt, structure: Structure, block: Block, rule: RuleContext) -> Finding:
    count = rule.count(_text(structure, block), model_of(prompt, rule))
    second = _segment(structure, block.start)
    return rule.finding(
        f"instructions from {quoted(second)} on are restated in full after the data: {about(count)} that every call "
        "sends twice; a short reminder there may do, test it",
        _place(structure, block.start, prompt),
        prompt=prompt,
        evidence=" ".join(second.split()),
        confidence="low",
        related=_others(prompt, structure, block, [block]),
        impact=waste(prompt, count, count.low, rule),
    )


def _others(prompt: Prompt, structure: Structure, largest: Block, found: Sequence[Block]) -> list[Related]:
    """The first copy, then the other repeated passages."""
    related = [Related(_place(structure, largest.first, prompt), "first said here")]
    for block in [block for block in found if block is not largest][: MOST_PLACES - 1]:
        related.append(Related(_place(structure, block.start, prompt), "said again here"))
    return related


def _text(structure: Structure, block: Block) -> str:
    return structure.flat.text[structure.segments[block.start].start : structure.segments[block.end - 1].end]


def _segment(structure: Structure, index: int) -> str:
    return structure.text(structure.segments[index]).strip()


def _place(structure: Structure, index: int, prompt: Prompt) -> Location:
    return _first_line(structure, structure.segments[index]) or prompt.primary


def _first_line(structure: Structure, segment: Segment) -> Location | None:
    text = structure.text(segment)
    start = segment.start + len(text) - len(text.lstrip())
    line = text.strip().partition("\n")[0].rstrip()
    return structure.flat.location(start, start + max(len(line), 1))


def _across(prompt: Prompt, least: int, harmless: Collection[str], rule: RuleContext) -> Iterator[Finding]:
    """For a system prompt: what a user message of the same call repeats of it before any data, once per message."""
    seen: set[tuple[str, int | None, int]] = set()
    keys = None
    for call in rule.users(prompt):
        for system, message in _messages_under(prompt, call):
            place = (message.location.path, message.location.cell, message.location.span.start)
            if place in seen or len(message.static_text) < CHARACTERS_PER_TOKEN * least:
                continue
            seen.add(place)
            keys = chunk_keys(system.static_text, harmless, LEAST_WORDS) if keys is None else keys
            if not keys.isdisjoint(chunk_keys(message.static_text, harmless, LEAST_WORDS)):
                yield from _repeated_in(system, message, call, least, harmless, rule)


def _messages_under(prompt: Prompt, call: LlmCall) -> Iterator[tuple[Prompt, Prompt]]:
    """The system prompt of a call with each of its user messages, where ``prompt`` is the system prompt (by its
    place: definitions that begin with the same text are one)."""
    system, messages = call.system.only, call.messages.only
    if not isinstance(system, Known) or not isinstance(messages, Known):
        return
    ours, theirs = prompt.location, system.value.location
    if (ours.path, ours.cell, ours.span.start) != (theirs.path, theirs.cell, theirs.span.start):
        return
    for message in messages.value:
        if message.role in ("user", "unknown"):
            yield system.value, message


def _repeated_in(
    prompt: Prompt, message: Prompt, call: LlmCall, least: int, harmless: Collection[str], rule: RuleContext
) -> Iterator[Finding]:
    above, below = structure_of(prompt), structure_of(message)
    pairs = list(shared(above, below, harmless, LEAST_WORDS))
    text = "".join(below.text(second) for _, second in pairs)
    model = model_of(prompt, rule)
    if not pairs or not rule.over(text, model, least):
        return
    first, second = pairs[0]
    count = rule.count(text, model)
    sentence = below.text(second).strip()
    yield rule.finding(
        f"{quoted(sentence)} stands in the system prompt and again in the message: {about(count)} that the call sends "
        "twice, keep the copy in the system prompt",
        _first_line(below, second) or message.primary,
        call=call,
        evidence=" ".join(sentence.split()),
        related=(Related(_first_line(above, first) or prompt.primary, "first said here"),),
        impact=waste(prompt, count, count.low, rule),
    )
