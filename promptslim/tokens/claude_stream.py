"""Text -> the marked stream that Claude's reconstructed vocabularies tile.

Ported from ctok 1.3.0 (``ctok/normalize.py``), MIT License, Copyright (c) 2026 Sander Land; the licence
text is in NOTICE. Every rule is a fact that its author measured against ``count_tokens``; the character
classes come with the vocabulary file (see scripts/build_claude_vocabularies.py for their letters), so that
counts do not depend on the Unicode version of the interpreter.

    normalise  ->  runs of one class  ->  case marks  ->  boundary marks
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from promptslim.core.lazy_pattern import pattern
from promptslim.core.record import record

BOW, EOW, SHIFT, CAPS = "\ufdd0", "\ufdd1", "\ufdd3", "\ufdd4"
"""Begin and end of a word, first letter capital, all letters capital: one code point each."""

_SURROGATE = pattern("[\ud800-\udfff]")
_CONTROL = pattern("[\x01-\x08\x0b-\x1f\x7f-\x9f]")
_ASTRAL = pattern("[\U00010000-\U0010ffff]")
_FOLDS: dict[int, str | None] = {0: " "}
_FOLDS |= dict.fromkeys(
    [0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F],
    " ",
)
_FOLDS |= dict.fromkeys(range(0xE000, 0xF900))
_QUOTE_FOLDS = _FOLDS | {0x2018: "'", 0x2019: "'", 0x201C: '"', 0x201D: '"'}
# A text may hold the code points that serve as marks: they travel as private use characters, which
# normalisation has removed from the text itself.
_MARK_ESCAPES = {0xFDD0 + i: 0xE000 + i for i in range(5)}
ESCAPED_MARKS = {escape: chr(mark) for mark, escape in _MARK_ESCAPES.items()}
"""What a private use code point in a stream stands for."""

_RUN = pattern("[WYO][WMYO]*|M+|P+|[DA]+|S+|[LV]+|[Nn][NnV]*|Q[QV]*")
_WORD, _MARK, _PUNCTUATION, _SPACE = "W", "M", "P", "S"
_CONTRACTIONS = frozenset({"s", "t", "d", "m", "ll", "re", "ve"})

# Case pairs of Unicode 16 that the models know and older interpreters do not.
_NEW_PAIRS = {"\u1c89": "\u1c8a", "\ua7cb": "\u0264"}
_NEW_LOWER = frozenset(_NEW_PAIRS.values())
_UNCASED = "\u03f4"
_SHARP_CAPITAL, _DOTTED_CAPITAL = "\u1e9e", "\u0130"


@record
class Rules:
    """What differs between generations. ``classes`` has one letter for each of U+0000-U+FFFF;
    ``frame_word`` says that the message frame ends in a begin-of-word mark, which stands for one leading
    space (true up to 4.7, false from 4.8 on)."""

    classes: str
    fold_quotes: bool
    allcaps_min: int | None
    frame_word: bool


def normalised(text: str, *, fold_quotes: bool) -> str:
    """NFC with the API's removals (control characters, private use) and folds (spaces, quotes)."""
    if text.isascii():
        return _CONTROL.sub("", text).replace("\x00", " ")
    text = unicodedata.normalize("NFC", _SURROGATE.sub("\ufffd", text))
    text = _CONTROL.sub("", text).replace("\u0e4d\u0e32", "\u0e33")
    return text.translate(_QUOTE_FOLDS if fold_quotes else _FOLDS)


def marked(text: str, rules: Rules) -> tuple[str, int]:
    """The stream of ``text`` without the line breaks at its end, and the number of those."""
    plain = normalised(text, fold_quotes=rules.fold_quotes)
    body = plain.rstrip("\n")
    breaks = len(plain) - len(body)
    if not body.isascii():
        body = body.translate(_MARK_ESCAPES)
    if rules.frame_word and text[:1] == " " and body[:1] == " " and body[1:2] != " ":
        body = body[1:]
    if not body:
        return (BOW if rules.frame_word else ""), breaks
    stream = "".join(_pieces(body, rules))
    # A single space between two marked spans is implied by their marks.
    for case in ("", SHIFT, CAPS):
        stream = stream.replace(f"{EOW} {case}{BOW}", f"{EOW}{case}{BOW}")
    return stream, breaks


def _pieces(body: str, rules: Rules) -> list[str]:
    """Runs with their marks, in order."""
    letters = body.translate(rules.classes)
    if not letters.isascii():
        letters = _ASTRAL.sub("L", letters)
    classes = _RUN.findall(letters)
    kinds = [_WORD if run[0] in "YO" else run[0] for run in classes]
    runs = []
    start = 0
    for run in classes:
        runs.append(body[start : start + len(run)])
        start += len(run)
    out = []
    if rules.frame_word and not _owns_frame_mark(runs, kinds, classes):
        out.append(" " if _opens_word(runs, kinds, 0) else BOW)
    for i, (run, kind) in enumerate(zip(runs, kinds, strict=True)):
        if kind == _WORD:
            fused = i > 0 and kinds[i - 1] == _MARK
            out.append(_word(run, rules.allcaps_min, fused, _contracted(runs, kinds, classes, i), classes[i]))
        elif kind == _MARK:
            # A letter after baseless marks is the rest of the same word.
            follows = i + 1 < len(runs) and kinds[i + 1] == _WORD
            out.append(BOW + run + ("" if follows else EOW))
        elif kind == _SPACE:
            out.append(run)
        else:
            left, right = _border_marks(kind, classes[i])
            if left and _after_space(runs, kinds, i, rules) and not _opens_word(runs, kinds, i):
                out.append(BOW)
            out.append(run)
            if right and _before_space(runs, i):
                out.append(EOW)
    return out


