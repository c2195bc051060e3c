"""The control flow around a call: loops, retries, request handlers."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Literal

from promptslim.core.call import ControlFacts, Loop
from promptslim.core.lazy_pattern import pattern
from promptslim.extract.python.abstract import Sequence
from promptslim.extract.python.conversation import growth
from promptslim.extract.python.evaluate import Evaluator
from promptslim.extract.python.module import Module
from promptslim.extract.python.parameters import callers_of

ATTEMPT = pattern(r"attempt|retr|tries|max_iter|backoff", re.IGNORECASE)
HANDLERS = frozenset({"lambda_handler", "handler", "handle_request", "handle"})
ROUTES = pattern(
    r"\.(?:get|post|put|patch|delete|route|websocket|on_message|command|event|tool|on_event|message|action|callback)\b"
)
CONCURRENT = frozenset(
    {"map", "submit", "imap", "imap_unordered", "starmap", "gather", "as_completed", "create_task", "to_thread"}
)
SAME_LENGTH = pattern(r"^(?:enumerate|sorted|reversed|list|tuple|tqdm|tqdm\.\w+|track)$")
"""Wrappers that yield one item for each item of what they are given."""


def control_facts(module: Module, call: ast.Call, evaluator: Evaluator) -> ControlFacts:
    """What surrounds a call: the loop in its own function, else the one around a call of that function in the
    same module."""
    function = module.enclosing_function(call)
    callers = _calls_of(module, function, evaluator) if function is not None else []
    at = call
    loop_node = _innermost_loop(module, call)
    if loop_node is None:
        for outer in callers:
            loop_node = _innermost_loop(module, outer)
            if loop_node is not None:
                at = outer
                break
    around = module.enclosing_function(at)
    loop = _loop(module, loop_node, at, evaluator) if loop_node is not None else None
    loops = [(node, place) for place in (call, *callers) for node in loops_around(module, place)]
    return ControlFacts(
        loop=loop,
        handler=any(f is not None and _handles_requests(module, f) for f in (function, around)),
        interactive=_interactive(module, loop_node if loop_node is not None else function),
        asynchronous=any(isinstance(f, ast.AsyncFunctionDef) for f in (function, around)),
        rounds=_rounds(module, loop, loops, evaluator),
        grows=next((place for node, _ in loops if (place := growth(module, node, call)) is not None), None),
        service=function is not None and _of_a_service(module, function),
    )


def _rounds(
    module: Module, innermost: Loop | None, loops: list[tuple[LoopNode, ast.Call]], evaluator: Evaluator
) -> Loop | None:
    """The innermost loop that is not one of attempts."""
    if innermost is None or not innermost.attempts:
        return innermost
    for node, at in loops:
        found = _loop(module, node, at, evaluator)
        if not found.attempts:
            return found
    return None


def _of_a_service(module: Module, function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    owner = module.enclosing_class(function)
    return owner is not None and function.name != "__init__" and not owner.name.startswith("Test")


def _calls_of(module: Module, function: ast.FunctionDef | ast.AsyncFunctionDef, evaluator: Evaluator) -> list[ast.Call]:
    """The calls of a function in its own module."""
    frame = evaluator.root_frame(module, module.scope(function))
    return [call for call, caller in callers_of(evaluator, function, frame) if caller.module is module]


LoopNode = ast.For | ast.AsyncFor | ast.While | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


def _innermost_loop(module: Module, call: ast.Call) -> LoopNode | None:
    return next(loops_around(module, call), None)


def loops_around(module: Module, call: ast.Call) -> Iterator[LoopNode]:
    """The loops around a call in its own function, innermost first."""
    child: ast.AST = call
    parent = module.parents.get(child)
    while parent is not None and not isinstance(
        parent, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
    ):
        match parent:
            case ast.For() | ast.AsyncFor() if any(child is s for s in parent.body):
                yield parent
            case ast.While() if any(child is s for s in parent.body):
                yield parent
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                yield parent
            case _:
                pass
        child, parent = parent, module.parents.get(parent)


def _loop(module: Module, node: LoopNode, call: ast.Call, evaluator: Evaluator) -> Loop:
    iterated = node.iter if isinstance(node, (ast.For, ast.AsyncFor)) else None
    match node:
        case ast.For() | ast.AsyncFor():
            over = " ".join(module.source(node.iter).split())
            kind: Literal["for", "while", "comprehension"] = "for"
            attempts = counts_attempts(module, node)
        case ast.While():
            over = " ".join(module.source(node.test).split())
            kind = "while"
            attempts = _while_attempts(module, node)
        case _:
            iterated = node.generators[0].iter
            over = " ".join(module.source(iterated).split())
            kind = "comprehension"
            attempts = False
    while isinstance(iterated, ast.Call) and iterated.args and SAME_LENGTH.search(module.source(iterated.func)):
        iterated = iterated.args[0]
    value = evaluator.evaluate(iterated, evaluator.frame_of(module, iterated)) if iterated is not None else None
    size = len(value.items) if isinstance(value, Sequence) and not value.open else None
    header = module.source(node).split("\n", 1)[0]
    start = module.span(node).start
    carried = isinstance(node, ast.While) or (isinstance(node, (ast.For, ast.AsyncFor)) and _carried(node, call))
    concurrent = any(
        isinstance(p, ast.Call) and isinstance(p.func, ast.Attribute) and p.func.attr in CONCURRENT
        for p in _ancestors(module, node)
    )
    return Loop(kind, over[:120], module.place(start, start + len(header)), attempts, carried, concurrent, size)


def _ancestors(module: Module, node: ast.AST) -> Iterator[ast.AST]:
    parent = module.parents.get(node)
    while parent is not None:
        yield parent
        parent = module.parents.get(parent)


def counts_attempts(module: Module, node: ast.For | ast.AsyncFor) -> bool:
    """True for a loop that repeats one task: counted, with a way out on success."""
    names = " ".join([module.source(node.target), module.source(node.iter)])
    if ATTEMPT.search(names):
        return True
    iterated = node.iter
    counted = isinstance(iterated, ast.Call) and isinstance(iterated.func, ast.Name) and iterated.func.id == "range"
    if not counted:
        return False
    target = node.target.id if isinstance(node.target, ast.Name) else ""
    used = any(
        isinstance(n, ast.Name) and n.id == target and isinstance(n.ctx, ast.Load)
        for s in node.body
        for n in ast.walk(s)
    )
    leaves = any(isinstance(n, (ast.Return, ast.Break)) for s in node.body for n in ast.walk(s))
    guarded = any(isinstance(n, ast.Try) for s in node.body for n in ast.walk(s))
    return leaves and guarded and (target == "_" or not used or guarded)


def _while_attempts(module: Module, node: ast.While) -> bool:
    if ATTEMPT.search(module.source(node.test)):
        return True
    leaves = any(isinstance(n, (ast.Return, ast.Break)) for s in node.body for n in ast.walk(s))
    guarded = any(isinstance(n, ast.Try) for s in node.body for n in ast.walk(s))
    return leaves and guarded


def _carried(node: ast.For | ast.AsyncFor, call: ast.Call) -> bool:
    """True where a name that the call reads is changed by the round before."""
    nodes = [child for statement in node.body for child in ast.walk(statement)]
    bound = stored_names(node.target)
    assigned = _assigned(nodes)
    changed = {name for child in nodes for name in _changed(child)}
    frontier = {n.id for n in ast.walk(call) if isinstance(n, ast.Name)}
    seen: set[str] = set(bound)
    while frontier:
        name = frontier.pop()
        if name in seen:
            continue
        seen.add(name)
        first = assigned.get(name)
        if first is not None and first[0] <= call.lineno:
            for line, value in assigned[name][1]:
                if line <= call.lineno:
                    frontier |= {n.id for n in ast.walk(value) if isinstance(n, ast.Name)}
            if not any(isinstance(n, ast.Name) and n.id == name and n.lineno < first[0] for n in nodes):
                continue  # bound anew in every round before it is read
        if name in changed or first is not None:
            return True
    return False


def _assigned(nodes: list[ast.AST]) -> dict[str, tuple[int, list[tuple[int, ast.expr]]]]:
    """Names that statements bind: the line of the first binding, and every line with its value."""
    found: dict[str, tuple[int, list[tuple[int, ast.expr]]]] = {}
    for node in nodes:
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for name in {name for target in targets for name in stored_names(target)}:
                first, values = found.get(name, (node.lineno, []))
                found[name] = (min(first, node.lineno), [*values, (node.lineno, node.value)])
    return found


def _changed(node: ast.AST) -> set[str]:
    """Names of objects that a node changes in place."""
    match node:
        case ast.AugAssign(target=target):
            return _roots(target)
        case ast.Call(func=ast.Attribute(attr="append" | "extend" | "insert" | "update" | "add", value=of)):
            return _roots(of)
        case ast.Subscript(ctx=ast.Store()):
            return _roots(node)
        case _:
            return set()


def stored_names(target: ast.expr) -> set[str]:
    """Names that an assignment target binds."""
    return {n.id for n in ast.walk(target) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def _roots(node: ast.expr) -> set[str]:
    while isinstance(node, (ast.Subscript, ast.Attribute)):
        node = node.value
    return {node.id} if isinstance(node, ast.Name) else set()


def _handles_requests(module: Module, function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    if function.name in HANDLERS:
        return True
    return any(ROUTES.search(module.source(decorator)) for decorator in function.decorator_list)


def _interactive(module: Module, node: ast.AST | None) -> bool:
    if node is None:
        return False
    return any(
        isinstance(n, ast.Call)
        and isinstance(n.func, (ast.Name, ast.Attribute))
        and module.source(n.func) in ("input", "st.chat_input", "st.text_input", "sys.stdin.readline", "console.input")
        for n in ast.walk(node)
    )
