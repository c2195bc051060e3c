"""What a text says twice: sentences that are the same but for words that change nothing, joined to blocks."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from promptslim.core.lazy_pattern import pattern
from promptslim.core.record import record, replace
from promptslim.structure.records import records_in
from promptslim.structure.segment import Segment, Structure

_WORDS = pattern(r"[^\W_]+(?:['’][^\W\d_]+)?|\ufffc|[<>=%$€£+°/]|(?<=\w)_(?=\w)|(?<=\d)\.(?=\d)|(?<![\w-])-(?=\d)")  # noqa: RUF001
_MARKER = pattern(r"\s*(?:#{1,6}\s+|[-*+•–]\s+|\(?\d{1,3}[.)]\s+|\(?[a-zA-Z][.)]\s+|>\s+)+")  # noqa: RUF001
_SENTENCE_END = pattern(r"[.!?][\"')\]*_]*\s|[。！？\n]")  # noqa: RUF001
_PROSE = pattern(r"[^\W\d_]|[\s,.'’\"-]")  # noqa: RUF001
_CODE = pattern(
    r"^[ \t]*(?:(?:import|from)[ \t]+[\w.]+(?:[ \t]*,[ \t]*\w+|[ \t]+import\b.*)*[ \t]*$"
    r"|[\w.\[\]'\"]+(?:[ \t]*:[ \t]*[\w.\[\], ]+)?[ \t]+[-+*/]?=[ \t]|(?:async )?def[ \t]+\w+\(|class[ \t]+\w+[(:]"
    r"|(?:CREATE|ALTER|DROP)[ \t]+TABLE\b|(?:FOREIGN|PRIMARY)[ \t]+KEY\b|SELECT[ \t].*\bFROM\b"
    r"|[\w.]+\([^()\n]*\)[ \t]*;?[ \t]*$)",
    re.MULTILINE,
)
_FINISHED = pattern(r"[.!?:;,。！？：；][\"')\]*_`”’]*\s*\Z")  # noqa: RUF001
_FORM = pattern(r"\s*(?:[-*+•–]\s+|\(?\d{1,3}[.)]\s+)?(?:[*_]{2}[^\n]{0,60}?:?[*_]{2}:?\s*)?\[[^\[\]]*\]\s*")  # noqa: RUF001
"""What is to be filled in, where the form of an answer is shown."""

_CODE_END = (";", "{", "}", ">", "=", "(", "|", "\\")
_PROSE_SHARE = 0.85
MOST_TIMES = 9
"""Times that one sentence stands in a prompt; what stands there more often fills it up on purpose."""

_TITLE_WORDS = 12
"""Words of a line that is no list item and has no full stop, from which on it is a sentence and no title."""

_OPENING = 3
"""Segments at the head of a text."""

_MUCH_BETWEEN = 5
"""Times the length of a sentence, from which on its copy is a reminder after all that stands between."""

_MOST_EARLIER = 4
"""Earlier places of a sentence that are looked at: a text of one sentence stays linear."""


Key = tuple[str, ...]


@record
class Block:
    """A stretch that repeats an earlier one: indexes into ``Structure.segments``, half-open. ``same_side``: no
    data hole stands between the two. ``exact``: letter for letter, blank space and marks of lists apart."""

    first: int
    first_end: int
    start: int
    end: int
    same_side: bool
    exact: bool


def words_of(text: str) -> Key:
    """The words, numbers and signs of a text without case and punctuation. Negations, numbers and the parts of an
    identifier all count; marks of lists and titles do not."""
    match = _MARKER.match(text)
    body = text[match.end() :] if match else text
    return tuple(_WORDS.findall(body.casefold().replace("’", "'")))  # noqa: RUF001


def key_of(text: str, harmless: Collection[str]) -> Key:
    """``words_of`` without the words that change nothing (please, very, ...)."""
    return tuple(word for word in words_of(text) if word not in harmless)


def chunk_keys(text: str, harmless: Collection[str], least_words: int) -> set[Key]:
    """The keys of what roughly are the sentences of ``text``, without its structure."""
    return set(_chunks(text, harmless, least_words))


def may_repeat(text: str, harmless: Collection[str], least_words: int) -> bool:
    """False where no sentence of ``text`` stands in it twice: a quick look that spares the structure."""
    seen: set[Key] = set()
    for key in _chunks(text, harmless, least_words):
        if key in seen:
            return True
        seen.add(key)
    return False


def _chunks(text: str, harmless: Collection[str], least_words: int) -> Iterator[Key]:
    for chunk in _SENTENCE_END.split(text):
        if len(chunk) >= 3 * least_words and len(key := key_of(chunk, harmless)) >= least_words:
            yield key


def same_wording(first: str, second: str, similarity: float) -> bool:
    """Whether two texts of equal words are also written alike, by rapidfuzz's normalised edit similarity (0 to
    100) of their words."""
    from rapidfuzz import fuzz

    return fuzz.ratio(" ".join(words_of(first)), " ".join(words_of(second))) >= similarity


def blocks(structure: Structure, harmless: Collection[str], least_words: int, similarity: float) -> tuple[Block, ...]:
    """Every stretch of instructions that repeats an earlier one, longest runs first joined, in order.

    A stretch begins with a sentence of ``least_words`` words that count; shorter ones, titles and lines of data
    only lengthen it. Examples, fences, code, tool definitions, tables and text that is sent on some paths only
    neither begin nor lengthen one.
    """
    keys = [_key(structure, segment, harmless) for segment in structure.segments]
    seen: dict[Key, list[int]] = {}
    found: list[Block] = []
    index = 0
    while index < len(keys):
        key = keys[index]
        run = (
            _longest(structure, keys, seen.get(key, ()), index, similarity)
            if _begins(structure, key, index, least_words)
            else None
        )
        end = run.end if run else index + 1
        if run:
            found.append(run)
        for at in range(index, end):
            if _begins(structure, keys[at], at, least_words):
                places = seen.setdefault(keys[at], [])
                if len(places) < _MOST_EARLIER:
                    places.append(at)
        index = end
    return tuple(found)


def repeated_instructions(
    structure: Structure, table: Mapping[str, Any], least_words: int, similarity: float
) -> tuple[Block, ...]:
    """The blocks of ``blocks`` that tell the model something: not what two records of one kind share, not material
    without a word that asks for anything (on one side of the data), not a text that fills a prompt up. ``table``:
    ``[repeated]`` of the phrases."""
    harmless = frozenset(table["harmless"])
    found = blocks(structure, harmless, least_words, similarity)
    if not found:
        return ()
    records = records_in(structure)
    times = Counter(_key(structure, segment, harmless) for segment in structure.segments)
    return tuple(
        replace(block, same_side=False) if _closes(structure, block) else block
        for block in found
        if not records.apart(block.first, block.start)
        and times[_key(structure, structure.segments[block.start], harmless)] <= MOST_TIMES
        and (
            not block.same_side
            or any(_asks(structure.text(segment), table) for segment in structure.segments[block.start : block.end])
        )
    )


def _closes(structure: Structure, block: Block) -> bool:
    """Whether what opens a long text closes it as well, as before and after data: what is asked follows."""
    segments = structure.segments
    if block.first > _OPENING or block.end < len(segments):
        return False
    between = segments[block.start].start - segments[block.first_end - 1].end
    return between > _MUCH_BETWEEN * (segments[block.end - 1].end - segments[block.start].start)


def _asks(text: str, table: Mapping[str, Any]) -> bool:
    """Whether a sentence says what the model is to do: by its first word, by any of its words, or (where words are
    not told apart by blanks) by what stands in it."""
    words = words_of(text)
    first = bool(words) and words[0] in table["imperatives"]
    return (
        first
        or not set(table["directives"]).isdisjoint(words)
        or any(piece in text for piece in table["directive_pieces"])
    )


def _key(structure: Structure, segment: Segment, harmless: Collection[str]) -> Key:
    if segment.example or segment.tool or not segment.certain or segment.kind in ("code", "row", "rule", "tag"):
        return ()
    text = structure.named(segment.start, segment.end)
    # Data has to be the same in every word.
    return words_of(text) if segment.kind == "data" else key_of(text, harmless)


def _begins(structure: Structure, key: Key, index: int, least_words: int) -> bool:
    segment = structure.segments[index]
    if segment.kind != "sentence" or len(key) < least_words:
        return False
    text = structure.text(segment)
    finished = segment.item is not None or len(key) >= _TITLE_WORDS or _FINISHED.search(text) is not None
    return finished and _is_prose(text) and _FORM.fullmatch(text) is None


def _is_prose(text: str) -> bool:
    """False for code, markup and template statements that stand outside fences."""
    line = text.strip()
    if line.endswith(_CODE_END) or len(_PROSE.findall(line)) < _PROSE_SHARE * len(line):
        return False
    return _CODE.search(line) is None


def _longest(
    structure: Structure, keys: Sequence[Key], earlier: Sequence[int], index: int, similarity: float
) -> Block | None:
    """The longest run from ``index`` that equals one before it; of equal ones that on the same side of the data,
    then the earliest."""
    segments = structure.segments
    runs = [
        (_length(structure, keys, first, index, similarity), segments[first].side == segments[index].side, -first)
        for first in earlier
        if _alike(structure, first, index, similarity)
    ]
    if not runs:
        return None
    length, same_side, negative = max(runs)
    first = -negative
    pairs = zip(range(first, first + length), range(index, index + length), strict=True)
    exact = all(_plain(structure, left) == _plain(structure, right) for left, right in pairs)
    return Block(first, first + length, index, index + length, same_side, exact)


def _length(structure: Structure, keys: Sequence[Key], first: int, index: int, similarity: float) -> int:
    """How many segments from ``index`` on equal those from ``first`` on, the two not overlapping."""
    segments = structure.segments
    same_side = segments[first].side == segments[index].side
    length = 1
    while index + length < len(keys) and first + length < index:
        left, right = first + length, index + length
        if not keys[right] or keys[left] != keys[right] or not _alike(structure, left, right, similarity):
            break
        if (segments[left].side == segments[right].side) != same_side:
            break
        length += 1
    return length


def _alike(structure: Structure, first: int, second: int, similarity: float) -> bool:
    left, right = structure.text(structure.segments[first]), structure.text(structure.segments[second])
    return left == right or same_wording(left, right, similarity)


def _plain(structure: Structure, index: int) -> str:
    text = structure.text(structure.segments[index])
    marker = _MARKER.match(text)
    return " ".join(text[marker.end() if marker else 0 :].split())


def shared(
    first: Structure, second: Structure, harmless: Collection[str], least_words: int
) -> Iterator[tuple[Segment, Segment]]:
    """Sentences of ``second``, before its first data hole, that ``first`` says after its last one: nothing but
    instructions stands between them."""
    last_side = len(first.flat.data)
    said: dict[Key, Segment] = {}
    for index, segment in enumerate(first.segments):
        key = _key(first, segment, harmless)
        if segment.side == last_side and _begins(first, key, index, least_words):
            said.setdefault(key, segment)
    for index, segment in enumerate(second.segments):
        key = _key(second, segment, harmless)
        if segment.side == 0 and key in said and _begins(second, key, index, least_words):
            yield said[key], segment
