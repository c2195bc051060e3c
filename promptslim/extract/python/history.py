"""The message list that a call sends: whether it grows with every turn of a conversation, and what shortens it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from promptslim.core.call import History, Reach
from promptslim.core.record import record
from promptslim.extract.python.evaluate import Evaluator
from promptslim.extract.python.list_uses import COPIES, ListUse, is_session, is_window, key_of, uses_of
from promptslim.extract.python.module import Module
from promptslim.extract.python.parameters import callers_of
from promptslim.extract.python.scopes import FunctionNode

ARGUMENTS = frozenset({"messages", "contents", "input"})
"""Keywords and body keys that take a list of messages."""
LIMITS = re.compile(
    r"\w*(?:trim|truncat|compact|prune|sliding|window|max_(?:history|turn|message|round|iter|step)|history_(?:limit|len"
    r"|size)|(?:summari[sz]e|condense|compress|shorten|cut|clean|reset|clear)_(?:chat|history|conversation|message|memory"
    r"|context|old)|(?:count|num)_tokens|token_(?:count|limit|budget)|context_management|keep_last|last_n)\w*",
    re.IGNORECASE,
)
"""Identifiers beside a list that say something keeps it short."""
ASKED = re.compile(
    r"(?:^|\.)(?:input|chat_input|ask|prompt|readline|receive_text|receive_json|text_input|multiline_input)$"
)
"""Functions that wait for a person."""
TOOL_RESULT = re.compile(
    r"tool_?result|tool_call_id|function_call_output|\"role\": ?\"(?:tool|function)\"", re.IGNORECASE
)
ANSWER = re.compile(
    r"(?:response|completion|answer|result|output|message|reply|resp|res|choice)\w*"
    r"(?:[.\[]|$)",
    re.IGNORECASE,
)
DEEPEST = 4


@record
class Root:
    """A list that outlives one turn: its name, and the node (function, class, module) in which the name means it."""

    key: str
    owner: ast.AST


def sent_history(module: Module, call: ast.Call, evaluator: Evaluator) -> History | None:
    """The growing list that a call sends whole, None where there is none, or where something keeps it short."""
    uses = uses_of(module)
    if not uses:
        return None
    for argument in _arguments(module, call):
        roots = _roots(module, argument, call, evaluator, 0)
        for root in roots or ():
            history = _history(module, root, call)
            if history is not None:
                return history
    return None


def _arguments(module: Module, call: ast.Call) -> Iterator[ast.expr]:
    """The expressions that may hold the message list: keywords of the call, keys of its body or request."""
    for keyword in call.keywords:
        if keyword.arg in ARGUMENTS:
            yield keyword.value
        else:
            yield from _in_dict(module, keyword.value, call, 0)
    for argument in call.args:
        yield from _in_dict(module, argument, call, 0)


def _in_dict(module: Module, node: ast.expr, call: ast.Call, depth: int) -> Iterator[ast.expr]:
    if depth > 3:
        return
    match node:
        case ast.Dict(keys=keys, values=values):
            for key, value in zip(keys, values, strict=True):
                if isinstance(key, ast.Constant) and key.value in ARGUMENTS:
                    yield value
        case ast.Call(func=function, args=[first, *_]) if _last(function) in ("dumps", "encode", "bytes"):
            yield from _in_dict(module, first, call, depth + 1)
        case ast.Call(func=ast.Name(id="dict"), keywords=keywords):
            yield from (keyword.value for keyword in keywords if keyword.arg in ARGUMENTS)
        case ast.Name(id=name):
            for value in _bound(module, name, module.enclosing_function(call)):
                if value.lineno <= call.lineno:
                    yield from _in_dict(module, value, call, depth + 1)


def _last(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _bound(module: Module, name: str, function: FunctionNode | None) -> list[ast.expr]:
    """The expressions that a name is bound to in a function (in the module where it is None)."""
    found: list[ast.expr] = []
    for node in ast.walk(function if function is not None else module.tree):
        match node:
            case ast.Assign(targets=[ast.Name(id=bound)], value=value) if bound == name:
                found.append(value)
            case ast.AnnAssign(target=ast.Name(id=bound), value=ast.expr() as value) if bound == name:
                found.append(value)
    return found if function is not None else [v for v in found if module.enclosing_function(v) is None]


def _roots(module: Module, node: ast.expr, at: ast.AST, evaluator: Evaluator, depth: int) -> list[Root] | None:
    """The lists that an expression sends whole; None where one is cut, or goes through something not followed."""
    if depth > DEEPEST:
        return []
    match node:
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            return _all(module, (left, right), at, evaluator, depth)
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            return _all(module, [e.value for e in elements if isinstance(e, ast.Starred)], at, evaluator, depth)
        case ast.Call(func=function, args=[first]) if _last(function) in COPIES and isinstance(function, ast.Name):
            return _roots(module, first, at, evaluator, depth + 1)
        case ast.Call(func=ast.Attribute(value=of, attr="copy"), args=[]):
            return _roots(module, of, at, evaluator, depth + 1)
        case ast.ListComp(generators=[one]):
            return _roots(module, one.iter, at, evaluator, depth + 1)
        case ast.Subscript(value=of, slice=ast.Slice() as part):
            return None if is_window(part) else _roots(module, of, at, evaluator, depth + 1)
        case ast.IfExp(body=body, orelse=other):
            return _all(module, (body, other), at, evaluator, depth)
        case ast.Name(id=name):
            return _named(module, name, at, evaluator, depth)
        case ast.Call() if key_of(node) is None:
            return None
    key = key_of(node)
    if key is None or key not in uses_of(module):
        return []
    owner = _owner(module, key, at)
    return [Root(key, owner)] if owner is not None else []


def _all(
    module: Module, nodes: tuple[ast.expr, ...] | list[ast.expr], at: ast.AST, evaluator: Evaluator, depth: int
) -> list[Root] | None:
    found: list[Root] = []
    for node in nodes:
        inner = _roots(module, node, at, evaluator, depth + 1)
        if inner is None:
            return None
        found += inner
    return found


def _owner(module: Module, key: str, at: ast.AST) -> ast.AST | None:
    """The class of ``self.x``, the module for what a session keeps; other attributes belong to no one known."""
    if is_session(key):
        return module.tree
    if not key.startswith("self."):
        return None
    return next((node for node in module.above(at) if isinstance(node, ast.ClassDef)), None)


def _named(module: Module, name: str, at: ast.AST, evaluator: Evaluator, depth: int) -> list[Root] | None:
    """The lists behind a plain name: itself, what it was made from, or what the callers pass for it."""
    function = module.enclosing_function(at)
    if function is not None and name in _parameters(function):
        return _passed(module, name, function, evaluator, depth)
    owner: ast.AST = function if function is not None and _binds(function, name) else module.tree
    found: list[Root] = []
    uses = _within(module, uses_of(module).get(name, ()), name, owner)
    for use in uses:
        source = use.values[0] if use.kind == "start" else _looped(module, use) if use.kind == "grow" else None
        if source is not None and not (isinstance(source, ast.Name) and source.id == name):
            inner = _roots(module, source, use.node, evaluator, depth + 1)
            if inner is None:
                return None
            found += inner
    if not uses and isinstance(owner, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return _all(module, _bound(module, name, owner), at, evaluator, depth)
    return [*found, Root(name, owner)]


def _looped(module: Module, use: ListUse) -> ast.expr | None:
    """The list whose items a loop copies one by one into this list."""
    for node in module.above(use.node):
        match node:
            case ast.For(iter=iterated, target=ast.Name(id=item)):
                copied = any(isinstance(n, ast.Name) and n.id == item for v in use.values for n in ast.walk(v))
                return iterated if copied and isinstance(iterated, (ast.Attribute, ast.Name, ast.Subscript)) else None
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.While():
                return None
    return None


def _passed(module: Module, name: str, function: FunctionNode, evaluator: Evaluator, depth: int) -> list[Root] | None:
    """What the callers in the same module pass for a parameter."""
    found: list[Root] = []
    frame = evaluator.root_frame(module, module.scope(function))
    for call, caller in callers_of(evaluator, function, frame):
        argument = _argument(call, name, function)
        if caller.module is module and argument is not None:
            inner = _roots(module, argument, call, evaluator, depth + 1)
            if inner is None:
                return None
            found += inner
    return found


def _argument(call: ast.Call, name: str, function: FunctionNode) -> ast.expr | None:
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    positional = [a.arg for a in (*function.args.posonlyargs, *function.args.args)]
    if positional and positional[0] in ("self", "cls"):
        positional = positional[1:]
    index = positional.index(name) if name in positional else len(call.args)
    return call.args[index] if index < len(call.args) else None


def _parameters(function: FunctionNode) -> set[str]:
    arguments = function.args
    return {a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}


def _binds(function: FunctionNode, name: str) -> bool:
    declared = any(isinstance(n, (ast.Global, ast.Nonlocal)) and name in n.names for n in ast.walk(function))
    stored = any(isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Store) for n in ast.walk(function))
    return stored and not declared


def _within(module: Module, uses: tuple[ListUse, ...], key: str, owner: ast.AST) -> tuple[ListUse, ...]:
    """The uses that mean the list of this owner, not one of the same name elsewhere."""
    if isinstance(owner, ast.Module):
        if is_session(key):
            return uses
        return tuple(use for use in uses if not _own_name(module, use.node, key))
    return tuple(use for use in uses if any(node is owner for node in module.above(use.node)))


def _own_name(module: Module, node: ast.AST, name: str) -> bool:
    """True where a function around the node has a name of its own that hides the module's."""
    return any(
        isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef)) and (name in _parameters(one) or _binds(one, name))
        for one in module.above(node)
    )


