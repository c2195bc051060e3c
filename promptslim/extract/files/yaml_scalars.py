"""Where each character of a YAML scalar is written: the folding and escapes of its five styles, read again.

PyYAML gives the value of a scalar and where it begins and ends. The readers here follow its scanner
(``scan_block_scalar``, ``scan_flow_scalar``, ``scan_plain``); what they read has to be the value that PyYAML
gave, else there is no map.
"""

from __future__ import annotations

from collections.abc import Sequence

from promptslim.core.lazy_pattern import pattern

_HEADER = pattern(r"[|>](?P<marks>[-+0-9]*)[ \t]*(?:#[^\n]*)?(?:\n|$)")
_RUN = pattern(r"[^\s\\']+")
_FOLD = pattern(r"[ \t]*(?:\n[ \t]*)+")
_CODES = {"x": 2, "u": 4, "U": 8}
_ESCAPES = {
    "0": "\0",
    "a": "\a",
    "b": "\b",
    "t": "\t",
    "\t": "\t",
    "n": "\n",
    "v": "\v",
    "f": "\f",
    "r": "\r",
    "e": "\x1b",
    "N": "\x85",
    "_": "\xa0",
    "L": "\u2028",
    "P": "\u2029",
}


def source_map(text: str, start: int, end: int, style: str, value: str) -> Sequence[int] | None:
    """One offset into ``text`` for each character of ``value``, plus the end; None where they are not known.

    ``text[start:end]`` is the scalar as written, without anchor and tag. ``style`` is ``|``, ``>``, ``'``,
    ``"`` or empty for a plain one.
    """
    if style in ("|", ">"):
        return _block_map(text, start, end, style == ">", value)
    inner = (start + 1, end - 1) if style in ("'", '"') else (start, end)
    if text[inner[0] : inner[1]] == value and "\n" not in value:
        return range(inner[0], inner[1] + 1)
    read = _flow(text, *inner, style)
    if read is None or read[0] != value:
        return None
    return (*read[1], inner[1])


def _flow(text: str, position: int, end: int, style: str) -> tuple[str, list[int]] | None:
    """The characters of a plain or quoted scalar with their places."""
    characters: list[str] = []
    offsets: list[int] = []
    while position < end:
        if run := _RUN.match(text, position, end):
            characters.append(run[0])
            offsets.extend(range(position, run.end()))
            position = run.end()
        elif fold := _FOLD.match(text, position, end):
            first = text.index("\n", position)
            breaks = fold[0].count("\n")
            characters.append(" " if breaks == 1 else "\n" * (breaks - 1))
            offsets.extend([first] if breaks == 1 else _breaks(text, first + 1, breaks - 1))
            position = fold.end()
        elif text[position] == "'" and style == "'":
            characters.append("'")
            offsets.append(position)
            position += 2
        elif text[position] == "\\" and style == '"':
            step = _escape(text, position, end)
            if step is None:
                return None
            characters.append(step[0])
            offsets.extend(step[1])
            position = step[2]
        else:
            characters.append(text[position])
            offsets.append(position)
            position += 1
    return "".join(characters), offsets


def _breaks(text: str, position: int, number: int) -> list[int]:
    """The places of the next line breaks."""
    found = []
    for _ in range(number):
        position = text.index("\n", position)
        found.append(position)
        position += 1
    return found


def _escape(text: str, position: int, end: int) -> tuple[str, list[int], int] | None:
    """The text of an escape in double quotes, its places, and where it ends."""
    mark = text[position + 1 : position + 2]
    if mark in _CODES:
        after = position + 2 + _CODES[mark]
        try:
            return chr(int(text[position + 2 : after], 16)), [position], after
        except (ValueError, OverflowError):
            return None
    if mark == "\n":
        # The break is joined; blank lines after it stay breaks, and the next line's indentation goes.
        fold = _FOLD.match(text, position + 1, end)
        assert fold is not None  # noqa: S101 (it begins with a break)
        breaks = fold[0].count("\n") - 1
        return "\n" * breaks, _breaks(text, position + 2, breaks), fold.end()
    if not mark:
        return None
    return _ESCAPES.get(mark, mark), [position], position + 2


def _block_map(text: str, start: int, end: int, folded: bool, value: str) -> Sequence[int] | None:
    header = _HEADER.match(text, start)
    if header is None:
        return None
    first = header.end()
    for indent in _indents(text, first, end, any(mark.isdigit() for mark in header["marks"])):
        characters, offsets = _block(text, first, end, indent, folded)
        # What chomping takes away stands at the end.
        if characters.startswith(value):
            after = offsets[len(value)] if len(value) < len(offsets) else end
            return (*offsets[: len(value)], after)
    return None


def _indents(text: str, first: int, end: int, explicit: bool) -> Sequence[int]:
    """What the indentation of a block may be: that of its first line with text, less where a digit says so."""
    position = first
    while position < end:
        blanks = 0
        while text[position + blanks : position + blanks + 1] == " ":
            blanks += 1
        if text[position + blanks : position + blanks + 1] not in ("\n", ""):
            return range(blanks, -1, -1) if explicit else (blanks,)
        position += blanks + 1
    return range(min(end - first, 100), -1, -1) if explicit else (end - first,)


def _block(text: str, position: int, end: int, indent: int, folded: bool) -> tuple[str, list[int]]:
    """The characters of a block scalar with every break at its end kept."""
    characters: list[str] = []
    offsets: list[int] = []
    held: int | None = None
    """The place of the break after the line before, until the next one says whether it is folded."""
    plain = False
    blank: list[int] = []
    while position < end:
        stop = text.find("\n", position, end)
        stop = end if stop < 0 else stop
        blanks = len(_leading(text, position, min(stop, position + indent)))
        if position + blanks == stop:
            if stop < end:
                blank.append(stop)
            position = stop + 1
            continue
        if blanks < indent:
            break
        begin = position + indent
        plainly = text[begin] not in " \t"
        if held is not None:
            if not (folded and plain and plainly):
                characters.append("\n")
                offsets.append(held)
            elif not blank:
                characters.append(" ")
                offsets.append(held)
        characters.append("\n" * len(blank))
        offsets.extend(blank)
        characters.append(text[begin:stop])
        offsets.extend(range(begin, stop))
        held, plain, blank = (stop if stop < end else None), plainly, []
        position = stop + 1
    if held is not None:
        characters.append("\n")
        offsets.append(held)
    characters.append("\n" * len(blank))
    offsets.extend(blank)
    return "".join(characters), offsets


def _leading(text: str, position: int, end: int) -> str:
    found = text[position:end]
    return found[: len(found) - len(found.lstrip(" "))]
