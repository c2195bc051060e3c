"""The message list that a call sends: whether it grows with every turn of a conversation, and what shortens it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from promptslim.core.call import History, Reach
from promptslim.core.lazy_pattern import pattern
from promptslim.extract.python.abstract import Instance, alternatives
from promptslim.extract.python.evaluate import Evaluator
from promptslim.extract.python.frames import last_name
from promptslim.extract.python.list_uses import ListUse, is_session, key_of, uses_of
from promptslim.extract.python.module import Module
from promptslim.extract.python.sent_lists import (
    Root,
    argument_for,
    bound_to,
    message_arguments,
    parameters_of,
    sent_lists,
    uses_within,
)

LIMITS = pattern(
    r"\w*(?:trim|truncat|compact|prune|sliding|window|max_(?:history|turn|message|round|iter|step)|history_(?:limit|len"
    r"|size)|(?:summari[sz]e|condense|compress|shorten|cut|clean|reset|clear)_(?:chat|history|conversation|message|memory"
    r"|context|old)|(?:count|num)_tokens|token_(?:count|limit|budget)|context_management|keep_last|last_n)\w*",
    re.IGNORECASE,
)
"""Identifiers beside a list that say something keeps it short."""
ASKED = pattern(
    r"(?:^|\.)(?:input|chat_input|ask|prompt|readline|receive_text|receive_json|text_input|multiline_input)$"
)
"""Functions that wait for a person."""
TOOL_RESULT = pattern(r"tool_?result|tool_call_id|function_call_output|\"role\": ?\"(?:tool|function)\"", re.IGNORECASE)
ANSWER = pattern(r"response|completion|answer|result|output|message|reply|res(?:p|ult)?|choice", re.IGNORECASE)
"""Names of what a model said."""
TURNS = pattern(r"(?:turn|round|iteration|step|exchange)s?(?:_count|_number)?$|^(?:n|num|count)_", re.IGNORECASE)
"""Counters that a limit is compared with."""
MEMORIES = ("ConversationBufferMemory", "ChatMessageHistory")
"""LangChain memories without a window."""


def sent_history(module: Module, call: ast.Call, evaluator: Evaluator) -> History | None:
    """The growing list that a call sends whole, None where there is none, or where something keeps it short."""
    remembered = _remembered(module, call, evaluator)
    if remembered is not None or not uses_of(module):
        return remembered
    for argument in message_arguments(module, call):
        roots = sent_lists(module, argument, call, evaluator, 0)
        for root in roots or ():
            history = _history(module, root, call)
            if history is not None:
                return history
    return None


def _remembered(module: Module, call: ast.Call, evaluator: Evaluator) -> History | None:
    """The memory without a window of a chain that runs the model which ``call`` constructs."""
    for memory in (one for name in MEMORIES for one in module.index.calls.get(name, ())):
        for chain in _chains_with(module, memory):
            for keyword in chain.keywords:
                if keyword.arg != "llm":
                    continue
                model = evaluator.evaluate(keyword.value, evaluator.frame_of(module, chain))
                if any(isinstance(one, Instance) and one.call is call for _, one in alternatives(model)):
                    return History(last_name(memory.func), "memory", module.locate(memory.func))
    return None


def _chains_with(module: Module, memory: ast.Call) -> Iterator[ast.Call]:
    """The calls that take a memory object as ``memory=``."""
    parent = module.parents.get(memory)
    name = key_of(parent.targets[0]) if isinstance(parent, ast.Assign) else None
    for calls in module.index.calls.values():
        for chain in calls:
            for keyword in chain.keywords:
                if keyword.arg == "memory" and (
                    keyword.value is memory or (name is not None and key_of(keyword.value) == name)
                ):
                    yield chain


def _history(module: Module, root: Root, call: ast.Call) -> History | None:
    """The history behind a list, None where it does not hold both sides of a conversation over many turns."""
    if root.given is not None:
        shortened = any(use.kind == "bound" for use in uses_of(module).get(root.key, ()))
        return (
            None
            if shortened or _limited(module, root, call)
            else History(root.key, "session", module.locate(root.given))
        )
    uses = (*uses_within(module, uses_of(module).get(root.key, ()), root.key, root.owner), *_by_helpers(module, root))
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
            for parameter in sorted(parameters_of(function)) if inside else ():
                argument = argument_for(call, parameter, function)
                if argument is None or key_of(argument) != root.key:
                    continue
                for use in uses_within(module, uses_of(module).get(parameter, ()), parameter, function):
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
            name = last_name(function)
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
            for bound in bound_to(module, name, module.enclosing_function(value)):
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
        given = parameters_of(function) - {"self", "cls"}
        for value in use.values:
            if "user" in _sides(module, value):
                names = {node.id for node in ast.walk(value) if isinstance(node, ast.Name)}
                names |= {
                    inner.id
                    for name in names
                    for bound in bound_to(module, name, function)
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
                case ast.Compare(left=ast.Name(id=name) | ast.Attribute(attr=name)) if TURNS.search(name):
                    return True
                case _:
                    continue
            if LIMITS.fullmatch(name):
                return True
    return False