def _history(module: Module, root: Root, call: ast.Call) -> History | None:
    """The history behind a list, None where it does not hold both sides of a conversation over many turns."""
    uses = (*_within(module, uses_of(module).get(root.key, ()), root.key, root.owner), *_by_helpers(module, root))
    growth = [use for use in uses if use.kind == "grow"]
    sides = {side for use in growth for value in use.values for side in _sides(module, value)}
    if not {"user", "assistant"} <= sides or any(use.kind == "bound" for use in uses):
        return None
    reach = _reach(module, root, uses)
    if reach is None or _limited(module, root, call):
        return None
    first = min(growth, key=lambda use: (use.node.lineno, use.node.col_offset))  # type: ignore[attr-defined]
    return History(root.key, reach, module.locate(first.node), "tool" in sides)


def _by_helpers(module: Module, root: Root) -> Iterator[ListUse]:
    """Growth in a function of the module that is given the list: ``add_user_message(messages, text)``."""
    functions = {
        node.name: node for node in module.tree.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    }
    for name, function in functions.items():
        for call in module.index.calls.get(name, ()):
            inside = isinstance(root.owner, ast.Module) or any(node is root.owner for node in module.above(call))
            for parameter in sorted(_parameters(function)) if inside else ():
                argument = _argument(call, parameter, function)
                if argument is None or key_of(argument) != root.key:
                    continue
                for use in _within(module, uses_of(module).get(parameter, ()), parameter, function):
                    yield ListUse(root.key, use.kind, call if use.kind == "grow" else use.node, use.values)


