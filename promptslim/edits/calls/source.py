"""A Python source text with its tree, and where the nodes of the tree stand in the text."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate
from typing import TypeVar

from promptslim.core.text import Document, Edit, Location, Span
from promptslim.extract.notebook import without_magics
from promptslim.extract.python.module import parse

N = TypeVar("N", bound=ast.AST)

Scope = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda | ast.Module


WIDTHS = (88, 100, 120)
"""Columns that formatters are usually set to; a file with a longer line is held to the last."""


class Source:
    """One document. ``text`` is what was parsed: that of the document, with magics of a notebook cell made blank, so
    that offsets hold for both."""

    __slots__ = ("_indent", "_parents", "_starts", "_width", "document", "text", "tree")

    def __init__(self, document: Document, text: str, tree: ast.Module) -> None:
        self.document = document
        self.text = text
        self.tree = tree
        self._parents: dict[ast.AST, ast.AST] = {}
        self._indent: str | None = None
        self._width = 0
        self._starts = [0, *accumulate(len(line) + 1 for line in text.split("\n"))]

    def span(self, node: ast.AST) -> Span:
        """Where a node stands, in code points: ``ast`` counts the bytes of UTF-8 in a line."""
        line, column = node.lineno, node.col_offset  # type: ignore[attr-defined]
        end_line, end_column = node.end_lineno, node.end_col_offset  # type: ignore[attr-defined]
        return Span(self._offset(line, column), self._offset(end_line, end_column))

    def _offset(self, line: int, column: int) -> int:
        start = self._starts[line - 1]
        end = self._starts[line] if line < len(self._starts) else len(self.text)
        return start + len(self.text[start:end].encode("utf-8", "surrogatepass")[:column].decode("utf-8", "ignore"))

    def code(self, node: ast.AST) -> str:
        """The text of a node."""
        span = self.span(node)
        return self.text[span.start : span.end]

    def node(self, location: Location, kind: type[N]) -> N | None:
        """The node of a kind that stands exactly at a location of this document."""
        line, _ = location.start
        for node in ast.walk(self.tree):
            if isinstance(node, kind) and getattr(node, "lineno", 0) == line and self.span(node) == location.span:
                return node
        return None

    def above(self, node: ast.AST) -> Iterator[ast.AST]:
        """The nodes around a node, from the inside out."""
        if not self._parents:
            for outer in ast.walk(self.tree):
                for inner in ast.iter_child_nodes(outer):
                    self._parents[inner] = outer
        while (found := self._parents.get(node)) is not None:
            yield found
            node = found

    def scopes(self, node: ast.AST) -> Iterator[Scope]:
        """The scopes that a name at a node is looked up in, from the inside out; those of classes are left out
        where a function stands between."""
        function = False
        for outer in self.above(node):
            if isinstance(outer, ast.ClassDef) and not function:
                yield outer
            elif isinstance(outer, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.Module)):
                function = True
                yield outer

    def edit(self, start: int, end: int, text: str) -> Edit:
        """An edit of the document."""
        return Edit(Location(self.document, Span(start, end)), text)

    @property
    def indent(self) -> str:
        """What a block is indented by."""
        if self._indent is None:
            self._indent = next(filter(None, map(self._indented, ast.walk(self.tree))), "    ")
        return self._indent

    def _indented(self, node: ast.AST) -> str:
        body = getattr(node, "body", None)
        if not isinstance(node, ast.stmt) or not isinstance(body, list) or body[0].lineno == node.lineno:
            return ""
        outer, inner = (self.text[self._starts[one.lineno - 1] :][: one.col_offset] for one in (node, body[0]))
        return inner.removeprefix(outer) if not inner.strip() and inner.startswith(outer) else ""

    def is_apart(self, one: ast.stmt, other: ast.stmt) -> bool:
        """Whether a blank line stands between two statements."""
        first, second = sorted((self.span(one), self.span(other)))
        return "\n\n" in self.text[first.end : second.start]

    def narrow(self, line: str) -> bool:
        """Whether a line is no longer than lines of this file are: up to the least of WIDTHS that holds them all."""
        if not self._width:
            longest = max(map(_columns, self.text.split("\n")), default=0)
            self._width = next((width for width in WIDTHS if longest <= width), WIDTHS[-1])
        return _columns(line) <= self._width

    def fits(self, edit: Edit) -> bool:
        """Whether the line of an insertion is no longer than lines of this file are."""
        start, end = self.text.rfind("\n", 0, edit.location.span.start) + 1, edit.location.span.end
        rest = self.text.find("\n", end)
        behind = self.text[end : rest if rest >= 0 else len(self.text)]
        return self.narrow(f"{self.text[start : edit.location.span.start]}{edit.text}{behind}")

    def skip(self, start: int, end: int) -> int:
        """The first offset from ``start`` on that is neither blank, line continuation nor comment."""
        while start < end:
            if self.text[start] == "#":
                start = self.text.find("\n", start)
                if start < 0:
                    return end
            elif not (self.text[start].isspace() or self.text[start] == "\\"):
                return start
            start += 1
        return end

    def quote(self, near: ast.AST) -> str:
        """The quotation mark that most short strings near a node have, else most of the file; ``"`` where equal."""
        for root in (near, self.tree):
            marks = [self.code(node)[:1] for node in ast.walk(root) if _is_word(node)]
            single, double = marks.count("'"), marks.count('"')
            if single != double:
                return "'" if single > double else '"'
        return '"'


def _columns(line: str) -> int:
    return len(line.expandtabs(4))


def _is_word(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and node.lineno == node.end_lineno


def read(document: Document) -> Source | None:
    """The source of a Python file or notebook cell; None for any other document, or where it cannot be parsed."""
    if not document.path.endswith((".py", ".pyi", ".ipynb", ".pyw")):
        return None
    return _read(document, document.text)


@lru_cache(maxsize=8)
def _read(document: Document, text: str) -> Source | None:
    shown = without_magics(text) if document.cell is not None else text
    tree, _ = parse(shown)
    return Source(document, shown, tree) if tree is not None else None
