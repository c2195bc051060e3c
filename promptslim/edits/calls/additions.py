"""One more keyword in a call, key in a dict display, or item in a list display: on a line of its own where the
others stand so, with a comma where the others end in one."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from itertools import pairwise

from promptslim.core.record import record
from promptslim.core.text import Edit
from promptslim.edits.calls.change import Change
from promptslim.edits.calls.source import Source


@record
class _Row:
    """The elements between two brackets as ranges of the text; ``open`` and ``close`` are the brackets' offsets."""

    open: int
    close: int
    elements: tuple[tuple[int, int], ...]


def insert_keyword(source: Source, call: ast.Call, name: str, value: str) -> Change | None:
    """``name=value`` behind the last argument that is no ``**``. None for a call of a bare generator, and where the
    name is taken."""
    if any(keyword.arg == name for keyword in call.keywords) or _bare_generator(source, call):
        return None
    parsed = _expression(value)
    if parsed is None:
        return None
    given: list[ast.expr | ast.keyword] = [*call.args, *call.keywords]
    given.sort(key=lambda node: source.span(node).start)
    spread = [isinstance(node, ast.keyword) and node.arg is None for node in given]
    place = next((index for index in range(len(given), 0, -1) if not spread[index - 1]), 0) or len(given)
    after = sum(isinstance(node, ast.keyword) for node in given[:place])
    keywords = [*call.keywords[:after], ast.keyword(arg=name, value=parsed), *call.keywords[after:]]
    row = _row(source, source.span(call.func).end, source.span(call).end, "(", given)
    edits = _inserted(source, row, place, f"{name}={value}") if row is not None else None
    return None if edits is None else Change(edits, {id(call): ast.Call(call.func, call.args, keywords)})


def insert_key(source: Source, display: ast.Dict, key: str, value: str) -> Change | None:
    """``"key": value`` at the end of a dict display, in the quotes that are usual around it. None where the key is
    there."""
    if any(isinstance(one, ast.Constant) and one.value == key for one in display.keys):
        return None
    parsed = _expression(value)
    if parsed is None:
        return None
    pairs = list(zip(display.keys, display.values, strict=True))
    span = source.span(display)
    row = _row(source, span.start, span.end, "{", [pair for _, pair in pairs])
    if row is None:
        return None
    starts = [source.span(name).start if name is not None else -1 for name, _ in pairs]
    elements = tuple((low if low >= 0 else high[0], high[1]) for low, high in zip(starts, row.elements, strict=True))
    quote = source.quote(display)
    written = f"{quote}{key}{quote}: {value}"
    edits = _inserted(source, _Row(row.open, row.close, elements), len(pairs), written)
    swap = ast.Dict([*display.keys, ast.Constant(key)], [*display.values, parsed])
    return None if edits is None else Change(edits, {id(display): swap})


def insert_item(source: Source, display: ast.List, place: int, value: str) -> Change | None:
    """``value`` behind the ``place`` first items of a list display."""
    parsed = _expression(value)
    if parsed is None:
        return None
    span = source.span(display)
    row = _row(source, span.start, span.end, "[", display.elts)
    edits = _inserted(source, row, place, value) if row is not None else None
    swap = ast.List([*display.elts[:place], parsed, *display.elts[place:]], display.ctx)
    return None if edits is None else Change(edits, {id(display): swap})


def outer(source: Source, node: ast.expr, low: int, high: int) -> tuple[int, int]:
    """The range of a node with the parentheses around it, which nothing between ``low`` and ``high`` but blank space,
    comments and they themselves separates from it."""
    span = source.span(node)
    start, end = span.start, span.end
    opening = _opening(source, low, start)
    while opening:
        close = source.skip(end, high)
        if close >= high or source.text[close] != ")":
            break
        start, end = opening.pop(), close + 1
    return start, end


def _opening(source: Source, low: int, high: int) -> list[int]:
    """Offsets of the opening parentheses right before a place, the outermost first."""
    found: list[int] = []
    position = low
    while (position := source.skip(position, high)) < high:
        if source.text[position] == "(":
            found.append(position)
        else:
            found.clear()
        position += 1
    return found


