"""Cost arithmetic in user code: reported token counts multiplied by a price."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from promptslim.core.lazy_pattern import pattern
from promptslim.core.text import Span
from promptslim.core.usage import UsageArithmetic
from promptslim.extract.python.module import Module

PROVIDERS = {
    "inputTokens": "bedrock",
    "outputTokens": "bedrock",
    "inputTokenCount": "bedrock",
    "outputTokenCount": "bedrock",
    "input_tokens": "anthropic",
    "output_tokens": "anthropic",
    "prompt_tokens": "openai",
    "completion_tokens": "openai",
}
INPUTS = frozenset({"inputTokens", "inputTokenCount", "input_tokens", "prompt_tokens"})
CACHED = pattern(
    r"cache_?read|cache_?write|cache_creation|cached_tokens|cacheDetails|cached_input|cached_prompt", re.IGNORECASE
)
MARKERS = pattern(r"cachePoint|cache_control|prompt_cache_breakpoint|cache_prompt|cache_tools")
PRICE = pattern(r"price|cost|rate|usd|dollar|per_(?:1k|million|mtok|token)|1_?000_?000|1e6|\b1000\b", re.IGNORECASE)


def arithmetic(module: Module) -> Iterator[UsageArithmetic]:
    """Each function (or module level) in which a reported input count takes part in a price product."""
    done: set[int] = set()
    products = sorted(module.index.products, key=lambda node: (node.lineno, node.col_offset))
    bound = _bound_names(module) if products else {}
    for node in products:
        scope = module.enclosing_function(node) or module.tree
        if id(scope) in done:
            continue
        fields = _fields(node, bound.get(id(scope), {}))
        if not fields & INPUTS or not PRICE.search(module.source(node)):
            continue
        done.add(id(scope))
        yield _found(module, node, scope, fields)


def _found(module: Module, node: ast.BinOp, scope: ast.AST, fields: set[str]) -> UsageArithmetic:
    owner = module.enclosing_class(scope) if isinstance(scope, ast.FunctionDef) else None
    around = (
        module.source(owner)
        if owner is not None
        else module.source(scope)
        if not isinstance(scope, ast.Module)
        else module.text
    )
    location = module.locate(node)
    span: Span | None = None
    if not isinstance(scope, ast.Module):
        place = module.locate(scope)
        span = place.span if place.document is location.document else None
    given = sorted(fields & INPUTS)
    return UsageArithmetic(
        location=location,
        scope=module.qualname(node),
        scope_span=span,
        fields=tuple(sorted(fields)),
        provider=PROVIDERS[given[0]],
        cached=bool(CACHED.search(around)),
        inclusive=given[0] == "prompt_tokens",
        caching=bool(MARKERS.search(module.text)),
    )


def _bound_names(module: Module) -> dict[int, dict[str, set[str]]]:
    """For each function (or the module) the local names that are bound to usage keys."""
    found: dict[int, dict[str, set[str]]] = {}
    for statement in ast.walk(module.tree):
        if not isinstance(statement, ast.Assign) or not (fields := _direct(statement.value)):
            continue
        names = found.setdefault(id(module.enclosing_function(statement) or module.tree), {})
        for target in statement.targets:
            if isinstance(target, ast.Name):
                names.setdefault(target.id, set()).update(fields)
    return found


def _fields(node: ast.BinOp, bound: dict[str, set[str]]) -> set[str]:
    """Usage keys that the product reads, directly or through a local name bound to one in the same scope."""
    found = _direct(node)
    for child in ast.walk(node):
        if isinstance(child, ast.Name):
            found |= bound.get(child.id, set())
    return found


def _direct(node: ast.AST) -> set[str]:
    found: set[str] = set()
    for child in ast.walk(node):
        match child:
            case ast.Attribute(attr=name) if name in PROVIDERS:
                found.add(name)
            case ast.Subscript(slice=ast.Constant(value=str() as name)) if name in PROVIDERS:
                found.add(name)
            case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=str() as name), *_]) if (
                name in PROVIDERS
            ):
                found.add(name)
            case _:
                pass
    return found
