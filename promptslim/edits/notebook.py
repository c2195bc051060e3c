"""Edits of notebook cells in the JSON of the notebook: only the lines of source that change are written anew."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence

from promptslim.core.record import record
from promptslim.core.text import Edit
from promptslim.edits.apply import OutdatedError
from promptslim.edits.same_ends import same_ends
from promptslim.extract.notebook import source_strings

_CHARACTER = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|[^\\]", re.DOTALL
)


@record
class _Line:
    """One JSON string of a cell's source: its span in the file, quotes included, and its characters as written."""

    start: int
    end: int
    characters: tuple[str, ...]


def edit_notebook(path: str, text: str, edits: Iterable[Edit]) -> str:
    """The JSON text of a notebook after edits of its cells that do not overlap.

    Outputs, metadata, the order of keys, indentation and the escapes of other lines stay byte for byte. Raises
    OutdatedError where a cell has another source than the edits were made for.
    """
    by_cell: dict[int, list[Edit]] = {}
    for edit in edits:
        if edit.location.cell is None:
            raise OutdatedError(f"{path}: an edit outside the cells of a notebook")
        by_cell.setdefault(edit.location.cell, []).append(edit)
    cells = source_strings(text)
    changes: list[tuple[int, int, str]] = []
    for cell, wanted in by_cell.items():
        strings = cells[cell].strings if cell < len(cells) else []
        lines = [_Line(start, end, tuple(_CHARACTER.findall(text, start + 1, end - 1))) for start, end in strings]
        source = "".join(_decoded(char) for line in lines for char in line.characters)
        if not lines or any(edit.location.document.text != source for edit in wanted):
            raise OutdatedError(f"{path}: cell {cell} has changed since it was analysed; run again")
        changes += _cell_changes(text, lines, wanted)
    for start, end, content in sorted(changes, reverse=True):
        text = text[:start] + content + text[end:]
    return text


def _decoded(written: str) -> str:
    return written if len(written) == 1 else str(json.loads(f'"{written}"', strict=False))


def _cell_changes(text: str, lines: Sequence[_Line], edits: Sequence[Edit]) -> list[tuple[int, int, str]]:
    """The changes of the file that give a cell its new source; lines that stay the same are not in them."""
    old = ["".join(line.characters) for line in lines]
    in_list = text[: lines[0].start].rstrip().endswith("[")
    by_line = in_list and old == _split([char for line in lines for char in line.characters])
    pieces = _edited(lines, edits, text.isascii())
    new = _split([char for piece in pieces for char in piece]) if by_line else ["".join(piece) for piece in pieces]
    first, last = same_ends(old, new)
    stop = len(old) - last
    wanted = [f'"{line}"' for line in new[first : len(new) - last]]
    if len(wanted) == stop - first:
        return [(line.start, line.end, content) for line, content in zip(lines[first:stop], wanted, strict=True)]
    separator = _separator(text, lines)
    if first == stop:  # lines are only added
        joined = separator.join(wanted)
        if first:
            return [(lines[first - 1].end, lines[first - 1].end, separator + joined)]
        return [(lines[0].start, lines[0].start, joined + separator)]
    if wanted:
        return [(lines[first].start, lines[stop - 1].end, separator.join(wanted))]
    if first:
        return [(lines[first - 1].end, lines[stop - 1].end, "")]
    if stop < len(lines):
        return [(lines[0].start, lines[stop].start, "")]
    return [(lines[0].start, lines[-1].end, '""')]


def _edited(lines: Sequence[_Line], edits: Sequence[Edit], ascii_only: bool) -> list[list[str]]:
    """The characters of each string after the edits, as they are written."""
    wanted = sorted({(edit.location.span.start, edit.location.span.end, edit.text) for edit in edits})
    gone = {index for start, end, _ in wanted for index in range(start, end)}
    added: dict[int, str] = {start: content for start, _, content in wanted if content}
    pieces: list[list[str]] = []
    position = 0
    for number, line in enumerate(lines, 1):
        piece: list[str] = []
        stop = position + len(line.characters)
        for index in range(position, stop + (number == len(lines))):
            piece += (json.dumps(char, ensure_ascii=ascii_only)[1:-1] for char in added.get(index, ""))
            if index < stop and index not in gone:
                piece.append(line.characters[index - position])
        pieces.append(piece)
        position = stop
    return pieces


def _split(characters: Sequence[str]) -> list[str]:
    """Written characters as lines, each with its line end."""
    lines: list[str] = []
    line: list[str] = []
    for char in characters:
        line.append(char)
        if char == "\\n":
            lines.append("".join(line))
            line = []
    if line:
        lines.append("".join(line))
    return lines


def _separator(text: str, lines: Sequence[_Line]) -> str:
    """What stands between two strings of the list."""
    if len(lines) > 1:
        return text[lines[0].end : lines[1].start]
    before = text[: lines[0].start]
    return "," + before[len(before.rstrip(" \t\r\n")) :]
