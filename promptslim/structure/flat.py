"""A prompt's parts as one text with a way back: every offset leads to its part and to its place in a file."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from promptslim.core.lazy_pattern import pattern
from promptslim.core.prompt import BlockEnd, CachePoint, Hole, Literal, Part
from promptslim.core.record import record
from promptslim.core.text import Location, Span

HOLE = "\ufffc"
"""Stands for a hole in the flat text (Unicode: object replacement character)."""

PARAMETER_ORIGINS = ("clock", "random", "identifier", "environment")
DATA_ORIGINS = ("document", "retrieval", "history", "loop", "call")
SMALL_BOUND = 200
"""Characters: a value that cannot be longer is a parameter of a sentence, wherever it stands."""

PLACEHOLDER = pattern(
    r"\{\{\{?[#^/&>~-]?\s*[$.]?[A-Za-z_][^{}\n]{0,120}\}\}\}?"
    r"|\{%[^%\n]{0,200}%\}"
    r"|(?<!\{)\{\$?[A-Za-z_][\w.]{0,60}(?:\[[\w'\"]{1,30}\])?(?:![rsa])?(?::[^{}\n]{0,20})?\}(?!\})"
    r"|\$\{[A-Za-z_]\w{0,60}\}"
    r"|\$[a-z_]{2,40}\$"
    r"|<<[A-Z_]{3,40}>>|\[\[[A-Z_]{3,40}\]\]"
)
"""What may be filled in a text whose syntax is not known: all common forms, since a hole that is overlooked
makes two sides of the data look like one. ``{"a": 1}`` and ``{{"a": 1}}`` are none."""

_LETTER = pattern(r"[^\W\d_]")
_LINE_AROUND = 400


@record
class Piece:
    """Where a part stands in the flat text: half-open range of offsets, and the index among the parts."""

    start: int
    end: int
    index: int
    part: Part


@record
class FlatText:
    """``text``: literals as they are, ``HOLE`` for each hole, a newline for the end of a content block.
    ``pieces`` covers it in order. ``data`` are the offsets at which data is filled in, in order: what stands
    before and after such an offset stands on different sides of the data."""

    text: str
    pieces: tuple[Piece, ...]
    data: tuple[int, ...]

    def piece(self, offset: int) -> Piece | None:
        """The piece that holds the character at ``offset``; None in an empty text."""
        if not self.pieces:
            return None
        at = bisect_right(self.pieces, offset, key=lambda piece: piece.start) - 1
        return self.pieces[max(at, 0)]

    def side(self, offset: int) -> int:
        """How many data holes stand before ``offset``."""
        return bisect_right(self.data, offset)

    def certain(self, offset: int) -> bool:
        """False in a branch of a template, which is not sent with every request."""
        piece = self.piece(offset)
        return not (piece and isinstance(piece.part, Literal) and piece.part.maybe)

    def location(self, start: int, end: int) -> Location | None:
        """The place of the characters ``start`` to ``end`` in a file.

        Exact where the literals carry source maps, else the whole literal that holds the first of them. A
        range that goes on in another document ends with the first one. None where no place is known.
        """
        first, last = self.piece(start), self.piece(max(end - 1, start))
        if first is None or last is None:
            return None
        head = _place(first, start, min(end, first.end))
        if head is None or first is last:
            return head
        tail = _place(last, last.start, end)
        if tail is None or tail.document is not head.document or tail.span.end < head.span.start:
            return head
        return Location(head.document, Span(head.span.start, tail.span.end))


def flatten(parts: Sequence[Part]) -> FlatText:
    """The flat text of a prompt's parts. Cache points take no room."""
    pieces: list[Piece] = []
    texts: list[str] = []
    at = 0
    for index, part in enumerate(parts):
        match part:
            case Literal(text=text):
                shown = text
            case Hole():
                shown = HOLE
            case BlockEnd():
                shown = "\n"
            case CachePoint():
                shown = ""
        if shown:
            pieces.append(Piece(at, at + len(shown), index, part))
            texts.append(shown)
            at += len(shown)
    text = "".join(texts)
    holes = [piece.start for piece in pieces if isinstance(piece.part, Hole) and _is_data(piece.part, text, piece)]
    written = [match.start() for match in PLACEHOLDER.finditer(text) if _fills_a_line(text, *match.span())]
    return FlatText(text, tuple(pieces), tuple(sorted({*holes, *written})))


def _is_data(hole: Hole, text: str, piece: Piece) -> bool:
    if hole.bound is not None and hole.bound <= SMALL_BOUND:
        return False
    if hole.origin in DATA_ORIGINS:
        return True
    return hole.origin not in PARAMETER_ORIGINS and _fills_a_line(text, piece.start, piece.end)


def _fills_a_line(text: str, start: int, end: int) -> bool:
    """False for a parameter of a sentence (``at most {n} words``): words before it, no colon, and words after."""
    line_start = max(text.rfind("\n", max(0, start - _LINE_AROUND), start) + 1, start - _LINE_AROUND, 0)
    line_end = text.find("\n", end, end + _LINE_AROUND)
    before = text[line_start:start].rstrip(" \t\"'`*")
    after = text[end : end + _LINE_AROUND if line_end < 0 else line_end]
    if not _LETTER.search(before) or before.endswith((":", ">", "=", HOLE)):
        return True
    return not _LETTER.search(after)


def _place(piece: Piece, start: int, end: int) -> Location | None:
    match piece.part:
        case Literal(location=None):
            return None
        case Literal(location=location, source_map=source_map) if location is not None:
            if source_map is None:
                return location
            return Location(location.document, Span(source_map[start - piece.start], source_map[end - piece.start]))
        case Hole(location=location, source=source):
            return location or source
        case CachePoint(location=location):
            return location
        case _:
            return None
