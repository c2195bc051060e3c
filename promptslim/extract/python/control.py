"""The control flow around a call: loops, retries, request handlers."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Literal

from promptslim.core.call import ControlFacts, Loop, Retry
from promptslim.extract.python.module import Module

ATTEMPT = re.compile(r"attempt|retr|tries|max_iter|backoff", re.IGNORECASE)
TRANSPORT = re.compile(
    r"Throttl|RateLimit|Timeout|ClientError|APIError|Connection|ServiceUnavailable|Overloaded|InternalServer|BotoCore|"
    r"NotReady|APIStatus|botocore|OpenAIError|HTTPError|HTTPStatus|requests\.|Permission|AccessDenied"
)
MALFORMED = re.compile(r"JSONDecode|ValidationError|ParseError|OutputParser|SyntaxError|XMLSyntax|DecodeError|ParsingError|Malformed|InvalidOutput")
PARSERS = re.compile(
    r"(?:^|[._])(?:json\.loads|loads|parse|parse_\w+|\w+_parse|model_validate\w*|validate\w*|literal_eval|fromstring|extract_json\w*|"
    r"validate_json|safe_load|decode_json|parse_raw|extract_\w*json\w*|get_json\w*|from_json)$"
)
HANDLERS = frozenset({"lambda_handler", "handler", "handle_request", "handle"})
ROUTES = re.compile(r"\.(?:get|post|put|patch|delete|route|websocket|on_message|command|event|tool|on_event|message|action|callback)\b")
CONCURRENT = frozenset({"map", "submit", "imap", "imap_unordered", "starmap", "gather", "as_completed", "create_task", "to_thread"})
DATA_FREE = frozenset({"range", "count", "repeat", "cycle"})


def control_facts(module: Module, call: ast.Call) -> ControlFacts:
    """What surrounds a call inside its own function."""
    function = module.enclosing_function(call)
    loop_node = _innermost_loop(module, call)
    loop = _loop(module, loop_node, call) if loop_node is not None else None
    retry = _retry(module, loop_node, call) if loop_node is not None else None
    return ControlFacts(
        loop=loop,
        retry=retry,
        handler=function is not None and _handles_requests(module, function),
        interactive=_interactive(module, loop_node if loop_node is not None else function),
        asynchronous=isinstance(function, ast.AsyncFunctionDef),
    )


LoopNode = ast.For | ast.AsyncFor | ast.While | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


def _innermost_loop(module: Module, call: ast.Call) -> LoopNode | None:
    child: ast.AST = call
    parent = module.parents.get(child)
    while parent is not None and not isinstance(parent, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
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
            attempts = _attempts(module, node)
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
        isinstance(p, ast.Call) and isinstance(p.func, ast.Attribute) and p.func.attr in CONCURRENT for p in _ancestors(module, node)
    )
    return Loop(kind, over[:120], module.place(start, start + len(header)), attempts, carried, concurrent)


def _ancestors(module: Module, node: ast.AST) -> Iterator[ast.AST]:
    parent = module.parents.get(node)
    while parent is not None:
        yield parent
        parent = module.parents.get(parent)


def _attempts(module: Module, node: ast.For | ast.AsyncFor) -> bool:
    """True for a loop that repeats one task: counted, with a way out on success."""
    names = " ".join([module.source(node.target), module.source(node.iter)])
    if ATTEMPT.search(names):
        return True
    iterated = node.iter
    counted = isinstance(iterated, ast.Call) and isinstance(iterated.func, ast.Name) and iterated.func.id == "range"
    if not counted:
        return False
    target = node.target.id if isinstance(node.target, ast.Name) else ""
    used = any(isinstance(n, ast.Name) and n.id == target and isinstance(n.ctx, ast.Load) for s in node.body for n in ast.walk(s))
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
                        for name in _stored(target):
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
                    if isinstance(child, ast.Assign) and child.lineno <= call.lineno and any(name in _stored(t) for t in child.targets):
                        frontier |= {n.id for n in ast.walk(child.value) if isinstance(n, ast.Name)}
            if not any(
                isinstance(n, ast.Name) and n.id == name and n.lineno < fresh[name] for s in node.body for n in ast.walk(s)
            ):
                continue
        if name in changed or (name in fresh and fresh[name] >= call.lineno):
            return True
    return False


def _stored(target: ast.expr) -> set[str]:
    return {n.id for n in ast.walk(target) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def _roots(node: ast.expr) -> set[str]:
    while isinstance(node, (ast.Subscript, ast.Attribute)):
        node = node.value
    return {node.id} if isinstance(node, ast.Name) else set()


def _retry(module: Module, loop: LoopNode, call: ast.Call) -> Retry | None:
    """The way on which a failed answer leads to the same call again."""
    if not isinstance(loop, (ast.For, ast.While, ast.AsyncFor)):
        return None
    repeats = _attempts(module, loop) if isinstance(loop, (ast.For, ast.AsyncFor)) else True
    if not repeats:
        return None
    for node in (n for statement in loop.body for n in ast.walk(statement)):
        if isinstance(node, ast.Try) and _goes_on(node, loop):
            found = _from_try(module, node, call)
            if found is not None:
                return found
    return None


def _goes_on(node: ast.Try, loop: ast.AST) -> bool:
    """True where some handler lets the loop go round again."""
    del loop
    for handler in node.handlers:
        last = handler.body[-1] if handler.body else None
        if not isinstance(last, (ast.Return, ast.Raise, ast.Break)):
            return True
    return False


def _from_try(module: Module, node: ast.Try, call: ast.Call) -> Retry | None:
    """A try block around the call and the parsing of its answer, or around the parsing alone."""
    within = any(child is call for statement in node.body for child in ast.walk(statement))
    after = not within and node.lineno >= call.lineno
    if not within and not after:
        return None
    parse = _parse_after(module, node, call)
    handlers = [h for h in node.handlers if not isinstance(h.body[-1] if h.body else None, (ast.Return, ast.Raise, ast.Break))]
    for handler in handlers:
        caught = module.source(handler.type) if handler.type is not None else ""
        place = module.locate(handler.type) if handler.type is not None else module.locate(handler.body[0])
        if MALFORMED.search(caught) or (re.search(r"\b(?:ValueError|KeyError|TypeError|IndexError)\b", caught) and parse):
            return Retry("malformed", place, caught)
        if TRANSPORT.search(caught):
            continue
        broad = caught in ("", "Exception", "BaseException") or " as " in caught
        if broad and parse is not None:
            return Retry("malformed", place, parse)
        if broad:
            return Retry("unknown", place, caught or "any exception")
    return Retry("transport", module.locate(node.handlers[0]), "transport") if handlers and within else None


def _parse_after(module: Module, node: ast.Try, call: ast.Call) -> str | None:
    """The parsing of the answer inside the try block: it reads what the call returned."""
    answers = _answer_names(module, call)
    for statement in node.body:
        for child in ast.walk(statement):
            if not isinstance(child, ast.Call) or child is call or child.lineno < call.lineno:
                continue
            name = module.source(child.func)
            if not PARSERS.search(name):
                continue
            arguments = (*child.args, *(k.value for k in child.keywords))
            reads = {n.id for a in arguments for n in ast.walk(a) if isinstance(n, ast.Name)}
            if not (reads & answers):
                continue
            # invoke_model answers are JSON themselves: reading the envelope is no check of the output.
            envelope = any(isinstance(n, ast.Attribute) and n.attr == "read" for a in arguments for n in ast.walk(a))
            envelope = envelope or "body" in " ".join(module.source(a) for a in arguments)
            if not envelope:
                return name
    return None


def _answer_names(module: Module, call: ast.Call) -> set[str]:
    """Names that hold the answer of the call or something derived from it."""
    statement: ast.AST = call
    while not isinstance(statement, ast.stmt):
        statement = module.parents[statement]
    names: set[str] = set()
    if isinstance(statement, ast.Assign):
        for target in statement.targets:
            names |= _stored(target)
    block = module.parents.get(statement)
    following = [n for n in ast.walk(block) if isinstance(n, ast.Assign) and n.lineno > call.lineno] if block is not None else []
    for assign in sorted(following, key=lambda n: n.lineno):
        if {n.id for n in ast.walk(assign.value) if isinstance(n, ast.Name)} & names:
            for target in assign.targets:
                names |= _stored(target)
    return names


def _handles_requests(module: Module, function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    if function.name in HANDLERS:
        return True
    return any(ROUTES.search(module.source(decorator)) for decorator in function.decorator_list)


def _interactive(module: Module, node: ast.AST | None) -> bool:
    if node is None:
        return False
    return any(
        isinstance(n, ast.Call) and isinstance(n.func, (ast.Name, ast.Attribute)) and module.source(n.func) in
        ("input", "st.chat_input", "st.text_input", "sys.stdin.readline", "console.input")
        for n in ast.walk(node)
    )
