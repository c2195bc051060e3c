"""Wording that adds nothing to an instruction, by the phrase table, and the text without it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, get_args
from typing import Literal as Choice

from promptslim.core.lazy_pattern import pattern
from promptslim.core.record import record
from promptslim.structure.flat import HOLE, PLACEHOLDER
from promptslim.structure.segment import Segment, Structure

FillerKind = Choice["announcing", "politeness", "verbose"]
"""announcing: "note that". politeness: "please". verbose: a longer form of a short word."""

LONGEST_SENTENCE = 2_000
"""Characters; what is longer is no sentence of an instruction."""

_KEPT = pattern(
    r"`+[^`\n]*`+"
    r"|\"[^\"\n]*\"|“[^”\n]*”|[«‹][^»›\n]*[»›]|»[^«\n]*«|„[^“”\n]*[“”]|「[^」\n]*」|『[^』\n]*』|‘[^’\n]*’|(?<![\w'])'[^'\n]+'(?![\w'])"  # noqa: RUF001
    r"|</?[A-Za-z][^<>\n]*>"
    r"|\b\w+://\S+|[\w.+-]+@[\w-]+\.\w+"
    r"|\[[^\]\n]{0,200}\]|" + PLACEHOLDER.pattern
)
"""What no change of wording may touch: inline code, quoted text, tags, addresses, bracketed text, placeholders."""

_DIALOGUE = pattern(r"\s*(?:[-*>] )?[*_]{0,2}(?:[A-Z][\w ]{0,24}|[a-z]\w{0,14})[*_]{0,2}:[*_]{0,2}\s+\S")
_INSTRUCTING_LABEL = pattern(
    r"\s*(?:[-*>] )?[*_]{0,2}(?:important|note|task|instructions?|rules?|goal|reminder|warning)\b", re.I
)
_BEGINS = pattern(
    r"(?:.*[;:(\[—–][\"*_]*)?\s*(?:(?:[-*+•>#]+|\(?\w{1,3}[.)])\s+)*[(*_\"]*"  # noqa: RUF001
    r"(?:(?:also|and|but|so|then|however|again|finally|lastly|first|second|third|next|additionally|furthermore|moreover"
    r"|in addition|in particular|specifically|most importantly|important)[,:]?\s+)?",
    re.I | re.DOTALL,
)
"""What may stand before the beginning of a sentence: marks of lists and print, a label, a word that joins."""

_NO_SUBJECT = pattern(r"\b(?:when|while|before|after|by|if|once|in|for|to)\s+\w+ing\b|^\W*to\s", re.I)
_INTRODUCES = pattern(
    r"(?:now|next|then|first|second|finally|lastly|otherwise|instead|however|again|also|so|and|but|yes|ok|okay|hi|hello"
    r"|based|given|if|when|whenever|while|after|before|once|until|unless|since|because|as|for|in|on|at|to|from|with"
    r"|within|without|by|under|per|during|here|although|though|where|wherever|rather|besides|in addition|according"
    r"|\w+ing|\w+ly)\b",
    re.I,
)
"""What begins the part of a sentence before a comma that is no sentence by itself."""
_LETTERS = pattern(r"[^\W\d_]+")


@record
class Filler:
    """A phrase that can be left out or shortened: offsets into the flat text, what says the same."""

    kind: FillerKind
    start: int
    end: int
    instead: str


def filler(structure: Structure, table: Mapping[str, Any]) -> tuple[Filler, ...]:
    """The phrases of ``table`` (``[filler]`` of rules/phrases.toml) in the instructions of a prompt, in order.

    Only sentences count. What stands in examples, tool definitions, sections that fix the form of the answer, lines
    of a dialogue, quotes, code or tags is left alone, and so are sentences about wording, on safety, and phrases
    whose loss could turn a negation.
    """
    fixed_form = _form_sections(structure, table["form"])
    found: list[Filler] = []
    for segment in structure.segments:
        if (
            segment.kind == "sentence"
            and not segment.example
            and not segment.tool
            and segment.section not in fixed_form
        ):
            found += _in_sentence(structure, segment, table)
    return tuple(found)


def without(text: str, found: Sequence[Filler]) -> str:
    """``text`` with the phrases left out or shortened."""
    pieces: list[str] = []
    at = 0
    for one in found:
        start, end, instead = shortened(text, one)
        pieces += (text[at:start], instead)
        at = end
    return "".join((*pieces, text[at:]))


def shortened(text: str, one: Filler) -> tuple[int, int, str]:
    """The range that changes when a phrase is left out or shortened, and what it then reads: one blank goes with a
    phrase that is left out, and what follows takes its capital."""
    phrase = text[one.start : one.end]
    if one.instead:
        if phrase.isupper():
            return one.start, one.end, one.instead.upper()
        capital = phrase[:1].isupper()
        return one.start, one.end, one.instead[:1].upper() + one.instead[1:] if capital else one.instead
    start, end = one.start, one.end
    if text[end : end + 1] == " ":
        end += 1
    elif text[end : end + 1] in ("", "\n") and text[start - 1 : start] == " ":
        start -= 1
    following = text[end : end + 1]
    if end < len(text) and phrase[:1].isupper() and following.islower():
        return start, end + 1, following.upper()
    return start, end, ""


def _form_sections(structure: Structure, pattern: str) -> set[int]:
    found: set[int] = set()
    for index, section in enumerate(structure.sections):
        if section.parent in found or (section.parent is not None and re.search(pattern, section.title, re.IGNORECASE)):
            found.add(index)
    return found


def _in_sentence(structure: Structure, segment: Segment, table: Mapping[str, Any]) -> Iterator[Filler]:
    sentence = structure.text(segment)
    if len(sentence) > LONGEST_SENTENCE or re.search(table["guarded"], sentence, re.IGNORECASE):
        return
    if _DIALOGUE.match(sentence) and not _INSTRUCTING_LABEL.match(sentence):
        return
    kept = [match.span() for match in _KEPT.finditer(sentence)]
    pattern, kinds = _compiled(tuple(_entries(table)))
    end = 0
    for match in pattern.finditer(sentence):
        start = match.start()
        if start < end or any(start < last and first < match.end() for first, last in kept):
            continue
        kind, instead, begins = kinds[int((match.lastgroup or "p0")[1:])]
        before = sentence[:start]
        if begins and not _may_stand(before, begins):
            continue
        if kind == "politeness" and _would_splice(before):
            continue
        if re.search(table["mentioned"], before, re.IGNORECASE):
            return
        if not instead and re.search(table["negated"], before, re.IGNORECASE):
            continue
        if not instead and not _LETTERS.search(sentence[match.end() :].replace(HOLE, "")) and kind != "politeness":
            continue
        end = match.end()
        yield Filler(kind, segment.start + start, segment.start + end, instead)


def _may_stand(before: str, begins: str) -> bool:
    """Whether what stands before a phrase leaves the rest of its sentence whole."""
    if _BEGINS.fullmatch(before):
        return True
    if not before.rstrip().endswith(",") or begins == "sentence":
        return False
    return begins == "clause" or _NO_SUBJECT.search(before) is None


def _would_splice(before: str) -> bool:
    """Whether "please" is what joins two sentences at a comma: without it they run into each other."""
    if not before.rstrip().endswith(","):
        return False
    opening = _BEGINS.match(before.rstrip()[:-1])
    rest = before[opening.end() if opening else 0 :]
    return bool(rest.strip(" ,")) and _INTRODUCES.match(rest) is None


def _entries(table: Mapping[str, Any]) -> Iterator[tuple[FillerKind, str, str, str]]:
    for kind in get_args(FillerKind):
        for entry in table[kind]:
            yield kind, entry["pattern"], entry.get("instead", ""), entry.get("start", "")


@cache
def _compiled(
    entries: tuple[tuple[FillerKind, str, str, str], ...],
) -> tuple[re.Pattern[str], Sequence[tuple[FillerKind, str, str]]]:
    """One pattern with a group for each entry, and the entries by their group's number."""
    alternatives = [rf"(?P<p{number}>{pattern})" for number, (_, pattern, *_) in enumerate(entries)]
    joined = "|".join(alternatives).replace(" ", r"\s+")
    compiled = re.compile(rf"(?<![\w-])(?:{joined})(?![\w-])", re.IGNORECASE)
    return compiled, [(kind, instead, begins) for kind, _, instead, begins in entries]
