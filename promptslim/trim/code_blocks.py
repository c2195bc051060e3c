"""Stretches of a prompt that are taken over byte for byte: fences, edit blocks, diffs, code in tags, code indented
under a list, examples of XML."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from promptslim.trim.json_text import json_spans

_FENCE = re.compile(r"[ \t]*(?:(?:[-*+>]|\d{1,3}[.)])[ \t]+)*(`{3,}|~{3,})([^\n]*)")
_RUN = re.compile(r"`{3,}")
_DIFF_START = re.compile(r"[ \t]*(?:@@ |diff --git |--- [ab]/|\+\+\+ [ab]/)")
_DIFF_LINE = re.compile(r"[ \t]*[-+@\\ ]|[ \t]*$")
_TAGGED = re.compile(r"<(pre|code|script|style)\b[^<>\n]*>.*?</\1>", re.DOTALL | re.IGNORECASE)

_ITEM = re.compile(r"[ \t]*(?:[-*+•]|\d{1,3}[.)])[ \t]+(?=\S)")
_CODE_INDENT = 4
_LEAST_COLUMN = 2
"""A line that begins before the text of any list item ends the list."""

_CODE_SIGN = re.compile(r"[{}=;$|<>\\]|(?<!\S)--?[A-Za-z]|[\w\]]\(|^[ \t]*(?:#|//|@\w)", re.MULTILINE)
_BLANK_LINE = re.compile(r"\n[ \t]*\n")

_XML_LINE = r"[ \t]*</?[A-Za-z][^<>\n]{0,200}>(?:[^<>\n]{0,500}</[A-Za-z][\w.:-]{0,60}[ \t]*>)?[ \t]*"
_XML_LINES = re.compile(rf"^{_XML_LINE}(?:\n{_XML_LINE}){{2,}}$", re.MULTILINE)
_XML_VALUE = re.compile(r"^[ \t]*<([A-Za-z][\w.:-]*)[^<>\n]*>[^<>\n]+</\1[ \t]*>", re.MULTILINE)
_XML_OPEN = re.compile(r"^[ \t]*<([A-Za-z][\w.:-]*)[^<>\n]*(?<!/)>[ \t]*$", re.MULTILINE)


def code_blocks(text: str) -> tuple[tuple[int, int], ...]:
    """Half-open ranges in order and without overlap. A fence that is not closed runs to the end."""
    tagged = (match.span() for match in _TAGGED.finditer(text))
    found = _apart((*_by_lines(text), *tagged, *_laid_out(text)))
    return tuple(_apart((*found, *_by_runs(text, found))))


def _laid_out(text: str) -> Iterator[tuple[int, int]]:
    """Indented code and XML, but in JSON, where it is text in a string over several lines."""
    found = [*_by_indentation(text), *_xml(text)]
    data = json_spans(text) if found else ()
    return ((start, end) for start, end in found if not any(one.start < end and start < one.end for one in data))


def _by_indentation(text: str) -> Iterator[tuple[int, int]]:
    """Code by its indentation, as in Markdown: after a blank line, four columns or more behind the text of the list
    item around it. Outside lists only what has the signs of code: people indent paragraphs too."""
    lines = [one for one in text.split("\n")[1:] if one.strip()]
    margin = min((_indent(one) for one in lines), default=0)
    column: int | None = None  # where the text of the last list item begins
    opened: tuple[int, int, int] | None = None  # start, end, least indentation
    at, after_blank = 0, True
    for line in text.splitlines(keepends=True):
        start, at = at, at + len(line)
        end = start + len(line.rstrip("\r\n"))
        if not line.strip():
            after_blank = True
            continue
        indent = _indent(line)
        if opened is not None and indent < opened[2]:
            yield opened[0], opened[1]
            opened = None
        least = (margin if column is None else column) + _CODE_INDENT
        if opened is not None:
            opened = opened[0], end, opened[2]
        elif item := _ITEM.match(line):
            column = len(item[0].expandtabs(4))
        elif after_blank and indent >= least and (column is not None or _CODE_SIGN.search(_paragraph(text, start))):
            opened = start, end, least
        elif indent < margin + _LEAST_COLUMN:
            column = None
        after_blank = False
    if opened is not None:
        yield opened[0], opened[1]


def _indent(line: str) -> int:
    wide = line.expandtabs(4)
    return len(wide) - len(wide.lstrip())


def _paragraph(text: str, start: int) -> str:
    """From an offset to the next blank line."""
    end = _BLANK_LINE.search(text, start)
    return text[start : end.start() if end else len(text)]


def _xml(text: str) -> Iterator[tuple[int, int]]:
    """Lines that are tags and nothing but tags, with values in some of them."""
    for match in _XML_LINES.finditer(text):
        if _XML_VALUE.search(match[0]) and _XML_OPEN.search(match[0]):
            yield match.start(), match.end()


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
