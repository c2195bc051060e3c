"""``# promptslim: ...`` comments, with the statement each stands at."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator

from promptslim.core.facts import Comment
from promptslim.core.lazy_pattern import pattern
from promptslim.core.text import Location
from promptslim.extract.python.module import Module

OURS = pattern(r"#\s*promptslim:\s*(.*?)\s*$")


def comments(module: Module) -> Iterator[Comment]:
    """The comments addressed to promptslim, in text order."""
    statements = _simple_statements(module)
    try:
        for token in tokenize.generate_tokens(io.StringIO(module.text).readline):
            if token.type != tokenize.COMMENT:
                continue
            match = OURS.search(token.string)
            if match is None:
                continue
            line, column = token.start
            line_start = module.offset(line, 0)
            start = line_start + column
            location = module.place(start, start + len(token.string))
            yield Comment(match[1], location, _at(module, statements, line))
    except (tokenize.TokenError, SyntaxError, IndentationError):
        return


def _simple_statements(module: Module) -> list[tuple[int, int, ast.stmt]]:
    found = []
    for node in ast.walk(module.tree):
        if isinstance(node, ast.stmt):
            body = getattr(node, "body", None)
            # A compound statement counts with its header only: a comment there is not about the whole block.
            end = body[0].lineno - 1 if isinstance(body, list) and body else node.end_lineno or node.lineno
            found.append((node.lineno, max(end, node.lineno), node))
    found.sort(key=lambda item: item[1] - item[0])
    return found


def _at(module: Module, statements: list[tuple[int, int, ast.stmt]], line: int) -> Location | None:
    for first, last, node in statements:
        if first <= line <= last:
            start = module.span(node).start
            end = module.offset(last + 1, 0) if last < (node.end_lineno or last) else module.span(node).end
            return module.place(start, end)
    return None
