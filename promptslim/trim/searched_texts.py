"""Texts that the program looks for in strings: a prompt that loses one is no longer found, cut or filled there."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache

from promptslim.core.prompt import Prompt
from promptslim.edits.calls.source import read

_METHODS = frozenset(
    {
        "replace", "split", "rsplit", "partition", "rpartition", "find", "rfind", "index", "rindex", "startswith",
        "endswith", "removeprefix", "removesuffix", "count", "sub", "subn", "search", "match", "fullmatch", "findall",
        "finditer",
    }
)  # fmt: skip
_LEAST = 4
"""Characters; what is shorter stands in any prompt by chance."""


def searched_texts(prompt: Prompt) -> tuple[str, ...]:
    """The string constants of the prompt's file that are first arguments of such methods, or left of ``in``."""
    source = read(prompt.location.document)
    return _in_tree(source.tree) if source is not None else ()


@lru_cache(maxsize=64)
def _in_tree(tree: ast.Module) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for node in ast.walk(tree) for text in _texts(node) if len(text) >= _LEAST))


def _texts(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Call(func=ast.Attribute(attr=name), args=[ast.Constant(value=str(text)), *_]) if name in _METHODS:
            yield text
        case ast.Compare(left=ast.Constant(value=str(text)), ops=[ast.In() | ast.NotIn(), *_]):
            yield text
