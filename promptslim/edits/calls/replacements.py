"""Another name for a keyword or key, another value in the same place, a value wrapped in brackets, items of a list
in another order."""

from __future__ import annotations

import ast
from itertools import pairwise

from promptslim.edits.calls.additions import outer
from promptslim.edits.calls.change import Change
from promptslim.edits.calls.source import Source


def rename_keyword(source: Source, keyword: ast.keyword, name: str) -> Change | None:
    """Another name for a keyword argument; None where it is not written as its name."""
    start = source.span(keyword).start
    old = keyword.arg or ""
    if not old or source.text[start : start + len(old)] != old:
        return None
    edit = source.edit(start, start + len(old), name)
    return Change((edit,), {id(keyword): ast.keyword(arg=name, value=keyword.value)})


def rename_key(source: Source, key: ast.expr, name: str) -> Change | None:
    """Another text for a string that is a key, in its own quotes; None where it is no plain string."""
    written, span = source.code(key), source.span(key)
    if not isinstance(key, ast.Constant) or written[1:-1] != key.value or written[0] not in "\"'":
        return None
    return Change((source.edit(span.start + 1, span.end - 1, name),), {id(key): ast.Constant(name)})


def replace_value(source: Source, node: ast.expr, value: str) -> Change | None:
    """``value`` in place of an expression."""
    span = source.span(node)
    try:
        parsed = ast.parse(value, mode="eval").body
    except SyntaxError:
        return None
    return Change((source.edit(span.start, span.end, value),), {id(node): parsed})


def wrap(source: Source, node: ast.expr, low: int, high: int, before: str, after: str) -> Change | None:
    """``before`` and ``after`` around an expression and the parentheses that it stands in; ``low`` and ``high`` bound
    the place where those can be. The expression itself stays as it is written."""
    marker = "_promptslim_wrapped_"
    try:
        tree = ast.parse(f"{before}{marker}{after}", mode="eval").body
    except SyntaxError:
        return None
    if isinstance(tree, ast.Name):
        return None
    start, end = outer(source, node, low, high)
    swapped = _Filled(marker, node).visit(tree)
    return Change((source.edit(start, start, before), source.edit(end, end, after)), {id(node): swapped})


class _Filled(ast.NodeTransformer):
    """Puts a node in place of a name."""

    def __init__(self, name: str, node: ast.expr) -> None:
        self.name = name
        self.node = node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """The node, for the name that stands for it."""
        return self.node if node.id == self.name else node


def move_item(source: Source, display: ast.List, item: int) -> Change | None:
    """An item of a list display behind the last one. The texts of the items change places; brackets, commas and line
    breaks between them stay. None where a comment stands between them, which may belong to one of them."""
    end = source.span(display).end
    low = source.span(display).start + 1
    spans: list[tuple[int, int]] = []
    for element in display.elts:
        spans.append(outer(source, element, low, end - 1))
        low = spans[-1][1]
    gaps = [source.text[a[1] : b[0]] for a, b in pairwise(spans)]
    if any("#" in gap for gap in gaps[item:]) or "#" in source.text[spans[-1][1] : end] or item >= len(spans) - 1:
        return None
    order = [*range(item), *range(item + 1, len(spans)), item]
    edits = tuple(
        source.edit(*spans[place], source.text[slice(*spans[taken])])
        for place, taken in enumerate(order)
        if place != taken
    )
    return Change(edits, {id(display): ast.List([display.elts[taken] for taken in order], display.ctx)})
