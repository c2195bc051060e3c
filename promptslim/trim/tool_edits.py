"""Changes of tool definitions: where they are written, and what they must leave alone.

The text of tools is JSON made from the dicts of a program, so that a member that goes is a key of a dict that goes.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from promptslim.core.prompt import Prompt
from promptslim.core.text import Edit
from promptslim.edits.calls.additions import remove_key
from promptslim.edits.calls.change import checked
from promptslim.edits.calls.source import read
from promptslim.edits.prompt_text import source_edits
from promptslim.structure.flat import FlatText
from promptslim.structure.tool_list import Member, Node, Tool, tools_in
from promptslim.trim.change import Change as TextChange
from promptslim.trim.change import Range, placed
from promptslim.trim.protected_words import Sign
from promptslim.trim.protection import Protection

_WORDING = ("description", "title")
_ONE_OF = ("must", "should", "can", "may", "one", "any", "either", "allowed")
_MAY_GO = ("name", "flag")
"""Signs that the name of a parameter or its enum still has."""


def tool_edits(prompt: Prompt, flat: FlatText, one: Range) -> tuple[Edit, ...] | None:
    """The edits that take a range out of a tool list: a clause of one description, or a whole member. None where the
    range is neither, or the program does not write it as a dict."""
    places = placed(flat, TextChange((one,)))
    if places is not None:
        return source_edits(prompt, places[0].part, places[0].start, places[0].end, "")
    text = flat.text[one.start : one.end]
    start = one.start + len(text) - len(text.lstrip(", "))
    end = flat.text.find('"', start + 1) + 1
    place = flat.location(start, end)
    source = read(place.document) if place is not None else None
    if place is None or source is None or place.text[1:-1] not in _WORDING:
        return None
    key = source.node(place, ast.Constant)
    display = next(source.above(key), None) if key is not None else None
    if key is None or not isinstance(display, ast.Dict):
        return None
    return checked(source, [remove_key(source, display, key)])


def only_wording_gone(before: str, one: Range, guard: Protection) -> bool:
    """Whether a tool list without a range differs in nothing but wording: no name, type, enum or requirement goes, and
    what goes says nothing that does not stand elsewhere in the list."""
    after = before[: one.start] + before[one.end :]
    if not same_but_for_wording(before, after):
        return False
    clause = not before[one.start : one.end].lstrip(", ").startswith('"')
    gone = [sign for _, sign in guard.words.signs(_content(before[one.start : one.end]))]
    if guard.guarded.search(before[one.start : one.end]):
        return False
    return all(sign.kind in _MAY_GO or (clause and _said(sign, after)) for sign in gone)


def same_but_for_wording(before: str, after: str) -> bool:
    """Whether two tool lists have the same tools, with the same descriptions, and parameters that differ in nothing
    but their titles and descriptions."""
    first, second = ([list(_bones(tool)) for tool in tools_in(text)] for text in (before, after))
    return bool(first) and first == second


def _said(sign: Sign, after: str) -> bool:
    """Whether a list of values still says what a clause about it says: the values, and that one of them is due."""
    return sign.key in _ONE_OF if sign.kind == "word" else sign.key.strip("\"'`") in after


def _content(member: str) -> str:
    """The value of a member without its key and quotes; a clause as it is."""
    body = member.strip(", ")
    if not body.startswith('"'):
        return body
    return body.partition(":")[2].strip().strip('"')


def _bones(tool: Tool) -> Iterator[object]:
    yield tool.name
    yield tool.description.text if tool.description else None
    if tool.schema is not None:
        yield from _of_node(tool.schema)


def _of_node(node: Node) -> Iterator[object]:
    yield node.text
    for member in node.members:
        if not _is_wording(member):
            yield member.key
            yield from _of_node(member.value)
    for item in node.items:
        yield from _of_node(item)


def _is_wording(member: Member) -> bool:
    """A description or title in words; a parameter of that name is an object."""
    return member.key in _WORDING and not member.value.members
