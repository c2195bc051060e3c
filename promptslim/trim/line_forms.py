"""The shape of a text line by line: what no edit of wording may change about its layout."""

from __future__ import annotations

import re
from collections.abc import Iterator

from promptslim.core.record import record
from promptslim.structure.flat import HOLE
from promptslim.trim.protected_words import BLOCK

_MARKER = re.compile(r"[ \t]*((?:[-*+•–>]|#{1,6}|\d{1,4}[.)]|\(\d{1,3}\)|\(?[a-zA-Z][.)])(?=[ \t]|$))")  # noqa: RUF001
_CODE = re.compile(
    r"(?:(?:async )?def \w+\(|class \w+[(:]|import \w|from [\w.]+ import |return\b.*[;)\]]$|[$>]{1,3} \S|@\w+"
    r"|(?:const|let|var|function) \w|(?:if|for|while) ?\(|#!/|//|/\*|--[ \w])|.*[{};\\]$"
)
_CUT = re.compile(rf"[{HOLE}{BLOCK}]|(?<!\{{)\{{+[^{{}}\n]{{0,200}}\}}+")
_LETTERS = re.compile(r"[^\W\d_]")


@record
class LineForm:
    """A line that is not blank: its mark of a list or title, whether it is indented more (1), as much (0) or less
    (-1) than the line before it, whether a blank line stands before it, on which sides of its placeholders it has
    words, and its text where it is code or a row of a table."""

    marker: str
    indent: int
    apart: bool
    words: tuple[bool, ...]
    text: str


def line_forms(text: str) -> tuple[LineForm, ...]:
    """The form of every line that is not blank."""
    return tuple(_forms(text))


def _forms(text: str) -> Iterator[LineForm]:
    before, number, apart = 0, 0, False
    for line in text.split("\n"):
        content = line.strip()
        if not content:
            apart = True
            continue
        indent = len(line) - len(line.lstrip())
        marker = _MARKER.match(line)
        taken_over = content.count("|") > 1 or "\t" in content or _CODE.match(content)
        yield LineForm(
            marker=marker[1] if marker else "",
            indent=(indent > before) - (indent < before) if number else 0,
            apart=apart and number > 0,
            words=tuple(bool(_LETTERS.search(piece)) for piece in _CUT.split(content)),
            text=content if taken_over else "",
        )
        before, number, apart = indent, number + 1, False
