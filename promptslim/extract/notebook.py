"""Notebooks: the code cells in order, as one module text.

Cells that do not parse are left out of the module and reported; magics and shell lines become comments of
the same length, so that every position stays true.
"""

from __future__ import annotations

import json
import re

from promptslim.core.lazy_pattern import pattern
from promptslim.core.record import field, record
from promptslim.core.result import FileError
from promptslim.core.text import Document
from promptslim.extract.python.module import Module, parse, parse_module

MAGIC = pattern(r"^(\s*)(?:%|!|\?)|^\s*[\w.]+\?{1,2}\s*$")
ASSIGNED = pattern(r"^(\s*[\w.,\s]+?=\s*)(?:!|%)")
PYTHON_CELLS = ("%%time", "%%timeit", "%%capture", "%%prun", "%%skip", "%%wandb")
_SCAN = json.JSONDecoder(strict=False).raw_decode


def notebook_module(path: str, text: str) -> Module:
    """The module of a notebook; an invalid file gives an empty module with an error."""
    try:
        book = json.loads(text)
        cells = book["cells"] if "cells" in book else book["worksheets"][0]["cells"]
        sources = [_source(cell) if isinstance(cell, dict) else None for cell in cells]
    except (ValueError, KeyError, TypeError, IndexError, RecursionError) as failure:
        what = f"line {failure.lineno}: {failure.msg}" if isinstance(failure, json.JSONDecodeError) else "no cells"
        line = failure.lineno if isinstance(failure, json.JSONDecodeError) else None
        return _empty(path, FileError(path, line, f"not a valid notebook: {what}"))
    language = _language(book)
    if language not in ("python", "ipython", "python3", ""):
        return _empty(path)
    documents: list[Document] = []
    texts: list[str] = []
    starts: list[int] = []
    errors: list[FileError] = []
    position = 0
    raw = _raw_lines(text, sources)
    for index, source in enumerate(sources):
        if source is None:
            continue
        code = without_magics(source)
        tree, (line, message) = parse(code)
        if tree is None:
            raw_line = raw[index][line - 1] if line and line <= len(raw[index]) else None
            errors.append(FileError(path, raw_line, f"cell {index}: {message}"))
            code = re.sub(r"[^\n]", " ", code)
        documents.append(Document(path, source, index, raw[index]))
        texts.append(code + "\n")
        starts.append(position)
        position += len(code) + 1
    if not documents:
        return _empty(path, *errors)
    module = parse_module(path, tuple(documents), "".join(texts), tuple(starts), notebook=True)
    module.errors = (*errors, *module.errors)
    return module


def _empty(path: str, *errors: FileError) -> Module:
    module = parse_module(path, (Document(path, "", 0),), "", (0,), notebook=True)
    module.errors = errors
    return module


def _language(book: dict[str, object]) -> str:
    metadata = book.get("metadata")
    for section, key in (("kernelspec", "language"), ("language_info", "name")):
        entry = metadata.get(section) if isinstance(metadata, dict) else None
        value = entry.get(key) if isinstance(entry, dict) else None
        if isinstance(value, str):
            return value.lower()
    return ""


def _source(cell: dict[str, object]) -> str | None:
    if cell.get("cell_type") != "code":
        return None
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list):
        source = "".join(str(line) for line in source)
    return source if isinstance(source, str) else ""


def without_magics(source: str) -> str:
    """The source with magic, shell and help lines commented out, character for character."""
    if not any(sign in source for sign in "%!?"):
        return source
    lines = source.split("\n")
    first = next((line for line in lines if line.strip()), "")
    if first.startswith("%%") and not first.startswith(PYTHON_CELLS):
        return re.sub(r"[^\n]", " ", source)
    result: list[str] = []
    continued = False
    changed = False
    for line in lines:
        if continued or MAGIC.match(line):
            goes_on, continued = continued, line.rstrip().endswith("\\")
            changed = True
            if goes_on:
                result.append(" " * len(line))
                continue
            indent = len(line) - len(line.lstrip())
            # "pass" keeps a block that held only the magic; a short line becomes blank.
            body = line[indent:]
            word = "pass" if len(body) >= 4 else ""
            result.append(line[:indent] + word + " " * (len(body) - len(word)))
        elif match := ASSIGNED.match(line):
            rest = len(line) - match.end(1)
            result.append(match[1] + ("None" + " " * (rest - 4) if rest >= 4 else "0" + " " * (rest - 1)))
            changed = True
        else:
            result.append(line)
    if not changed or parse(source)[0] is not None:
        return source
    return "\n".join(result)


def _raw_lines(text: str, sources: list[str | None]) -> list[tuple[int, ...]]:
    """For each cell the line of the raw file that holds each of its lines.

    In the usual layout (one JSON string a line) each source line has a raw line of its own; otherwise
    all lines of a cell stand on the raw line where their string starts.
    """
    cells = source_strings(text)
    if len(cells) != len(sources):
        cells = [_Written(0) for _ in sources]
    line_of = Document("", text).position
    raw: list[tuple[int, ...]] = []
    for source, written in zip(sources, cells, strict=True):
        if source is None:
            raw.append(())
            continue
        number = line_of(written.start)[0]
        numbers: list[int] = []
        pending = True
        for start, end in written.strings:
            content = str(json.loads(text[start:end], strict=False))
            number = line_of(start)[0]
            ends = content.endswith("\n")
            if content:
                numbers += [number] * (content.count("\n") - ends + pending)
                pending = ends
        count = source.count("\n") + 1
        raw.append((*numbers, *[number] * count)[:count])
    return raw


@record
class _Written:
    """Where a cell starts in the raw file, and the spans of the strings that make up its source."""

    start: int
    strings: list[tuple[int, int]] = field(default_factory=list)


def source_strings(text: str) -> list[_Written]:
    """The cells of a notebook's JSON text in order. What is not source is passed over by the JSON scanner."""
    try:
        top = _members(text, _after(text, 0))
        if "cells" not in top:
            top = _members(text, _items(text, top["worksheets"][0])[0][0])
        return [_written(text, start) for start, _ in _items(text, top["cells"][0])]
    except (ValueError, KeyError, IndexError, RecursionError):
        return []


def _written(text: str, start: int) -> _Written:
    members = _members(text, start)
    source = members.get("source") or members.get("input")
    if source is None:
        return _Written(start)
    parts = _items(text, source[0]) if text[source[0]] == "[" else [source]
    return _Written(start, [part for part in parts if text[part[0]] == '"'])


def _members(text: str, start: int) -> dict[str, tuple[int, int]]:
    """The members of the object at ``start``: key -> span of the value; nothing where there is no object."""
    found: dict[str, tuple[int, int]] = {}
    if text[start] != "{":
        return found
    place = _after(text, start + 1)
    while text[place] != "}":
        key, place = _SCAN(text, place)
        begin = _after(text, _after(text, place) + 1)
        _, end = _SCAN(text, begin)
        found[key] = begin, end
        place = _after(text, end)
        if text[place] == ",":
            place = _after(text, place + 1)
    return found


def _items(text: str, start: int) -> list[tuple[int, int]]:
    """The spans of the items of the array at ``start``; nothing where there is no array."""
    found: list[tuple[int, int]] = []
    if text[start] != "[":
        return found
    place = _after(text, start + 1)
    while text[place] != "]":
        _, end = _SCAN(text, place)
        found.append((place, end))
        place = _after(text, end)
        if text[place] == ",":
            place = _after(text, place + 1)
    return found


def _after(text: str, place: int) -> int:
    """The place of the next character that is not blank."""
    while text[place] in " \t\n\r":
        place += 1
    return place
