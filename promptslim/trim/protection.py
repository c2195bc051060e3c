"""What no edit may touch, whatever proposed it: the one check that every change of a prompt has to pass.

Protected is what shortening tools were measured to damage: placeholders, code, addresses, numbers, negations, modal
words, tags, identifiers, JSON, quoted text, safety lines and layout. The check looks at the result and not at the
edit: the readings of the prompt before and after have to be equal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from promptslim.core.prompt import BlockEnd, CachePoint, Hole, Literal, Part, Shape
from promptslim.core.record import record
from promptslim.structure.flat import flatten
from promptslim.trim.code_blocks import code_blocks
from promptslim.trim.json_text import JsonSpan, json_spans, tokens
from promptslim.trim.line_forms import LineForm, line_forms
from promptslim.trim.protected_words import BLOCK, Sign, Words, words_for

_HEADING = re.compile(
    r"[ \t]*(?:#{1,6}[ \t]+(?P<hash>\S.*)|(?P<bold>\*\*|__)(?P<title>[^*_\n]{2,70})(?P=bold):?)[ \t]*$"
)
_TAG_NAME = re.compile(r"</?([A-Za-z][\w.-]{2,40})")
_WORD = re.compile(r"\w[\w.-]*\w")
_EMPHASIS = re.compile(r"[*\s]+")


@record
class Reading:
    """A prompt as far as it is protected.

    ``frame``: holes, ends of blocks and cache markers in order, each marker with what stands right before it.
    ``signs``: protected words and signs in order, code and JSON among them. ``lines``: the layout. ``titles``,
    ``forms`` (text that fixes the form of the answer), ``guarded`` (safety and compliance), ``roles``, ``named``
    (words that name a tag) and ``kept`` (marked by the user).
    """

    frame: tuple[str, ...]
    signs: tuple[Sign, ...]
    lines: tuple[LineForm, ...]
    titles: tuple[str, ...]
    forms: tuple[str, ...]
    guarded: tuple[str, ...]
    roles: tuple[str, ...]
    named: tuple[str, ...]
    kept: tuple[str, ...]


@record
class Protection:
    """What is protected in the prompts of one syntax. ``keep``: texts that the user has marked."""

    words: Words
    guarded: re.Pattern[str]
    form: re.Pattern[str]
    lead_in: re.Pattern[str]
    role: re.Pattern[str]
    keep: tuple[str, ...]

    def read(self, parts: Sequence[Part]) -> Reading:
        """What is protected in a prompt."""
        text = flatten(parts).text
        rest, blocks = _without_blocks(text)
        guarded = (line for line in text.split("\n") if self.guarded.search(line))
        names = {name.lower() for name in _TAG_NAME.findall(rest)}
        return Reading(
            frame=tuple(_frame(parts)),
            signs=tuple(_with_blocks((sign for _, sign in self.words.signs(rest)), blocks)),
            lines=line_forms(rest),
            titles=tuple(
                _EMPHASIS.sub(" ", match[0]).strip() for match in map(_HEADING.match, rest.split("\n")) if match
            ),
            forms=tuple("".join(text[start:end].split()) for start, end in self.form_lines(text)),
            guarded=tuple("".join(line.split()) for line in guarded),
            roles=tuple(" ".join(found.lower().split()) for found in self.role.findall(text)),
            named=tuple(word for word in _WORD.findall(rest) if word.lower() in names) if names else (),
            kept=tuple(one for one in self.keep for _ in range(text.count(one))),
        )

    def unharmed(self, before: Sequence[Part], after: Sequence[Part]) -> bool:
        """Whether everything protected in ``before`` stands in ``after``, in the same order, and nothing more."""
        return self.read(before) == self.read(after)

    def only_a_copy_gone(self, before: Reading, after: Reading, removed: Sequence[Part]) -> bool:
        """Whether ``after`` lacks nothing but one copy of what it still says: the signs of ``removed`` stand elsewhere
        in it in one piece, and no code, placeholder, safety line or text marked by the user went with the copy."""
        gone = self.read(removed)
        length = len(gone.signs)
        if len(before.signs) - len(after.signs) != length or before.frame != after.frame or before.kept != after.kept:
            return False
        if gone.guarded or gone.roles or gone.kept or any(one.kind in _NEVER_TWICE for one in gone.signs):
            return False
        if any(line.marker[:1].isdigit() or line.marker[:1] == "(" for line in gone.lines):
            return False  # the numbers of the list would no longer follow each other
        cut = next(
            (at for at, pair in enumerate(zip(before.signs, after.signs, strict=False)) if pair[0] != pair[1]), -1
        )
        cut = len(after.signs) if cut < 0 else cut
        places = range(max(0, cut - length), cut + 1)
        if not any(before.signs == (*after.signs[:at], *gone.signs, *after.signs[at:]) for at in places):
            return False
        return not gone.signs or any(
            after.signs[at : at + length] == gone.signs for at in range(len(after.signs) - length + 1)
        )

    def form_lines(self, text: str) -> Iterator[tuple[int, int]]:
        """The lines under a heading on the form of the answer, or after a line that announces it: their words are
        taken over as they are."""
        under_heading = announced = started = False
        end = -1
        for line in text.split("\n"):
            start, end = end + 1, end + 1 + len(line)
            content = line.strip()
            if heading := _HEADING.match(line):
                under_heading = bool(self.form.search(heading["hash"] or heading["title"]))
                announced = False
                continue
            if announced and not content and started:
                announced = False
            if (under_heading or announced) and content:
                started = True
                yield start, end
            if content.endswith(":") and self.lead_in.search(content):
                announced, started = True, False


_NEVER_TWICE = ("block", "hole", "placeholder")


def protection(shape: Shape, phrases: Mapping[str, Any], keep: Iterable[str] = ()) -> Protection:
    """Protection for prompts of a shape (``Prompt.shape``); ``phrases`` is ``rules/phrases.toml``."""
    table, filler = phrases["protection"], phrases["filler"]
    verbose = tuple((entry["pattern"], entry["instead"]) for entry in filler["verbose"])
    return Protection(
        words=words_for(shape, table, verbose),
        guarded=re.compile(filler["guarded"], re.IGNORECASE),
        form=re.compile(filler["form"], re.IGNORECASE),
        lead_in=re.compile(table["lead_in"], re.IGNORECASE),
        role=re.compile(table["role"], re.IGNORECASE),
        keep=tuple(one for one in keep if one),
    )


def _frame(parts: Sequence[Part]) -> Iterator[str]:
    before = ""
    for part in parts:
        match part:
            case Literal(text=text, maybe=maybe):
                before += text
                if maybe:
                    yield "maybe" if text.strip() else ""
            case Hole(expression=expression, name=name):
                yield f"hole {expression} {name}"
                before = ""
            case BlockEnd():
                yield "end"
            case CachePoint(key=key):
                words = before.rstrip()
                yield f"cache {key} {words[-1:]!r} {before[len(words) :]!r}"


def _without_blocks(text: str) -> tuple[str, tuple[str, ...]]:
    """``text`` with a sign for every stretch of code and JSON, and these: code as it is written, JSON without the
    blank space between its tokens."""
    masked, code = _cut(text, ((start, end, text[start:end]) for start, end in code_blocks(text)))
    spans = json_spans(masked)
    rest, data = _cut(masked, ((span.start, span.end, _tight(masked, span)) for span in spans))
    order: list[str] = []
    codes, datas = iter(code), iter(data)
    at = 0
    for span in spans:
        order += (next(codes) for _ in range(masked.count(BLOCK, at, span.start)))
        order.append(next(datas))
        at = span.end
    return rest, (*order, *codes)


def _cut(text: str, found: Iterable[tuple[int, int, str]]) -> tuple[str, tuple[str, ...]]:
    pieces: list[str] = []
    kept: list[str] = []
    at = 0
    for start, end, content in found:
        pieces += (text[at:start], BLOCK)
        kept.append(content)
        at = end
    return "".join((*pieces, text[at:])), tuple(kept)


def _tight(text: str, span: JsonSpan) -> str:
    return "\n".join(text[start:end] for start, end in tokens(text, span))


def _with_blocks(signs: Iterable[Sign], blocks: Sequence[str]) -> Iterator[Sign]:
    content = iter(blocks)
    for sign in signs:
        yield Sign("block", next(content, BLOCK)) if sign.kind == "block" else sign
