"""A parsed module (a file, or the code cells of a notebook as one text) with its scopes."""

from __future__ import annotations

import ast
import sys
import warnings
from bisect import bisect_right
from collections.abc import Iterator

from promptslim.core.lazy_pattern import pattern
from promptslim.core.record import field, record
from promptslim.core.result import FileError
from promptslim.core.text import Document, Location, Span
from promptslim.extract.python.literals import Field, string_pieces
from promptslim.extract.python.scopes import Builder, FunctionNode, Scope, ScopeNode
from promptslim.extract.python.tree_index import TreeIndex, index_tree

DOTTED = pattern(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")


@record(frozen=False, eq=False)
class Module:
    """``text`` is the analysed source; ``parts`` the documents in it with the offset where each starts
    (one for a file, one per code cell of a notebook)."""

    path: str
    text: str
    parts: tuple[tuple[int, Document], ...]
    tree: ast.Module
    errors: tuple[FileError, ...] = ()
    notebook: bool = False
    _starts: list[int] = field(default_factory=list)
    _scopes: dict[ast.AST, Scope] = field(default_factory=dict)
    _index: TreeIndex | None = None
    _ascii: bool = False

    def _lines(self) -> list[int]:
        if not self._starts:
            self._starts.extend(Document("", self.text).line_starts())
            self._ascii = self.text.isascii()
        return self._starts

    def position(self, offset: int) -> tuple[int, int]:
        """The ast position (1-based line, UTF-8 column) of a code-point offset."""
        starts = self._lines()
        line = bisect_right(starts, offset)
        before = self.text[starts[line - 1] : offset]
        return line, len(before) if self._ascii else len(before.encode("utf-8", "surrogatepass"))

    def offset(self, line: int, column: int) -> int:
        """Code-point offset of an ast position (1-based line, UTF-8 column)."""
        self._lines()
        start = self._starts[min(line, len(self._starts)) - 1]
        if self._ascii or column == 0:
            return min(start + column, len(self.text))
        end = self._starts[line] if line < len(self._starts) else len(self.text)
        return start + len(self.text[start:end].encode("utf-8", "surrogatepass")[:column].decode("utf-8", "ignore"))

    def span(self, node: ast.AST) -> Span:
        """Where a node stands in ``text``."""
        return Span(
            self.offset(node.lineno, node.col_offset),  # type: ignore[attr-defined]
            self.offset(node.end_lineno, node.end_col_offset),  # type: ignore[attr-defined]
        )

    def place(self, start: int, end: int) -> Location:
        """The location of a range of ``text``, in the document that holds it."""
        index = bisect_right(self.parts, start, key=lambda part: part[0]) - 1
        base, document = self.parts[max(index, 0)]
        size = len(document.text)
        return Location(document, Span(min(max(start - base, 0), size), min(max(end - base, 0), size)))

    def locate(self, node: ast.AST) -> Location:
        """The location of a node."""
        span = self.span(node)
        return self.place(span.start, span.end)

    def source(self, node: ast.AST) -> str:
        """The source text of a node."""
        span = self.span(node)
        return self.text[span.start : span.end]

    def scope(self, node: ScopeNode) -> Scope:
        """The scope of a node, built when first asked for."""
        if node not in self._scopes:
            parent_node = self.enclosing_scope(node)
            parent = self.scope(parent_node) if parent_node is not None else None
            owner = parent_node if isinstance(parent_node, ast.ClassDef) else None
            self._scopes[node] = Builder(Scope(node, parent, self.qualname(node), owner)).build()
        return self._scopes[node]

    @property
    def index(self) -> TreeIndex:
        """The parent of every node, and calls, loops and products by kind."""
        if self._index is None:
            self._index = index_tree(self.tree)
        return self._index

    @property
    def parents(self) -> dict[ast.AST, ast.AST]:
        """The parent of every node."""
        return self.index.parents

    def enclosing_scope(self, node: ast.AST) -> ScopeNode | None:
        """The scope that a node is evaluated in, None for the module itself.

        Defaults, decorators and the outermost iterable of a comprehension belong to the scope outside.
        """
        child = node
        parent = self.parents.get(child)
        while parent is not None:
            match parent:
                case ast.Module():
                    return parent
                case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                    if any(child is statement for statement in parent.body):
                        return parent
                case ast.Lambda():
                    if child is parent.body:
                        return parent
                case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                    if child is not parent.generators[0]:
                        return parent
                case _:
                    pass
            child, parent = parent, self.parents.get(parent)
        return None

    def above(self, node: ast.AST) -> Iterator[ast.AST]:
        """The nodes around a node, innermost first."""
        parent = self.parents.get(node)
        while parent is not None:
            yield parent
            parent = self.parents.get(parent)

    def enclosing_function(self, node: ast.AST) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
        """The innermost function that a node is evaluated in, None at module level."""
        parent = self.enclosing_scope(node)
        while parent is not None and not isinstance(parent, (ast.FunctionDef, ast.AsyncFunctionDef)):
            parent = self.enclosing_scope(parent)
        return parent

    def enclosing_class(self, function: FunctionNode) -> ast.ClassDef | None:
        """The class that a function is a method of."""
        parent = self.parents.get(function)
        return parent if isinstance(parent, ast.ClassDef) else None

    def qualname(self, node: ast.AST) -> str:
        """Dotted name of the definition a node is or stands in; ``<module>`` at module level."""
        names: list[str] = []
        current: ast.AST | None = node
        while current is not None:
            if isinstance(current, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                names.append(current.name)
            current = self.parents.get(current)
        return ".".join(reversed(names)) or "<module>"


def parse_module(
    path: str, documents: tuple[Document, ...], text: str, starts: tuple[int, ...], *, notebook: bool
) -> Module:
    """Parses ``text``; on a syntax error the tree is empty and ``errors`` says where."""
    parts = tuple(zip(starts, documents, strict=True))
    empty = ast.Module(body=[], type_ignores=[])
    tree, error = parse(text)
    if tree is None:
        line, message = error
        return Module(path, text, parts, empty, (FileError(path, line, message),), notebook)
    module = Module(path, text, parts, tree, (), notebook)
    if sys.version_info < (3, 12):
        _mend_positions(module)
    return module


def parse(text: str) -> tuple[ast.Module | None, tuple[int | None, str]]:
    """The tree of a source text, or the line and reason of its failure."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except SyntaxError as failure:
        return None, (failure.lineno, f"syntax error: {failure.msg}")
    except (ValueError, OverflowError) as failure:
        return None, (None, f"not Python source: {failure}")
    except (RecursionError, MemoryError):
        return None, (None, "nested too deeply to be parsed")
    return tree, (None, "")


def _mend_positions(module: Module) -> None:
    """Python 3.11 places the expressions inside f-strings wrongly: read them again where they stand."""
    inside = {id(node) for node in module.index.formatted if _within_another(module, node)}
    for node in module.index.formatted:
        if id(node) not in inside:
            span = module.span(node)
            _mend(module, node, span.start, span.end)


def _within_another(module: Module, node: ast.JoinedStr) -> bool:
    return isinstance(module.parents.get(node), (ast.FormattedValue, ast.JoinedStr)) or any(
        isinstance(parent, ast.FormattedValue) for parent in module.above(node)
    )


def _mend(module: Module, node: ast.JoinedStr, start: int, end: int) -> None:
    pieces = string_pieces(module.text, start, end)
    if pieces is None:
        return
    fields = [piece for piece in pieces if isinstance(piece, Field)]
    values = [value for value in node.values if isinstance(value, ast.FormattedValue)]
    if len(fields) == len(values):
        for piece, value in zip(fields, values, strict=True):
            _mend_field(module, piece, value)


def _mend_field(module: Module, piece: Field, value: ast.FormattedValue) -> None:
    """Moves the nodes of one field to where they stand, and those of f-strings inside it."""
    source = module.text[piece.expression_start : piece.expression_end]
    line, column = module.position(piece.expression_start)
    dotted = source.isascii() and DOTTED.fullmatch(source) is not None
    if not (dotted and _move_dotted(value.value, line, column)):
        _move_all(module, source, value.value, line, column)
    spec = value.format_spec
    if isinstance(spec, ast.JoinedStr):
        inner = [p for p in piece.spec if isinstance(p, Field)]
        formatted = [v for v in spec.values if isinstance(v, ast.FormattedValue)]
        if len(inner) == len(formatted):
            for nested, nested_value in zip(inner, formatted, strict=True):
                _mend_field(module, nested, nested_value)


def _move_all(module: Module, source: str, old_root: ast.expr, line: int, column: int) -> None:
    """Moves every node of an expression, by parsing its source again on its own."""
    try:
        new_root = ast.parse("(" + source + "\n)", mode="eval").body
    except SyntaxError:
        return
    if ast.dump(new_root) != ast.dump(old_root):
        return
    for old, new in zip(ast.walk(old_root), ast.walk(new_root), strict=True):
        if isinstance(old, (ast.expr, ast.keyword, ast.arg)) and isinstance(new, type(old)):
            _move(old, new, line, column)
    for child in ast.walk(old_root):
        if isinstance(child, ast.JoinedStr):
            span = module.span(child)
            _mend(module, child, span.start, span.end)


def _move_dotted(node: ast.expr, line: int, column: int) -> bool:
    """Moves ``a.b.c``, by far the most usual field, without parsing it again."""
    if isinstance(node, ast.Attribute):
        if not _move_dotted(node.value, line, column):
            return False
        end = (node.value.end_col_offset or 0) + 1 + len(node.attr)
    elif isinstance(node, ast.Name):
        end = column + len(node.id)
    else:
        return False
    node.lineno = node.end_lineno = line
    node.col_offset, node.end_col_offset = column, end
    return True


def _move(old: ast.expr | ast.keyword | ast.arg, new: ast.expr | ast.keyword | ast.arg, line: int, column: int) -> None:
    """Gives a node the place that its twin has in the text ``(expression)``, whose second character stands at
    ``line`` and ``column``."""
    old.col_offset = new.col_offset + (column - 1 if new.lineno == 1 else 0)
    old.end_col_offset = (new.end_col_offset or 0) + (column - 1 if new.end_lineno == 1 else 0)
    old.lineno = new.lineno + line - 1
    old.end_lineno = (new.end_lineno or 1) + line - 1
