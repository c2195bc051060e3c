"""Where a prompt shows examples: tags, titles, labelled lines, pairs of input and output."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from promptslim.core.lazy_pattern import pattern
from promptslim.core.record import record
from promptslim.structure.flat import FlatText
from promptslim.structure.lines import Line
from promptslim.structure.sections import TAG_LEVEL
from promptslim.structure.segment import Example, Section

_WORD = r"(?:example|sample|demo|shot|demonstration)"
_TAG = pattern(
    rf"<(/?)((?:[a-z]{{1,12}}[_ -])?{_WORD}(s?)(?:[_ -]?\w{{1,12}})?)(?:[ \t][^<>\n]{{0,100}})?>", re.IGNORECASE
)
_TITLE = pattern(r"\b(?:examples?|few[- ]shots?|demonstrations?)\b", re.IGNORECASE)
_TURN = pattern(r"user|assistant|human|ai|model", re.IGNORECASE)
_SEVERAL = pattern(r"\b(?:examples|shots|demonstrations)\b", re.IGNORECASE)
_LABEL = pattern(
    r"[ \t]*(?:[-*>#] )?[*_`\[(]{0,3}(?:(?:worked|good|bad|few-shot|another|positive|negative)[ \t]+)?example(?P<s>s?)"
    r"(?:[ \t]+(?:\d{1,3}|[A-Z]|one|two|three|four|five))?\b[^\n:]{0,90}?"
    r"(?::[*_]{0,2}(?P<rest>.*)|[)\]*_]{1,4}[ \t]*)$",
    re.IGNORECASE,
)
_INTRODUCED = pattern(
    r"[ \t]*(?:[-*] )?[*_]{0,2}(?:for (?:example|instance)|e\.g\.)[*_]{0,2}[ \t]*[:,][*_]{0,2}[ \t]*(?P<rest>)$",
    re.IGNORECASE,
)
_PAIR = pattern(
    r"[ \t]*(?:[-*>] |\d{1,3}[.)] )?[*_`\"]{0,3}(?:(?:example|sample|user|expected|model|correct|final) )?"
    r"(?:(?P<asks>input|query|question|q|user|human|text|review|ticket|sentence|message|request|email|tweet|comment"
    r"|utterance|source|article|passage|problem)"
    r"|(?P<answers>output|answer|a|assistant|ai|bot|label|sentiment|category|class|response|intent|result|translation"
    r"|summary|target|solution))"
    r"(?:[ \t]*#?\d{1,3})?[*_`\"]{0,3}[ \t]*:[*_`\"]{0,3}[ \t]*(?P<rest>.*)$",
    re.IGNORECASE,
)
_SPEAKERS = ("user", "human")
LONGEST_LABEL_LINE = 4_000
MOST_LINES = 300
"""Lines of one labelled example; keeps a text of labels linear."""

MOST_TITLE_WORDS = 9
"""Words; a longer title is a sentence that mentions examples."""


@record
class _Region:
    """A range of offsets; ``several``: a list of examples, not one."""

    start: int
    end: int
    several: bool


def example_regions(
    flat: FlatText, lines: Sequence[Line], sections: Sequence[Section]
) -> tuple[tuple[Example, ...], tuple[Example, ...]]:
    """The examples in order (a conversation is one), and all that stands in an example or a list of them, merged.

    Data that is filled in ends an example: what follows is the question itself.
    """
    regions = [*_tagged(flat.text), *_titled(sections), *_labelled(flat.text, lines)]
    pairs = [pair for pair in _pairs(flat, lines) if flat.side(pair.start - 1) == flat.side(pair.end - 1)]
    whole = [cut for region in (*regions, *pairs) if (cut := _before_data(flat, region)).end > cut.start]
    single = sorted({(one.start, one.end) for one in whole if not one.several}, key=lambda one: (one[0], -one[1]))
    outer: list[Example] = []
    for start, end in single:
        if not outer or start >= outer[-1].end:
            outer.append(Example(start, end))
    return tuple(outer), tuple(_merged(sorted((one.start, one.end) for one in whole)))


def _before_data(flat: FlatText, region: _Region) -> _Region:
    side = flat.side(region.start - 1)
    if side == len(flat.data) or flat.data[side] >= region.end:
        return region
    line_start = flat.text.rfind("\n", 0, flat.data[side]) + 1
    return _Region(region.start, max(region.start, line_start), region.several)


def _merged(ranges: Sequence[tuple[int, int]]) -> Iterator[Example]:
    current: tuple[int, int] | None = None
    for start, end in ranges:
        if current is not None and start <= current[1]:
            current = current[0], max(end, current[1])
            continue
        if current is not None:
            yield Example(*current)
        current = start, end
    if current is not None:
        yield Example(*current)


def _tagged(text: str) -> Iterator[_Region]:
    opened: dict[str, list[int]] = {}
    for match in _TAG.finditer(text):
        name = match[2].lower()
        if not match[1]:
            opened.setdefault(name, []).append(match.start())
        elif opened.get(name):
            yield _Region(opened[name].pop(), match.end(), bool(match[3]))


def _titled(sections: Sequence[Section]) -> Iterator[_Region]:
    for section in sections[1:]:
        title = section.title
        if section.level == TAG_LEVEL:
            continue
        if _TURN.fullmatch(title):
            yield _Region(section.start, section.end, True)
        elif _TITLE.search(title) and len(title.split()) <= MOST_TITLE_WORDS:
            yield _Region(section.start, section.end, bool(_SEVERAL.search(title)))


def _labelled(text: str, lines: Sequence[Line]) -> Iterator[_Region]:
    for at, line in enumerate(lines):
        if line.kind not in ("text", "item", "heading") or line.end - line.start > LONGEST_LABEL_LINE:
            continue
        content = text[line.start : line.end].rstrip()
        match = _LABEL.match(content) or _INTRODUCED.match(content)
        if match is None or (line.kind == "heading" and line.level < TAG_LEVEL - 1):
            continue
        last = _nested_end(text, lines, at) if (match["rest"] or "").strip() else _block_end(text, lines, at)
        yield _Region(line.start, lines[last].end, bool(match.groupdict().get("s")))


def _nested_end(text: str, lines: Sequence[Line], label: int) -> int:
    """The last of the lines right below a label that are indented deeper: they belong to it."""
    depth = _indent(text, lines[label])
    last = label
    for at in range(label + 1, min(label + MOST_LINES, len(lines))):
        if lines[at].kind == "blank" or _indent(text, lines[at]) <= depth:
            break
        last = at
    return last


def _indent(text: str, line: Line) -> int:
    head = text[line.start : min(line.end, line.start + LONGEST_LABEL_LINE)]
    return len(head) - len(head.lstrip(" \t"))


def _block_end(text: str, lines: Sequence[Line], label: int) -> int:
    """The last line of what a label introduces: its paragraph, and the paragraphs after it that are pairs,
    quotations, code or data."""
    last = label
    seen = False
    for at in range(label + 1, min(label + MOST_LINES, len(lines))):
        line = lines[at]
        content = text[line.start : min(line.end, line.start + LONGEST_LABEL_LINE)].rstrip("\r\n")
        if line.kind in ("heading", "open", "close", "rule") or (
            line.kind == "text" and (_LABEL.match(content) or _INTRODUCED.match(content))
        ):
            break
        if line.kind == "blank":
            continue
        after_blank = lines[at - 1].kind == "blank"
        shown = line.kind in ("fence", "data", "row") or content[:1] in "\"'“>" or _PAIR.match(content)
        if seen and after_blank and not shown and not content.startswith("    "):
            break
        seen = True
        last = at
    return last


def _pairs(flat: FlatText, lines: Sequence[Line]) -> list[_Region]:
    """Questions with their answers, where at least two in the text have the same labels. Turns of users and
    assistants without a blank line between them are one conversation, a last question without an answer included."""
    found: dict[str, list[_Region]] = {}
    last: list[_Region] = []
    asked: tuple[int, str] | None = None
    label = ""
    answered = waiting = False
    end = 0

    def goes_on() -> bool:
        return asked is not None and asked[1] in _SPEAKERS and bool(last) and last[-1].end == asked[0]

    def close() -> None:
        nonlocal asked, answered, last
        if goes_on():
            last[-1] = _Region(last[-1].start, end, False)
        elif asked is not None and answered:
            last = found.setdefault(label, [])
            last.append(_Region(asked[0], end, False))
        asked, answered = None, False

    for line in lines:
        text = flat.text[line.start : min(line.end, line.start + LONGEST_LABEL_LINE)].rstrip()
        match = _PAIR.match(text) if line.kind in ("text", "item") else None
        if match and match["asks"]:
            close()
            asked, end, waiting = (line.start, match["asks"].lower()), line.end, False
        elif match and asked:
            label = f"{asked[1]} {match['answers'].lower()}"
            answered, end = answered or bool(match["rest"]), line.end
            waiting = not match["rest"]
        elif line.kind in ("heading", "open", "close", "rule"):
            close()
            label = ""
        elif asked and line.kind == "blank":
            if answered or goes_on():
                close()
        elif asked:
            answered, end = answered or waiting, line.end
    close()
    return [region for regions in found.values() if len(regions) > 1 for region in regions]