def _expression(value: str) -> ast.expr | None:
    try:
        return ast.parse(value, mode="eval").body
    except SyntaxError:
        return None


def _bare_generator(source: Source, call: ast.Call) -> bool:
    if len(call.args) != 1 or call.keywords or not isinstance(call.args[0], ast.GeneratorExp):
        return False
    # The range of a bare generator takes in the parentheses of the call.
    return source.span(call.args[0]).end == source.span(call).end


def _row(source: Source, start: int, end: int, bracket: str, nodes: Sequence[ast.expr | ast.keyword]) -> _Row | None:
    """The elements with the parentheses around them."""
    opening = source.skip(start, end)
    while opening < end and source.text[opening] == ")":
        opening = source.skip(opening + 1, end)
    if opening >= end or source.text[opening] != bracket:
        return None
    elements: list[tuple[int, int]] = []
    low = opening + 1
    for node in nodes:
        if isinstance(node, ast.keyword):
            begin = source.span(node).start
            elements.append((begin, outer(source, node.value, begin, end - 1)[1]))
        else:
            elements.append(outer(source, node, low, end - 1))
        low = elements[-1][1]
    return _Row(opening, end - 1, tuple(elements))


def _inserted(source: Source, row: _Row, place: int, text: str) -> tuple[Edit, ...] | None:
    """Edits that write an element behind the ``place`` first ones."""
    if not row.elements:
        return (source.edit(row.open + 1, row.open + 1, text),)
    start, end = row.elements[place - 1]
    last = place == len(row.elements)
    comma = source.skip(end, row.close)
    has_comma = comma < row.close and source.text[comma] == ","
    if not last and not has_comma:
        return None
    margin = _margin(source, row, start)
    behind = comma + 1 if has_comma else end
    line_end = _line_end(source, behind, row.close)
    if margin is None or (line_end is None and not last):
        plain = source.edit(behind, behind, f" {text}," if has_comma else f", {text}")
        if not source.fits(plain):
            return broken(source, row, plain, has_comma=has_comma) or (plain,)
        return (plain,)
    if line_end is None:
        return (source.edit(behind, behind, f"{'' if has_comma else ','}\n{margin}{text}{',' if has_comma else ''}"),)
    if has_comma:
        return (source.edit(line_end, line_end, f"\n{margin}{text},"),)
    if line_end == behind:
        return (source.edit(behind, behind, f",\n{margin}{text}"),)
    return source.edit(behind, behind, ","), source.edit(line_end, line_end, f"\n{margin}{text}")


def broken(source: Source, row: _Row, plain: Edit, *, has_comma: bool) -> tuple[Edit, ...] | None:
    """The edits that write an element, which makes its line too long, on a new one: below the elements, where these
    have a line of their own; between the brackets of one line, elements and all, or each on its own where that is
    still too long. None where neither is so, where the line has been too long before, for one of several arguments
    or items, and where the line goes on with more code."""
    text, at = source.text, plain.location.span.start
    begin = text.rfind("\n", 0, at) + 1
    indent = text[begin : len(text) - len(text[begin:].lstrip(" \t"))]
    end = text.find("\n", at)
    line = text[begin : end if end >= 0 else len(text)]
    element = plain.text.strip(" ,")
    last = at >= row.elements[-1][1]
    if "#" in text[max(at, row.close if row.close < begin + len(line) else at) : begin + len(line)]:
        return None  # what a comment says of a line may hold for that line only
    if row.open < begin:
        own = any(start == begin + len(indent) for start, _ in row.elements)
        comma = "," if has_comma else ""
        lead = "" if has_comma else ","
        return (source.edit(at, at, f"{lead}\n{indent}{element}{comma}"),) if own and last else None
    outside = _unclosed(text[begin : row.open])
    nested = outside is not None and any(sign in outside for sign in ",=:")
    nested = nested or any(sign in text[row.close + 1 : begin + len(line)] for sign in "({;")
    if row.close >= begin + len(line) or not source.narrow(line) or not last or nested:
        return None
    inner = indent + source.indent
    body = text[row.open + 1 : at].rstrip(" ,")
    opening = source.edit(row.open + 1, len(text) - len(text[row.open + 1 :].lstrip()), f"\n{inner}")
    if source.narrow(f"{inner}{body}, {element}"):
        return opening, source.edit(at, row.close, f"{plain.text.rstrip(',')}\n{indent}")
    gaps = [(one[1], other[0]) for one, other in pairwise(row.elements)]
    if any(text[slice(*gap)].strip() != "," for gap in gaps):
        return None
    between = [source.edit(*gap, f",\n{inner}") for gap in gaps]
    return opening, *between, source.edit(row.elements[-1][1], row.close, f",\n{inner}{element},\n{indent}")


