"""Fixes that bring a changing block behind those that stay, where the blocks of one text are written out in a list."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from promptslim.check.written_blocks import request_body, written_at
from promptslim.core.lazy_pattern import pattern
from promptslim.core.prompt import BlockEnd, Hole, Literal, Prompt
from promptslim.core.text import Applicability, Fix

if TYPE_CHECKING:
    import ast

    from promptslim.core.call import LlmCall
    from promptslim.edits.calls.source import Source

CALLS = ("boto3.converse", "boto3.invoke_model", "anthropic.messages")
"""Requests whose texts are lists of blocks."""


_PLACE = pattern(
    r"\b(?:above|below|preceding|foregoing|aforementioned|at the (?:top|bottom|beginning|start)"
    r"|(?:following|previous|next|first|last|final) (?:block|section|part|paragraph|passage|text|document|context|data"
    r"|information|input|question|message|instruction|rule|table|list|line)s?)\b"
    r"|以上|以下|上述|如下|上記|下記|次の|앞|아래",
    re.IGNORECASE,
)
"""Words by which text points at other text: the order of the blocks is part of what they say."""

_OPENED = pattern(r"(?::|<[A-Za-z][^<>/]*>|```\w*)\s*$")
_CLOSES = pattern(r"^\s*(?:</|```)")
"""Text that goes on in the next block, and text that ends what the block before began."""


def moved_last(prompt: Prompt, hole: Hole, call: LlmCall, label: int) -> tuple[Fix, ...]:
    """The block that holds ``hole`` as the last one of its list. Nothing where the block itself goes on for more than
    ``label`` characters behind the hole: within one text nothing is moved; and nothing where the texts say something
    about their order."""
    import ast

    from promptslim.edits.calls.change import checked
    from promptslim.edits.calls.places import list_display
    from promptslim.edits.calls.replacements import move_item
    from promptslim.edits.calls.source import read

    index = _block(prompt, hole, label)
    if index is None or call.sdk not in CALLS or prompt.role not in ("system", "user") or _is_ordered(prompt, index):
        return ()
    source = read(call.location.document)
    if source is None:
        return ()
    node = source.node(call.location, ast.Call)
    owner = request_body(source, node) if node is not None and call.sdk == "boto3.invoke_model" else node
    at = written_at(source, owner, call, prompt) if owner is not None else None
    display = list_display(source, at) if at is not None else None
    if display is None:
        return ()
    place = _item(source, display, index)
    if place is None or not _movable(source, display, place):
        return ()
    edits = checked(source, [move_item(source, display, place)])
    title = "send the changing block last, behind the text that stays the same"
    return (Fix(title, edits, Applicability.UNSAFE),) if edits is not None else ()


def _block(prompt: Prompt, hole: Hole, label: int) -> int | None:
    """Which text block of the prompt a hole stands in."""
    place = next((index for index, part in enumerate(prompt.parts) if part is hole or part == hole), None)
    if place is None:
        return None
    rest = 0
    for part in prompt.parts[place + 1 :]:
        if isinstance(part, BlockEnd):
            break
        rest += len(part.text) if isinstance(part, Literal) else 0
    return sum(isinstance(part, BlockEnd) for part in prompt.parts[:place]) if rest < label else None


def _is_ordered(prompt: Prompt, index: int) -> bool:
    """True where a text names the place of another, or a block is the frame of the one that would move."""
    blocks: list[list[str]] = [[]]
    for part in prompt.parts:
        if isinstance(part, BlockEnd):
            blocks.append([])
        else:
            blocks[-1].append(part.text if isinstance(part, Literal) else "\0")
    texts = ["".join(block) for block in blocks]
    before = texts[index - 1] if index else ""
    frames = any(map(_OPENED.search, (before, texts[index]))) or any(map(_CLOSES.search, texts[index : index + 2]))
    return frames or any(map(_PLACE.search, texts))


def _item(source: Source, display: ast.List, index: int) -> int | None:
    """The item of the list that is the text block of a number, cache points left out of the count."""
    import ast

    blocks = [
        place
        for place, item in enumerate(display.elts)
        if isinstance(item, ast.Dict) and "cachePoint" not in source.code(item).partition(":")[0]
    ]
    others = [item for item in display.elts if not isinstance(item, ast.Dict)]
    return blocks[index] if index < len(blocks) and not others else None


def _movable(source: Source, display: ast.List, place: int) -> bool:
    """False for a block that carries a cache marker, and where the order of evaluation may matter."""
    import ast

    if "cache" in source.code(display.elts[place]):
        return False
    ordered = (ast.NamedExpr, ast.Await, ast.Yield, ast.YieldFrom)
    return not any(isinstance(node, ordered) for item in display.elts[place:] for node in ast.walk(item))
