"""What switches prompt caching on around a call, outside of the prompts that it sends."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache

from promptslim.core.lazy_pattern import pattern
from promptslim.core.prompt import CachePoint
from promptslim.core.text import Location
from promptslim.core.values import ABSENT, Field, known, unknown
from promptslim.extract.python.abstract import (
    Class,
    Configured,
    Const,
    Entry,
    Function,
    Instance,
    Record,
    Text,
    alternatives,
)
from promptslim.extract.python.dotted import named
from promptslim.extract.python.evaluate import Evaluator
from promptslim.extract.python.frames import Frame, is_real
from promptslim.extract.python.lookup import Found, Hidden, at_path, record_of, request_of
from promptslim.extract.python.module import Module
from promptslim.extract.python.parameters import callers_of
from promptslim.extract.python.prompts import MARKERS, cache_point
from promptslim.extract.python.recognise import Recognised
from promptslim.extract.python.signatures import Operation, Signatures

WORD = pattern(
    r"cache_control|cachePoint|cache_point|CachePoint|CacheControl|cache_(?:prompt|tools|config|instructions|messages"
    r"|tool_definitions|system_prompt|strategy)|prompt_cache_breakpoint|PromptCaching|prompt_caching|prompt_caches?\b"
)
"""Keys, settings and names by which the SDKs, or helpers for them, put cache markers into a request."""

AUTOMATIC = frozenset({"openai", "google", "local"})
"""Routes of providers that cache without being asked."""

MOST_HELPERS = 60


def caching_of(
    site: Recognised, request: Record, module: Module, evaluator: Evaluator, tables: Signatures
) -> Field[str]:
    """``LlmCall.caching``: a setting of the call or of its model object, else a marker near the call."""
    if site.operation.route in AUTOMATIC:
        return unknown("the provider caches by itself")
    evaluator.begin()
    setting = _setting(site, request, evaluator, tables)
    if setting is not None:
        return setting
    near = _in_module(module, site.node) or _elsewhere(module, site.node, evaluator)
    return known(*near) if near is not None else ABSENT


def automatic_point(
    paths: tuple[str, ...], request: Record, frame: Frame, evaluator: Evaluator, hidden: bool
) -> CachePoint | None:
    """``LlmCall.automatic``: the marker that a request sets for itself as a whole. ``hidden``: something that it sends
    cannot be seen."""
    for path in paths:
        if path.rpartition(".")[2] not in MARKERS:
            continue
        outcomes = at_path(evaluator, request, path, frame)
        for _, outcome in outcomes:
            value = record_of(evaluator, outcome.value, frame) if isinstance(outcome, Found) else None
            if isinstance(outcome, Found) and value is not None:
                maybe = outcome.maybe or len(outcomes) > 1 or hidden
                return cache_point(Entry(path.rpartition(".")[2], value, outcome.location, maybe))
    return None


def _setting(site: Recognised, request: Record, evaluator: Evaluator, tables: Signatures) -> Field[str] | None:
    """A caching argument of the call or, for an agent, of its model object; Unknown where that is not visible."""
    found = _argument(site.operation, request, evaluator, site)
    if found is not None or not site.operation.cap_on_model:
        return found
    for path in site.operation.paths("model"):
        for _, outcome in at_path(evaluator, request, path, site.frame):
            if isinstance(outcome, Hidden):
                return unknown("model object")
            if not isinstance(outcome, Found):
                continue
            for _, member in alternatives(outcome.value):
                if isinstance(member, Instance) and is_real(member.call):
                    inner = _of_model(member, evaluator, tables)
                    if inner is not None:
                        return inner
                elif not isinstance(member, (Text, Const, Configured)):
                    return unknown("model object")
    return None


def _of_model(value: Instance, evaluator: Evaluator, tables: Signatures) -> Field[str] | None:
    for operation in tables.called.get(value.name.rsplit(".", 1)[-1], ()):
        if operation.kind == "model" and named(value.name, operation.constructors):
            record = request_of(evaluator, value.call, operation.positional, value.frame)
            site = Recognised(value.call, value.frame, operation, value.name, None, value)
            return unknown("model object") if record.open is not None else _argument(operation, record, evaluator, site)
    return unknown("model object")


def _argument(operation: Operation, request: Record, evaluator: Evaluator, site: Recognised) -> Field[str] | None:
    for path in operation.paths("caching"):
        for _, outcome in at_path(evaluator, request, path, site.frame):
            match outcome:
                case Found(value=Const(value=None | False)):
                    continue
                case Found(location=location):
                    return known(path, location)
                case Hidden(why=why):
                    return unknown(why)
                case _:
                    continue
    return None


def _in_module(module: Module, call: ast.Call) -> tuple[str, Location] | None:
    """A marker in the module of a call that may reach it."""
    for node, word in _markers(module):
        if not _excluded(module, node, call):
            return word, module.locate(node)
    return None


@lru_cache(maxsize=64)
def _markers(module: Module) -> tuple[tuple[ast.AST, str], ...]:
    """The nodes of a module that set a marker or call what sets one; mentions in comments and docstrings are none."""
    if WORD.search(module.text) is None:
        return ()
    return tuple((node, word) for node in ast.walk(module.tree) if (word := _word(module, node)) is not None)


def _word(module: Module, node: ast.AST) -> str | None:
    match node:
        case ast.keyword(arg=str(name)):
            off = isinstance(node.value, ast.Constant) and node.value.value in (None, False)
            hit = None if off else WORD.search(name)
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)):
            hit = WORD.search(name)
        case ast.Attribute(attr=name, ctx=ast.Store()):
            hit = WORD.search(name)
        case ast.Constant(value=str(text)) if not isinstance(module.parents.get(node), ast.Expr):
            hit = WORD.search(text)
        case _:
            return None
    return hit[0] if hit else None


def _excluded(module: Module, marker: ast.AST, call: ast.Call) -> bool:
    """True where a marker is set only on paths that do not lead to the call: in the other arm of an ``if``, or
    together with a flag whose ``else`` leads to the call."""
    arms = dict(_arms(module, call))
    for branch, arm in _arms(module, marker):
        if branch in arms:
            if arms[branch] != arm:
                return True
        elif any(not arms[other] and _raises_flag(branch, arm, other.test) for other in arms):
            return True
    return False


def _arms(module: Module, node: ast.AST) -> Iterator[tuple[ast.If, bool]]:
    """The ``if`` statements around a node, each with whether it stands in the body or in the ``else``."""
    child = node
    for parent in module.above(node):
        if isinstance(parent, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            return
        if isinstance(parent, ast.If) and child is not parent.test:
            yield parent, any(child is statement for statement in parent.body)
        child = parent


def _raises_flag(branch: ast.If, arm: bool, test: ast.expr) -> bool:
    """True where a branch certainly makes the name ``test`` true: sets it, or puts something into it."""
    if not isinstance(test, ast.Name):
        return False
    for statement in branch.body if arm else branch.orelse:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=True)) if name == test.id:
                return True
            case ast.Expr(value=ast.Call(func=ast.Attribute(attr="append", value=ast.Name(id=name)))) if (
                name == test.id
            ):
                return True
            case _:
                continue
    return False


def _elsewhere(module: Module, call: ast.Call, evaluator: Evaluator) -> tuple[str, Location] | None:
    """A marker in what the class or function of a call uses from other modules of the project, and in what calls
    the function from there."""
    function = module.enclosing_function(call)
    owner = module.enclosing_class(function) if function is not None else None
    found = _in_used(module, owner or function or module.tree, evaluator)
    if found is not None:
        return found
    if function is not None:
        frame = evaluator.root_frame(module, module.scope(function))
        for outer, caller in callers_of(evaluator, function, frame):
            if caller.module is not module:
                around = caller.module.enclosing_function(outer)
                found = _in_source(caller.module, around or outer)
                if found is not None:
                    return found
    return None


def _in_used(module: Module, body: ast.AST, evaluator: Evaluator) -> tuple[str, Location] | None:
    """The first marker in what a class or function uses; all calls in it share the answer."""
    answer = _answer(module, body)
    if not answer:
        answer.append(
            next((hit for other, node in _used(module, body, evaluator) if (hit := _in_source(other, node))), None)
        )
    return answer[0]


@lru_cache(maxsize=128)
def _answer(module: Module, body: ast.AST) -> list[tuple[str, Location] | None]:  # noqa: ARG001 (they are the key)
    """The place where the answer for a body is kept: empty until it is known."""
    return []


def _used(module: Module, body: ast.AST, evaluator: Evaluator) -> Iterator[tuple[Module, ast.AST]]:
    """Functions and classes of other modules that a class or function calls or derives from. A method of a local
    object counts with the class that the object is made of."""
    imported = _imported(module, evaluator)
    if not imported:
        return
    callees = [node.func for node in ast.walk(body) if isinstance(node, ast.Call)]
    expressions = [*(body.bases if isinstance(body, ast.ClassDef) else ()), *callees]
    for expression in [one for one in expressions if _root(one) in imported][:MOST_HELPERS]:
        for _, member in alternatives(evaluator.evaluate(expression, evaluator.frame_of(module, expression))):
            if isinstance(member, (Function, Class)) and member.module is not module:
                yield member.module, member.node


def _imported(module: Module, evaluator: Evaluator) -> set[str]:
    """Names that a module imports from other files of the project."""
    found: set[str] = set()
    for node in module.index.imports:
        match node:
            case ast.ImportFrom(module=source, level=level, names=names):
                if level or evaluator.workspace.resolve(module.path, source or "", level) is not None:
                    found |= {alias.asname or alias.name for alias in names}
            case ast.Import(names=names):
                found |= {
                    alias.asname or alias.name.partition(".")[0]
                    for alias in names
                    if evaluator.workspace.resolve(module.path, alias.name, 0) is not None
                }
            case _:
                continue
    return found


def _root(node: ast.expr) -> str | None:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _in_source(module: Module, node: ast.AST) -> tuple[str, Location] | None:
    span = module.span(node)
    hit = WORD.search(module.text, span.start, span.end)
    return (hit[0], module.place(hit.start(), hit.end())) if hit else None
