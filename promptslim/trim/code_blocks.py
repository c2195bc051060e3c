"""Stretches of a prompt that are taken over byte for byte: fences, edit blocks, diffs, code in tags."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_FENCE = re.compile(r"[ \t]*(?:(?:[-*+>]|\d{1,3}[.)])[ \t]+)*(`{3,}|~{3,})([^\n]*)")
_RUN = re.compile(r"`{3,}")
_DIFF_START = re.compile(r"[ \t]*(?:@@ |diff --git |--- [ab]/|\+\+\+ [ab]/)")
_DIFF_LINE = re.compile(r"[ \t]*[-+@\\ ]|[ \t]*$")
_TAGGED = re.compile(r"<(pre|code|script|style)\b[^<>\n]*>.*?</\1>", re.DOTALL | re.IGNORECASE)


def code_blocks(text: str) -> tuple[tuple[int, int], ...]:
    """Half-open ranges in order and without overlap. A fence that is not closed runs to the end."""
    found = _apart((*_by_lines(text), *(match.span() for match in _TAGGED.finditer(text))))
    return tuple(_apart((*found, *_by_runs(text, found))))


def _apart(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ranges in order, without those that begin inside an earlier one."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if not found or start >= found[-1][1]:
            found.append((start, end))
    return found


def _by_runs(text: str, blocks: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Code between runs of three or more backticks that stand within lines, over several lines too; a run that is not
    closed by one of its length runs to the end."""
    opened: tuple[int, int] | None = None
    at = 0
    for match in _RUN.finditer(text):
        while at < len(blocks) and blocks[at][1] <= match.start():
            at += 1
        if at < len(blocks) and blocks[at][0] <= match.start():
            continue
        size = match.end() - match.start()
        if opened is None:
            opened = match.start(), size
        elif opened[1] == size:
            yield opened[0], match.end()
            opened = None
    if opened is not None:
        yield opened[0], len(text)


def _by_lines(text: str) -> Iterator[tuple[int, int]]:
    opened: tuple[int, str] | None = None  # where it starts, and the sign that it is closed with
    at = 0
    for line in text.splitlines(keepends=True):
        end = at + len(line.rstrip("\r\n"))
        content = line.rstrip("\r\n")
        if opened is not None and opened[1] == "diff" and not _DIFF_LINE.match(content):
            yield opened[0], at
            opened = None
        if opened is None:
            opened = _opening(content, at)
        elif _closes(content, opened[1]):
            yield opened[0], end
            opened = None
        at += len(line)
    if opened is not None:
        yield opened[0], len(text)


def _opening(content: str, at: int) -> tuple[int, str] | None:
    if (fence := _FENCE.match(content)) and "`" not in fence[2]:
        return at + fence.start(1), fence[1]
    if content.lstrip().startswith("<<<<<<<"):
        return at, ">>>>>>>"
    return (at, "diff") if _DIFF_START.match(content) else None


def _closes(content: str, sign: str) -> bool:
    match sign:
        case ">>>>>>>":
            return content.lstrip().startswith(sign)
        case "diff":
            return False
        case _:
            inner = content.strip().removeprefix(">").strip()
            return inner.startswith(sign) and not inner.strip(sign[0])