def _unclosed(line: str) -> str | None:
    """What follows the first bracket of a line that is not closed in it."""
    opened: list[int] = []
    for index, char in enumerate(line):
        if char in "([{":
            opened.append(index)
        elif char in ")]}" and opened:
            opened.pop()
    return line[opened[0] + 1 :] if opened else None


def _margin(source: Source, row: _Row, start: int) -> str | None:
    """The blank space before an element that begins a line of its own."""
    line = source.text.rfind("\n", 0, start) + 1
    before = source.text[line:start]
    return before if line > row.open and not before.strip() else None


def _line_end(source: Source, start: int, close: int) -> int | None:
    """The end of the line at ``start`` where only blank space and a comment stand before it, else None."""
    end = source.text.find("\n", start)
    if end < 0 or end > close:
        return None
    rest = source.text[start:end].strip()
    if rest and not rest.startswith("#"):
        return None
    return end if rest else start


def remove_key(source: Source, display: ast.Dict, key: ast.expr) -> Change | None:
    """A dict display without one of its keys. None where a comment stands beside it, which would be lost."""
    index = next((place for place, one in enumerate(display.keys) if one is key), None)
    span = source.span(display)
    row = _row(source, span.start, span.end, "{", display.values)
    if index is None or row is None or None in display.keys:
        return None
    starts = [source.span(one).start for one in display.keys if one is not None]
    elements = tuple((start, end) for start, (_, end) in zip(starts, row.elements, strict=True))
    edit = _removal(source, _Row(row.open, row.close, elements), index)
    rest = [place for place in range(len(elements)) if place != index]
    swap = ast.Dict([display.keys[place] for place in rest], [display.values[place] for place in rest])
    return Change((edit,), {id(display): swap}) if edit is not None else None


def remove_keyword(source: Source, call: ast.Call, keyword: ast.keyword) -> Change | None:
    """A call without one of its keywords. None where a comment stands beside it, which would be lost."""
    given: list[ast.expr | ast.keyword] = [*call.args, *call.keywords]
    given.sort(key=lambda node: source.span(node).start)
    row = _row(source, source.span(call.func).end, source.span(call).end, "(", given)
    edit = _removal(source, row, given.index(keyword)) if row is not None else None
    rest = [one for one in call.keywords if one is not keyword]
    return Change((edit,), {id(call): ast.Call(call.func, call.args, rest)}) if edit is not None else None


def _removal(source: Source, row: _Row, index: int) -> Edit | None:
    starts, ends = [start for start, _ in row.elements], [end for _, end in row.elements]
    start, end = starts[index], ends[index]
    comma = source.skip(end, row.close)
    behind = comma + 1 if comma < row.close and source.text[comma] == "," else end
    line_end = _line_end(source, behind, row.close)
    if _margin(source, row, start) is not None and line_end is not None:
        if line_end != behind:
            return None
        start, end = source.text.rfind("\n", 0, start), source.text.find("\n", behind)
    elif index + 1 < len(ends):
        end = starts[index + 1]
    elif index:
        start = ends[index - 1]
    else:
        end = behind
    outside = (source.text[start : starts[index]], source.text[ends[index] : end])
    return None if any("#" in gap for gap in outside) else source.edit(start, end, "")
