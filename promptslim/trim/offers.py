"""What can be trimmed from one prompt: proposals of all trimmers that pass the protection, can be written, and save."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from promptslim.core.prompt import Literal, Part, Prompt
from promptslim.core.record import record
from promptslim.core.text import Applicability, Edit
from promptslim.edits.prompt_text import source_edits
from promptslim.structure.build import structure_of
from promptslim.structure.flat import HOLE
from promptslim.trim.change import LEVELS, Change, Level, Placed, at_an_edge, changed, only_blank_space, placed
from promptslim.trim.code_blocks import code_blocks
from promptslim.trim.loader import Trimmer, trimmers
from promptslim.trim.protection import Protection, Reading, protection
from promptslim.trim.searched_texts import searched_texts
from promptslim.trim.subject import Subject
from promptslim.trim.tool_edits import only_wording_gone, tool_edits
from promptslim.trim.transcripts import transcript

Count = Callable[[Sequence[str]], Sequence[int]]
"""Tokens of texts, by the counter of the model that a prompt is sent to."""

AROUND = 60
"""Characters around a change within which its own saving is measured; whole lines where they are shorter."""

MOST_RANGES = 8
"""Ranges up to which a change is looked at by itself before all are looked at together."""

SHOWN_ROLES = ("assistant", "tool")
"""Messages that show the model an answer, or give it a result: they are no instructions."""

_EXAMPLES = re.compile(r"(?:^|[/_:])(?:few[_-]?shots?|exemplars?|examples)(?:\.(?:txt|md))?$", re.IGNORECASE)
"""Names of texts that are examples as a whole: they show a form."""

TOOLS = "tool-schema"
"""The trimmer of tool definitions."""

APPLICABILITY = {"safe": Applicability.SAFE, "unsafe": Applicability.UNSAFE, "proof": Applicability.DISPLAY}


@record
class Offer:
    """One change that can be made: ``places`` in the parts (none for tools), ``edits`` of files, ``saves`` in tokens;
    ``before`` and ``after`` is the changed text."""

    trimmer: str
    title: str
    level: Level
    change: Change
    places: tuple[Placed, ...]
    edits: tuple[Edit, ...]
    saves: int
    before: str
    after: str


@record
class Wanted:
    """``level``: the boldest changes that are wanted. ``only``: trimmers by name, None for all. ``keep``: texts that
    the user has marked."""

    level: Level
    keep: tuple[str, ...] = ()
    only: tuple[str, ...] | None = None


def offers(prompt: Prompt, phrases: Mapping[str, Any], wanted: Wanted, count: Count) -> tuple[Offer, ...]:
    """Everything that can be trimmed up to a level, in the order of the text; all of it together passes the
    protection. ``phrases`` is ``rules/phrases.toml``."""
    if prompt.role in SHOWN_ROLES:
        return ()
    subject = Subject(prompt, structure_of(prompt), phrases)
    guard = protection(prompt.shape, phrases, (*wanted.keep, *searched_texts(prompt)))
    if prompt.shape == "tools":
        return tuple(_worthwhile(list(_of_tools(subject, wanted, guard)), subject, count))
    found = _writable(_apart(_proposed(subject, wanted)), subject)
    if not found:
        return ()
    kept = _gated(_worthwhile(_each_by_itself(found, subject, guard), subject, count), subject, guard)
    return tuple(sorted(kept, key=lambda one: one.change.start))


def trimmed(prompt: Prompt, made: Iterable[Offer]) -> tuple[Part, ...]:
    """The parts of a prompt after some offers."""
    return changed(prompt.parts, (place for one in made for place in one.places))


def _proposed(subject: Subject, wanted: Wanted) -> Iterator[tuple[Trimmer, Change]]:
    """Copies first, which may hold smaller changes; then by level."""
    allowed = LEVELS[: LEVELS.index(wanted.level) + 1]
    examples = _EXAMPLES.search(subject.prompt.id) is not None
    shown = transcript(subject.text) if subject.prompt.shape != "tools" else None
    found = [
        (trimmer, change)
        for trimmer in trimmers()
        if trimmer.level in allowed and (wanted.only is None or trimmer.name in wanted.only)
        for change in trimmer.changes(subject)
        if any(subject.text[one.start : one.end] != one.instead for one in change.ranges)
        and (change.copy or not examples)
        and not (shown and change.start < shown[1] and shown[0] < change.end)
    ]
    yield from sorted(found, key=lambda one: (not one[1].copy, LEVELS.index(one[0].level)))


def _apart(found: Iterable[tuple[Trimmer, Change]]) -> Iterator[tuple[Trimmer, Change]]:
    """Those that overlap no earlier one."""
    starts: list[int] = []
    ends: list[int] = []
    for trimmer, change in found:
        places = [(bisect_left(ends, one.start + 1), one) for one in change.ranges]
        if any(at < len(starts) and starts[at] < one.end for at, one in places):
            continue
        for one in change.ranges:
            at = bisect_left(ends, one.start + 1)
            starts.insert(at, one.start)
            ends.insert(at, one.end)
        yield trimmer, change


def _of_tools(subject: Subject, wanted: Wanted, guard: Protection) -> Iterator[Offer]:
    """What can go from tool definitions; it stands in no literal of its own, so that there are no places. Their text is
    JSON, in which a line break is no line break: only what reads it as JSON has a say."""
    found = [(trimmer, change) for trimmer, change in _proposed(subject, wanted) if trimmer.name == TOOLS]
    for trimmer, change in _apart(found):
        (one, *more) = change.ranges
        if more or one.instead or not only_wording_gone(subject.text, one, guard):
            continue
        edits = tool_edits(subject.prompt, subject.structure.flat, one)
        if edits is not None:
            gone = subject.text[one.start : one.end]
            yield Offer(trimmer.name, trimmer.title, trimmer.level, change, (), edits, 0, gone, one.instead)


def _writable(found: Iterable[tuple[Trimmer, Change]], subject: Subject) -> list[Offer]:
    prompt, text = subject.prompt, subject.text
    written: list[Offer] = []
    for trimmer, change in found:
        places = placed(subject.structure.flat, change)
        if places is None or (
            _by_others(trimmer, subject) and any(at_an_edge(prompt.parts[p.part], p) for p in places)
        ):
            continue
        edits = _edits(prompt, places)
        if edits is not None and not (trimmer.level == "safe" and _dedents(edits, text, change)):
            before = "".join(text[one.start : one.end] for one in change.ranges)
            after = "".join(one.instead for one in change.ranges)
            written.append(Offer(trimmer.name, trimmer.title, trimmer.level, change, places, edits, 0, before, after))
    return written


def _by_others(trimmer: Trimmer, subject: Subject) -> bool:
    """Whether blank space at an end of a literal is for others to decide: for a template engine, or in a program for
    the text that comes next, which may stand elsewhere and change, and for the layout before closing quotes."""
    return subject.templated or (subject.in_program and trimmer.level == "safe")


def _dedents(edits: Iterable[Edit], text: str, change: Change) -> bool:
    """Whether blanks within a line of the prompt are the indentation of a line in the source, which continues it."""
    within = any(text[one.start - 1 : one.start] not in ("", "\n") for one in change.ranges)
    return within and any(_begins_line(one) for one in edits)


def _begins_line(edit: Edit) -> bool:
    document, span = edit.location.document, edit.location.span
    return span.start > 0 and document.text[span.start - 1] == "\n" and not document.text[span.start : span.end].strip()


def _edits(prompt: Prompt, places: Sequence[Placed]) -> tuple[Edit, ...] | None:
    found: list[Edit] = []
    for one in places:
        edits = source_edits(prompt, one.part, one.start, one.end, one.instead)
        if edits is None:
            return None
        found += edits
    return tuple(found)


def _each_by_itself(found: Iterable[Offer], subject: Subject, guard: Protection) -> list[Offer]:
    """Without those that hurt something within their own lines, or stand in code: a quick look that spares most looks
    at the whole text."""
    code, forms = code_blocks(subject.text), list(guard.form_lines(subject.text))
    kept: list[Offer] = []
    for one in found:
        fixed = code if "".join(one.before.split()) == "".join(one.after.split()) else (*code, *forms)
        if not one.change.copy and any(start < one.change.end and one.change.start < end for start, end in fixed):
            continue
        if not one.change.copy and len(one.change.ranges) <= MOST_RANGES:
            before, after = _window(subject.text, one.change, 0)
            if guard.read((Literal(before),)) != guard.read((Literal(after),)):
                continue
        kept.append(one)
    return kept


def _window(text: str, change: Change, around: int) -> tuple[str, str]:
    """The lines of a change before and after it, and so many characters more."""
    start = max(text.rfind("\n", 0, max(change.start - around, 0)) + 1, 0)
    end = text.find("\n", min(change.end + around, len(text)))
    end = len(text) if end < 0 else end
    pieces: list[str] = []
    at = start
    for one in change.ranges:
        pieces += (text[at : one.start], one.instead)
        at = one.end
    return text[start:end], "".join((*pieces, text[at:end]))


def _worthwhile(found: Sequence[Offer], subject: Subject, count: Count) -> list[Offer]:
    """Those that save tokens, each with how many."""
    windows = [text.replace(HOLE, "x") for one in found for text in _window(subject.text, one.change, AROUND)]
    counts = count(windows)
    saved = [before - after for before, after in zip(counts[::2], counts[1::2], strict=True)]
    return [
        Offer(one.trimmer, one.title, one.level, one.change, one.places, one.edits, saves, one.before, one.after)
        for one, saves in zip(found, saved, strict=True)
        if saves > 0
    ]


def _gated(found: Sequence[Offer], subject: Subject, guard: Protection) -> list[Offer]:
    """The offers that hurt nothing, together: first the copies, one after the other, then the rest level by level."""
    gate = _Gate(subject.prompt, guard)
    kept: list[Offer] = []
    current = gate.original
    for one in (offer for offer in found if offer.change.copy):
        after = gate.reading([*kept, one])
        if guard.only_a_copy_gone(current, after, (Literal(one.before),)):
            kept.append(one)
            current = after
    for level in LEVELS:
        same = [one for one in found if one.level == level and not one.change.copy]
        kept += gate.passing(same, kept, current, blank_only=level == "safe")
    return kept


@record
class _Gate:
    prompt: Prompt
    guard: Protection

    @property
    def original(self) -> Reading:
        return self.guard.read(self.prompt.parts)

    def reading(self, made: Sequence[Offer]) -> Reading:
        return self.guard.read(trimmed(self.prompt, made))

    def passing(self, tried: list[Offer], kept: list[Offer], wanted: Reading, blank_only: bool) -> list[Offer]:
        """The offers of ``tried`` that may be made on top of ``kept``: all, else what is left of each half."""
        if not tried or self._passes([*kept, *tried], tried, wanted, blank_only):
            return tried
        if len(tried) == 1:
            return []
        middle = len(tried) // 2
        first = self.passing(tried[:middle], kept, wanted, blank_only)
        return first + self.passing(tried[middle:], [*kept, *first], wanted, blank_only)

    def _passes(self, made: Sequence[Offer], new: Sequence[Offer], wanted: Reading, blank_only: bool) -> bool:
        if self.reading(made) != wanted:
            return False
        return not blank_only or only_blank_space(_text(self.prompt.parts), _text(trimmed(self.prompt, new)))


def _text(parts: Iterable[Part]) -> str:
    return "".join(part.text if isinstance(part, Literal) else HOLE for part in parts)
