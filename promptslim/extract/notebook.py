"""Notebooks: the code cells in order, as one module text.

Cells that do not parse are left out of the module and reported; magics and shell lines become comments of
the same length, so that every position stays true.
"""

from __future__ import annotations

import json
import re

from promptslim.core.result import FileError
from promptslim.core.text import Document
from promptslim.extract.python.module import Module, parse, parse_module

MAGIC = re.compile(r"^(\s*)(?:%|!|\?)|^\s*[\w.]+\?{1,2}\s*$")
ASSIGNED = re.compile(r"^(\s*[\w.,\s]+?=\s*)(?:!|%)")
PYTHON_CELLS = ("%%time", "%%timeit", "%%capture", "%%prun", "%%skip", "%%wandb")
LINE = re.compile(r'^\s*"')


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
            continued = line.rstrip().endswith("\\")
            indent = len(line) - len(line.lstrip())
            # "pass" keeps a block that held only the magic; a short line becomes blank.
            body = line[indent:]
            word = "pass" if len(body) >= 4 else ""
            result.append(line[:indent] + word + " " * (len(body) - len(word)))
            changed = True
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
    all lines of a cell stand on the raw line where its source starts.
    """
    raw: list[tuple[int, ...]] = []
    position = 0
    line_of = Document("", text).position
    for source in sources:
        if source is None:
            raw.append(())
            continue
        lines = source.split("\n")
        numbers: list[int] = []
        for line in lines:
            encoded = json.dumps(line, ensure_ascii=False)[1:-1]
            found = text.find('"' + encoded, position) if encoded else position
            if found < 0:
                escaped = json.dumps(line)[1:-1]
                found = text.find(escaped, position)
            if found >= 0 and encoded:
                position = found + len(encoded)
            numbers.append(line_of(max(position - 1, 0))[0] if encoded or not numbers else numbers[-1] + 1)
        raw.append(tuple(numbers))
    return raw
