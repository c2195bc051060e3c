"""A change of prompt text as edits of the source in which the text is written."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from itertools import pairwise

from promptslim.core.prompt import Hole, Literal, Prompt
from promptslim.core.record import record
from promptslim.core.text import Document, Edit, Location, Span
from promptslim.edits.source.holder import Holder

_DATA = frozenset({".json", ".toml", ".yaml", ".yml"})
_CODE = frozenset({".py", ".pyi", ".ipynb"})
_SIGNS = {"{": "{}", "}": "{}", "%": "%", "$": "$"}
"""Characters that a template in a program may give a meaning, and the kind of template."""


@record
class _Text:
    """A literal whose places are known. ``doubled``: braces are written twice."""

    text: str
    document: Document
    places: Sequence[int]
    doubled: bool

    def end_of(self, holder: Holder, offset: int, following: int) -> int:
        """Where the character written at ``offset`` ends."""
        end = holder.end_of(offset, following)
        pair = self.document.text[offset : offset + 2]
        return offset + 2 if self.doubled and pair in ("{{", "}}") else end


@record
class _Group:
    """Neighbouring characters that one holder holds: their indices in the literal."""

    holder: Holder
    start: int
    end: int


def source_edits(prompt: Prompt, part: int, start: int, end: int, replacement: str) -> tuple[Edit, ...] | None:
    """The edits of files that make characters ``start``..``end`` of literal part number ``part`` read ``replacement``
    ("" deletes, ``start == end`` inserts).

    The replacement is escaped for where the text stands; a range over several string tokens is one edit for each.
    None where the text has no source map, where the source cannot hold the replacement, where a template would read
    it as a placeholder, and where the same source characters are sent at another place of the prompt too. Which
    files may be edited at all (not those that are vendored or generated) is for the caller to say.
    """
    literal = prompt.parts[part]
    if not isinstance(literal, Literal) or literal.location is None or literal.source_map is None:
        return None
    if not 0 <= start <= end <= len(literal.text):
        raise ValueError(f"characters {start}..{end} of a part of {len(literal.text)}")
    written = _Text(literal.text, literal.location.document, literal.source_map, prompt.shape == "format")
    start, end, replacement = _least(literal.text, start, end, replacement)
    if start == end and not replacement:
        return ()
    if _sent_elsewhere(prompt, part, written, start, end) or not _keeps_template(prompt, part, start, end, replacement):
        return None
    groups = _groups(prompt, written, start, end)
    if groups is None:
        return None
    text = _for_template(prompt, written, groups[0], (start, end), replacement)
    if text is None:
        return None
    edits: list[Edit] = []
    for number, group in enumerate(groups):
        edit = _edit(written, group, "" if number else text)
        if edit is None:
            return None
        edits.append(edit)
    return tuple(edits)


def _least(text: str, start: int, end: int, replacement: str) -> tuple[int, int, str]:
    """The same change without what stays the same at its beginning and end."""
    while start < end and replacement and text[start] == replacement[0]:
        start, replacement = start + 1, replacement[1:]
    while start < end and replacement and text[end - 1] == replacement[-1]:
        end, replacement = end - 1, replacement[:-1]
    return start, end, replacement


def _sent_elsewhere(prompt: Prompt, part: int, literal: _Text, start: int, end: int) -> bool:
    """Whether the source characters that would change are sent a second time, so that both would change."""
    touched = set(literal.places[start:end] if end > start else _beside(literal, start))
    return any(
        not touched.isdisjoint(other.source_map[:-1])
        for number, other in enumerate(prompt.parts)
        if number != part
        and isinstance(other, Literal)
        and other.source_map is not None
        and other.location is not None
        and (other.location.document is literal.document or other.location.document == literal.document)
    )


def _beside(literal: _Text, index: int) -> Sequence[int]:
    """The place of the character before or after an index."""
    return literal.places[index : index + 1] if index < len(literal.text) else literal.places[index - 1 : index]


def _keeps_template(prompt: Prompt, part: int, start: int, end: int, replacement: str) -> bool:
    if prompt.shape not in ("jinja", "mustache", "format"):
        return True
    from promptslim.edits.source.jinja import keeps_template

    return keeps_template(prompt, part, start, end, replacement)


def _groups(prompt: Prompt, literal: _Text, start: int, end: int) -> list[_Group] | None:
    """The characters cut where another string token begins."""
    places, document = literal.places, literal.document
    raw = _sent_as_file(prompt, document)
    if start == end:
        if not literal.text:
            return None
        holder = _holder(document, _beside(literal, start)[0], raw)
        return None if holder is None else [_Group(holder, start, end)]
    groups: list[_Group] = []
    position = start
    while position < end:
        holder = _holder(document, places[position], raw)
        if holder is None:
            return None
        stop = position + 1
        while stop < end and places[stop - 1] < places[stop] < holder.end:
            stop += 1
        groups.append(_Group(holder, position, stop))
        position = stop
    ends = [(places[group.start], places[group.end - 1]) for group in groups]
    return groups if all(one[1] < two[0] for one, two in pairwise(ends)) else None


def _sent_as_file(prompt: Prompt, document: Document) -> bool:
    """Whether a data file is sent as it is, not one of the texts in it: its text reaches beyond one string."""
    if _suffix(document) not in _DATA:
        return False
    from promptslim.edits.source.data import text_at

    for part in prompt.parts:
        if isinstance(part, Literal) and part.text and part.source_map and part.location is not None:
            if part.location.document != document:
                continue
            first, last = part.source_map[0], part.source_map[len(part.text) - 1]
            held = text_at(document, first)
            if held is None or held.source_map is None or last >= held.location.span.end:
                return True
            if first not in held.source_map:
                return True
    return False


def _suffix(document: Document) -> str:
    return posixpath.splitext(document.path)[1].lower()


def _holder(document: Document, offset: int, raw: bool) -> Holder | None:
    if document.cell is not None or _suffix(document) in _CODE:
        from promptslim.edits.source.python import string_holder

        return string_holder(document, offset)
    match "" if raw else _suffix(document):
        case ".yaml" | ".yml":
            from promptslim.edits.source.yaml import yaml_scalar

            return yaml_scalar(document, offset)
        case ".toml":
            from promptslim.edits.source.toml import toml_string

            return toml_string(document, offset)
        case ".json":
            from promptslim.edits.source.json import json_string

            return json_string(document, offset)
        case _:
            from promptslim.edits.source.plain import plain_text

            return plain_text(document)


def _for_template(prompt: Prompt, literal: _Text, group: _Group, span: tuple[int, int], replacement: str) -> str | None:
    """The replacement with the signs doubled that the template doubles; None where a sign may mean something and the
    text around does not tell."""
    if prompt.shape == "tools" and any(char in '"\\' or ord(char) < 32 for char in replacement):
        return None  # what is sent is JSON, in which these are written otherwise
    if prompt.shape == "format":
        return replacement.replace("{", "{{").replace("}", "}}")
    if prompt.shape != "python":
        return replacement
    replaced = literal.text[span[0] : span[1]]
    kinds = {_SIGNS[char] for char in replacement if char in _SIGNS and char not in replaced}
    for kind in kinds:
        openings = list(_holes_in(prompt, literal, group.holder))
        if kind == "{}" and any(one.startswith("{{") for one in openings):
            return None
        if kind == "{}" and getattr(group.holder, "token", None) and group.holder.token.formatted:  # type: ignore[attr-defined]
            continue
        if not any(one.startswith(kind[0]) for one in openings):
            if kind == "{}":
                return None
            continue
        for char in kind:
            replacement = replacement.replace(char, char * 2)
    return replacement


def _holes_in(prompt: Prompt, literal: _Text, holder: Holder) -> Iterator[str]:
    """How the holes inside a holder are written."""
    for part in prompt.parts:
        place = part.location if isinstance(part, Hole) else None
        if place is None or place.document != literal.document:
            continue
        if holder.start <= place.span.start and place.span.end <= holder.end:
            yield place.text


def _edit(literal: _Text, group: _Group, text: str) -> Edit | None:
    document = literal.document
    margin = _margin(literal, group.holder)
    start, end = _range(literal, group, text)
    lead = margin if _begins_line(literal, group, text, end) else ""
    written = group.holder.written(start, end, text, lead, margin)
    return None if written is None else Edit(Location(document, Span(start, end)), written)


def _range(literal: _Text, group: _Group, text: str) -> tuple[int, int]:
    """The source range of the characters of a group. Between a line end and the next character there may be an
    indentation that is not sent: where a line end goes, one such indentation goes with it."""
    places, holder = literal.places, group.holder
    if group.start == group.end:
        if group.start < len(literal.text):
            return places[group.start], places[group.start]
        last, end = literal.end_of(holder, places[group.start - 1], places[group.start]), places[group.start]
        indented = last < end <= holder.end and not literal.document.text[last:end].strip(" \t")
        return (end, end) if indented else (last, last)
    start = places[group.start]
    last = places[group.end - 1]
    following = min(places[group.end], holder.end) if places[group.end] > last else holder.end
    end = literal.end_of(holder, last, following)
    if literal.text[group.end - 1] != "\n":
        return start, end
    before = places[group.start - 1] if group.start else None
    if not text and before is not None and literal.text[group.start - 1] == "\n" and holder.start <= before < start:
        return literal.end_of(holder, before, start), end
    if end >= following:
        return start, end
    gap = literal.document.text[end:following]
    return start, end if gap.lstrip(" \t").startswith("\\") else following


def _begins_line(literal: _Text, group: _Group, text: str, end: int) -> bool:
    """Whether text now begins on what was an empty line without indentation."""
    places, index = literal.places, group.start
    if (
        not index
        or literal.text[index - 1] != "\n"
        or literal.end_of(group.holder, places[index - 1], places[index]) != places[index]
    ):
        return False
    if text:
        return text[0] != "\n"
    following = literal.text[group.end : group.end + 1]
    return following not in ("\n", "") and end == places[group.end]


def _margin(literal: _Text, holder: Holder) -> str:
    """The indentation that stands in the source after the line ends of a text and is not sent."""
    places, source = literal.places, literal.document.text
    index = literal.text.find("\n")
    while 0 <= index < len(literal.text) - 1:
        first, second = places[index], places[index + 1]
        if holder.start <= first and second <= holder.end and source[first] == "\n":
            between = source[first + 1 : second]
            if literal.text[index + 1] != "\n" and not between.strip(" \t"):
                return between
        index = literal.text.find("\n", index + 1)
    return ""
