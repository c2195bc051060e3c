"""What the static text of a prompt demands of the answer's size: a short form, or a least length.

Only instructions count: fenced blocks, examples and quoted dialogues are left out, a negated or conditional
sentence demands nothing. The patterns are data, ``rules/phrases.toml``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from promptslim.check.request_order import Request, requests
from promptslim.core.call import LlmCall
from promptslim.core.lazy_pattern import pattern
from promptslim.core.prompt import BlockEnd, Hole, Literal, Part, Prompt, Role
from promptslim.core.record import record
from promptslim.core.values import Absent, Known

HOLE = "{...}"

_EXAMPLES = pattern(r"```.*?(?:```|\Z)|<(examples?|sample|demo)\b[^>]*>.*?(?:</\1>|\Z)", re.DOTALL | re.IGNORECASE)
_DIALOGUE = pattern(
    r"^\s*(?:[-*#>\d.) ]*)(?:Q|A|Question|Answer|User|Human|Assistant|AI|Bot|Input|Output|Example|Text|Label|Ticket)\b"
    r"\s*(?:#?\d+\s*)?[:=].*$",
    re.MULTILINE | re.IGNORECASE,
)
_SENTENCE_END = pattern(r"(?<=[.!?])(?=\s)|\n+")
_NUMBER = r"(?P<n>\d{1,3}(?:,\d{3})+|\d+|one|two|three|four|five|six|seven|eight|nine|ten)"
_RANGE = r"(?:\s*(?:-|–|to|or|and)\s*\d[\d,]*)?"  # noqa: RUF001
_WORDS = {
    word: value
    for value, word in enumerate(("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"), 1)
}


@record
class AnswerDemand:
    """A sentence that fixes the size of the answer. ``form`` names it ("one word", "500 words"), ``words`` is
    the least number of words demanded (0 for a short form), ``role`` and ``prompt`` say where it stands."""

    form: str
    sentence: str
    words: int
    role: Role
    prompt: Prompt


def short_answer(call: LlmCall, phrases: Mapping[str, Any]) -> AnswerDemand | None:
    """The sentence that demands one word, yes or no, a number or one label of a closed set, or None.

    None too where anything else in the visible prompt asks for more (reasons, a summary, JSON), and where
    some branch or caller builds a prompt without such a sentence.
    """
    found = [_short_form(prompts, phrases["short_answer"]) for prompts in _variants(call)]
    return found[0] if None not in found else None


def _short_form(prompts: tuple[Prompt, ...], table: Mapping[str, Any]) -> AnswerDemand | None:
    if any(_asks_for_more(prompt, table) for prompt in prompts):
        return None
    for prompt in prompts:
        for sentence in _sentences(prompt):
            if _matches(table["unless"], sentence) or not _matches(table["verb"], sentence):
                continue
            for form in table["form"]:
                found = re.search(form["pattern"], sentence, re.IGNORECASE)
                if found and not _matches(table["negated"], sentence[: found.start()]):
                    return AnswerDemand(form["name"], sentence, 0, prompt.role, prompt)
    return None


def closed_answer(call: LlmCall, phrases: Mapping[str, Any], elsewhere: tuple[Prompt, ...] = ()) -> AnswerDemand | None:
    """Like ``short_answer``, and also a JSON object whose only field is such an answer.

    ``elsewhere``: prompts that the call sends although it does not name them (a chain around a model); each of
    them stands for itself.
    """
    table = phrases["short_answer"]
    sent: list[tuple[Prompt, ...]] = [(prompt,) for prompt in elsewhere]
    sent = sent or [_instructing(request) for request in requests(call)]
    found = [_short_form(prompts, table) or _one_field(prompts, table) for prompts in sent]
    return found[0] if None not in found else None


def _one_field(prompts: tuple[Prompt, ...], table: Mapping[str, Any]) -> AnswerDemand | None:
    """The sentence that demands a JSON object of one field with a short form, where nothing else asks for more."""
    for prompt in prompts:
        for sentence in _sentences(prompt):
            if not _matches(table["one_field"], sentence) or _matches(table["unless"], sentence):
                continue
            rest = [_text(one).replace(sentence, " ") for one in prompts]
            form = next((form for form in table["form"] if _matches(form["pattern"], sentence)), None)
            if form is not None and not any(_more_in(text, table) for text in rest):
                return AnswerDemand(f"{form['name']} in a JSON field", sentence, 0, prompt.role, prompt)
    return None


def greeting(call: LlmCall, phrases: Mapping[str, Any]) -> AnswerDemand | None:
    """The message itself where all that is sent is a greeting or a ping, fully visible; else None."""
    messages = call.messages.only
    if not isinstance(messages, Known) or len(messages.value) != 1 or not isinstance(call.system.only, Known | Absent):
        return None
    (prompt,) = messages.value
    text = prompt.static_text.strip()
    if prompt.holes or not re.fullmatch(phrases["greeting"]["pattern"] + r"[\s,.!?]*", text, re.IGNORECASE):
        return None
    return AnswerDemand("a greeting", text, 0, prompt.role, prompt)


def least_length(call: LlmCall, phrases: Mapping[str, Any]) -> AnswerDemand | None:
    """The demand for the longest answer ("at least 500 words", "three pages") in the visible prompt, or None."""
    table = phrases["length"]
    found = [
        demand
        for prompts in _variants(call)
        for prompt in prompts
        for sentence in _sentences(prompt)
        if not _matches(table["unless"], sentence)
        for demand in _lengths(sentence, prompt, table)
    ]
    return max(found, key=lambda demand: demand.words, default=None)


def _variants(call: LlmCall) -> list[tuple[Prompt, ...]]:
    """What instructs the model, once for each way in which the visible messages are built (branches, callers).

    Of a conversation only the last user message counts: earlier turns are examples or history.
    """
    return [_instructing(request) for request in requests(call)]


def _instructing(request: Request) -> tuple[Prompt, ...]:
    asked = [prompt for prompt in request.messages if prompt.role in ("user", "unknown")]
    return (*(prompt for prompt in request.prompts if prompt.role == "system"), *asked[-1:])


def _text(prompt: Prompt) -> str:
    text = "".join(_shown(part) for part in prompt.parts)
    return _DIALOGUE.sub("", _EXAMPLES.sub("\n", text))


def _sentences(prompt: Prompt) -> Iterator[str]:
    for sentence in _SENTENCE_END.split(_text(prompt)):
        if stripped := sentence.strip():
            yield stripped


def _matches(pattern: str, text: str) -> bool:
    return re.search(pattern, text, re.IGNORECASE) is not None


def _asks_for_more(prompt: Prompt, table: Mapping[str, Any]) -> bool:
    return _more_in(_text(prompt), table)


def _more_in(text: str, table: Mapping[str, Any]) -> bool:
    return _matches(table["longer"], re.sub(table["refused"], " ", text, flags=re.IGNORECASE))


def _lengths(sentence: str, prompt: Prompt, table: Mapping[str, Any]) -> Iterator[AnswerDemand]:
    for unit in table["unit"]:
        pattern = rf"\b(?P<amount>{_NUMBER}{_RANGE})[\s-]*(?:full |more )?{unit['pattern']}"
        for match in re.finditer(pattern, sentence, re.IGNORECASE):
            before, after = sentence[: match.start()], sentence[match.end() :]
            if not _matches(table["verb"], before + " ") and not _matches(r"\blength\b", after):
                continue
            if _matches(table["negated"], before) or _matches(table["bound_before"], before):
                continue
            if _matches(table["bound_after"], after):
                continue
            digits = match["n"].lower().replace(",", "")
            count = _WORDS[digits] if digits in _WORDS else int(digits)
            yield AnswerDemand(
                f"{match['amount']} {unit['name']}", sentence, count * unit["words"], prompt.role, prompt
            )


def _shown(part: Part) -> str:
    match part:
        case Literal(text=text):
            return text
        case Hole():
            return HOLE
        case BlockEnd():
            return "\n"
        case _:
            return ""
