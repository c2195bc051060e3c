"""The control flow around a call: loops, retries, request handlers."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Literal

from promptslim.core.call import ControlFacts, Loop
from promptslim.extract.python.module import Module

ATTEMPT = re.compile(r"attempt|retr|tries|max_iter|backoff", re.IGNORECASE)
HANDLERS = frozenset({"lambda_handler", "handler", "handle_request", "handle"})
ROUTES = re.compile(
    r"\.(?:get|post|put|patch|delete|route|websocket|on_message|command|event|tool|on_event|message|action|callback)\b"
)
CONCURRENT = frozenset(
    {"map", "submit", "imap", "imap_unordered", "starmap", "gather", "as_completed", "create_task", "to_thread"}
)
DATA_FREE = frozenset({"range", "count", "repeat", "cycle"})


def control_facts(module: Module, call: ast.Call) -> ControlFacts:
    """What surrounds a call inside its own function."""
    function = module.enclosing_function(call)
    loop_node = _innermost_loop(module, call)
    loop = _loop(module, loop_node, call) if loop_node is not None else None
    return ControlFacts(
        loop=loop,
        handler=function is not None and _handles_requests(module, function),
        interactive=_interactive(module, loop_node if loop_node is not None else function),
        asynchronous=isinstance(function, ast.AsyncFunctionDef),
    )


LoopNode = ast.For | ast.AsyncFor | ast.While | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


def _innermost_loop(module: Module, call: ast.Call) -> LoopNode | None:
    child: ast.AST = call
    parent = module.parents.get(child)
    while parent is not None and not isinstance(
        parent, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
    ):
        match parent:
            case ast.For() | ast.AsyncFor() if any(child is s for s in parent.body):
                return parent
            case ast.While() if any(child is s for s in parent.body):
                return parent
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                return parent
            case _:
                pass
        child, parent = parent, module.parents.get(parent)
    return None


def _loop(module: Module, node: LoopNode, call: ast.Call) -> Loop:
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
            over = " ".join(module.source(node.generators[0].iter).split())
            kind = "comprehension"
            attempts = False
    header = module.source(node).split("\n", 1)[0]
    start = module.span(node).start
    carried = isinstance(node, ast.While) or (isinstance(node, (ast.For, ast.AsyncFor)) and _carried(node, call))
    concurrent = any(
        isinstance(p, ast.Call) and isinstance(p.func, ast.Attribute) and p.func.attr in CONCURRENT
        for p in _ancestors(module, node)
    )
    return Loop(kind, over[:120], module.place(start, start + len(header)), attempts, carried, concurrent)


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
    bound = {n.id for n in ast.walk(node.target) if isinstance(n, ast.Name)}
    changed: dict[str, int] = {}
    fresh: dict[str, int] = {}
    for statement in node.body:
        for child in ast.walk(statement):
            match child:
                case ast.Assign(targets=targets):
                    for target in targets:
                        for name in stored_names(target):
                            fresh.setdefault(name, child.lineno)
                case ast.AnnAssign(target=ast.Name(id=name)):
                    fresh.setdefault(name, child.lineno)
                case ast.AugAssign(target=target):
                    changed.update(dict.fromkeys(_roots(target), child.lineno))
                case ast.Call(func=ast.Attribute(attr="append" | "extend" | "insert" | "update" | "add", value=of)):
                    changed.update(dict.fromkeys(_roots(of), child.lineno))
                case ast.Subscript(ctx=ast.Store()):
                    changed.update(dict.fromkeys(_roots(child), child.lineno))
                case _:
                    pass
    reads = {n.id: n.lineno for n in ast.walk(call) if isinstance(n, ast.Name)}
    frontier = set(reads)
    seen: set[str] = set()
    while frontier:
        name = frontier.pop()
        if name in seen or name in bound:
            continue
        seen.add(name)
        if name in fresh and fresh[name] <= call.lineno:
            for statement in node.body:
                for child in ast.walk(statement):
                    if (
                        isinstance(child, ast.Assign)
                        and child.lineno <= call.lineno
                        and any(name in stored_names(t) for t in child.targets)
                    ):
                        frontier |= {n.id for n in ast.walk(child.value) if isinstance(n, ast.Name)}
            if not any(
                isinstance(n, ast.Name) and n.id == name and n.lineno < fresh[name]
                for s in node.body
                for n in ast.walk(s)
            ):
                continue
        if name in changed or (name in fresh and fresh[name] >= call.lineno):
            return True
    return False


def stored_names(target: ast.expr) -> set[str]:
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