def _sides(module: Module, value: ast.expr) -> set[str]:
    """Who speaks in a message that is added: user, assistant, tool."""
    source = module.source(value)
    if TOOL_RESULT.search(source):
        return {"tool"}
    match value:
        case ast.Dict(keys=keys, values=values):
            for key, inner in zip(keys, values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "role":
                    return _role(inner)
            return set()
        case ast.Call(func=function):
            name = _last(function)
            for keyword in value.keywords:
                if keyword.arg == "role":
                    return _role(keyword.value)
            if name.startswith(("Human", "User", "user_", "human_")):
                return {"user"}
            if name.startswith(("AI", "Assistant", "assistant_", "ai_")):
                return {"assistant"}
            return {"assistant"} if name in ("model_dump", "to_dict", "dict") else set()
        case ast.Name(id=name):
            found: set[str] = set()
            for bound in _bound(module, name, module.enclosing_function(value)):
                if not isinstance(bound, ast.Name):
                    found |= _sides(module, bound)
            return found
        case ast.Attribute() | ast.Subscript() if ANSWER.search(source):
            return {"assistant"}
        case _:
            return set()


def _role(value: ast.expr) -> set[str]:
    match value:
        case ast.Constant(value="user" | "human"):
            return {"user"}
        case ast.Constant(value="assistant" | "model" | "ai"):
            return {"assistant"}
        case ast.Constant(value="tool" | "function"):
            return {"tool"}
        case ast.Constant():
            return set()
        case ast.Name() | ast.Attribute():
            last = value.attr if isinstance(value, ast.Attribute) else value.id
            if last.lower() in ("user", "assistant"):
                return {last.lower()}
            return {"user", "assistant"} if last == "role" else set()
        case _:
            return set()


def _reach(module: Module, root: Root, uses: tuple[ListUse, ...]) -> Reach | None:
    """What keeps the list from one turn to the next; None where it lives no longer than one task."""
    starts = [use.node for use in uses if use.kind == "start"]
    if is_session(root.key):
        return "session"
    if isinstance(root.owner, ast.ClassDef):
        return "object" if _kept_by_object(module, starts, uses) else None
    loop = _conversation(module, uses)
    if loop is not None:
        within = [node for node in starts if any(one is loop for one in module.above(node))]
        return None if within else "loop"
    if isinstance(root.owner, ast.Module) and not module.notebook:
        return "module" if _grows_by_argument(module, uses) and not _restarted(module, starts) else None
    return None


def _kept_by_object(module: Module, starts: list[ast.AST], uses: tuple[ListUse, ...]) -> bool:
    """The list starts in the constructor only, and a method adds what it is given."""
    makers = {getattr(module.enclosing_function(node), "name", "") for node in starts}
    return bool(starts) and makers <= {"__init__", "__post_init__", ""} and _grows_by_argument(module, uses)


def _grows_by_argument(module: Module, uses: tuple[ListUse, ...]) -> bool:
    """A user message is made of what a function is given, or of what a person types."""
    for use in uses:
        function = module.enclosing_function(use.node)
        if use.kind != "grow" or function is None or function.name == "__init__":
            continue
        given = _parameters(function) - {"self", "cls"}
        for value in use.values:
            if "user" in _sides(module, value):
                names = {node.id for node in ast.walk(value) if isinstance(node, ast.Name)}
                names |= {
                    inner.id
                    for name in names
                    for bound in _bound(module, name, function)
                    for inner in ast.walk(bound)
                    if isinstance(inner, ast.Name)
                }
                if names & given:
                    return True
    return False


def _restarted(module: Module, starts: list[ast.AST]) -> bool:
    return any(module.enclosing_function(node) is not None for node in starts)


def _conversation(module: Module, uses: tuple[ListUse, ...]) -> ast.While | None:
    """The endless loop around the growth of the list in which a person is asked for the next message."""
    for use in uses:
        if use.kind != "grow":
            continue
        for node in module.above(use.node):
            if isinstance(node, ast.While) and _asks(module, node):
                return node
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                break
    return None


def _asks(module: Module, loop: ast.While) -> bool:
    calls = (node for part in (loop.test, *loop.body) for node in ast.walk(part) if isinstance(node, ast.Call))
    return any(
        isinstance(node.func, (ast.Name, ast.Attribute)) and ASKED.search(module.source(node.func)) for node in calls
    )


def _limited(module: Module, root: Root, call: ast.Call) -> bool:
    """Something near the list is named as what keeps it short, or the server does."""
    function = module.enclosing_function(call)
    owner = root.owner
    nodes = [owner, *([function] if function is not None else [])]
    for node in nodes:
        for child in ast.walk(node):
            match child:
                case ast.Name(id=name) | ast.Attribute(attr=name) | ast.keyword(arg=str(name)) | ast.arg(arg=name):
                    pass
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                    pass
                case _:
                    continue
            if LIMITS.fullmatch(name):
                return True
    return False