def _border_marks(kind: str, classes: str) -> tuple[bool, bool]:
    """Whether a run that is no word takes a mark where it borders a space on its left and right."""
    if kind == _PUNCTUATION:
        return True, True
    first, last = classes[0], classes[-1]
    if first in "VQ" or last in "VQ":
        return first in "VQ", last in "VQ"
    if kind in "DA":
        return first == "A", last == "A"
    # Numbers are marked only where the whole run is of one category.
    uniform = kind in "Nn" and classes.count(first) == len(classes)
    return uniform, uniform


def _ends_marked(kind: str, classes: str) -> bool:
    """Whether a run writes a mark of its own on its right edge, which an apostrophe does not cross."""
    if kind in (_WORD, _MARK):
        return classes[-1] == "O"
    return kind != _SPACE and _border_marks(kind, classes)[1]


def _opens_word(runs: list[str], kinds: list[str], i: int) -> bool:
    """A lone ``'`` before a word: the boundary before it is not absorbed."""
    return runs[i] == "'" and i + 1 < len(runs) and kinds[i + 1] in (_WORD, _MARK)


def _contracted(runs: list[str], kinds: list[str], classes: list[str], i: int) -> bool:
    """``it's`` is one boundary: the apostrophe opens the suffix."""
    if i == 0 or runs[i - 1] != "'" or runs[i] not in _CONTRACTIONS:
        return False
    return i < 2 or not _ends_marked(kinds[i - 2], classes[i - 2])


def _after_space(runs: list[str], kinds: list[str], i: int, rules: Rules) -> bool:
    return rules.frame_word if i == 0 else kinds[i - 1] == _SPACE and runs[i - 1][-1] == " "


def _before_space(runs: list[str], i: int) -> bool:
    """One space, not the first of several."""
    return i + 1 < len(runs) and runs[i + 1][0] == " " and runs[i + 1][:2] != "  "


def _owns_frame_mark(runs: list[str], kinds: list[str], classes: list[str]) -> bool:
    """Whether the first run takes up the begin-of-word mark in which the frame ends."""
    if _opens_word(runs, kinds, 0):
        return False
    if kinds[0] in (_WORD, _MARK):
        return True
    if kinds[0] == _SPACE:
        return runs[0][0] == " "
    return _border_marks(kinds[0], classes[0])[0]


@lru_cache(maxsize=8192)
def _word(run: str, allcaps_min: int | None, fused: bool, contracted: bool, classes: str) -> str:
    span = run if fused else _cased(run, allcaps_min, classes)
    case, rest = (span[0], span[1:]) if span[0] in (SHIFT, CAPS) else ("", span)
    return f"{case}{'' if fused or contracted else BOW}{rest}{EOW}"


def _cased(span: str, allcaps_min: int | None, classes: str) -> str:
    """A word all in capitals or with only its first letter so is written small after a mark."""
    if span.islower() and span.isascii():
        return span
    if _SHARP_CAPITAL in span:
        return span
    if _DOTTED_CAPITAL in span:
        return _dotted(span)
    upper = [_is_upper(character) for character in span]
    if allcaps_min is not None and len(span) >= allcaps_min and _all_capitals(span, upper, classes):
        return CAPS + _lower(span).replace("\u03c2", "\u03c3")
    if upper[0] and not any(upper[1:]):
        return SHIFT + _lower(span)
    return span


def _dotted(span: str) -> str:
    """The Turkish capital I keeps its form; at the head it stops the mark."""
    head, tail = span[0], span[1:]
    if head == _DOTTED_CAPITAL or not _is_upper(head) or any(_is_upper(c) for c in tail if c != _DOTTED_CAPITAL):
        return span
    return SHIFT + _lower(head) + "".join(c if c == _DOTTED_CAPITAL else _lower(c) for c in tail)


def _all_capitals(span: str, upper: list[bool], classes: str) -> bool:
    """Capitals only, apart from letter-like numbers without case; a letter or mark without case blocks."""
    if not any(upper):
        return False
    for character, capital, letter in zip(span, upper, classes, strict=True):
        if not capital and (_is_lower(character) or letter in "WM"):
            return False
    return True


def _lower(text: str) -> str:
    return "".join(c if c == _UNCASED else _NEW_PAIRS.get(c, c.lower()) for c in text)


def _is_upper(character: str) -> bool:
    if character == _UNCASED:
        return False
    return character in _NEW_PAIRS or (character.isupper() and character.lower() != character)


def _is_lower(character: str) -> bool:
    return character in _NEW_LOWER or character.islower()
