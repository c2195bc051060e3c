"""Loops that send the same request again, and what makes them do so."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from promptslim.core.call import Retry, RetrySite
from promptslim.core.lazy_pattern import pattern
from promptslim.extract.python.abstract import Function, alternatives
from promptslim.extract.python.control import counts_attempts, stored_names
from promptslim.extract.python.evaluate import Evaluator
from promptslim.extract.python.module import Module
from promptslim.extract.python.recognise import Recognised
from promptslim.extract.python.scopes import FunctionNode

TRANSPORT = pattern(
    r"Throttl|RateLimit|Timeout|ClientError|APIError|Connection|ServiceUnavailable|Overloaded|InternalServer|BotoCore|"
    r"NotReady|APIStatus|botocore|OpenAIError|HTTPError|HTTPStatus|requests\.|Permission|AccessDenied"
)
MALFORMED = pattern(
    r"JSONDecode|ValidationError|ParseError|OutputParser|SyntaxError|XMLSyntax|DecodeError|ParsingError|Malformed|InvalidOutput"
)
PARSERS = pattern(
    r"(?:^|[._])(?:json\.loads|loads|parse|parse_\w+|\w+_parse|model_validate\w*|validate\w*|literal_eval|fromstring|"
    r"validate_json|safe_load|decode_json|parse_raw|extract_\w*json\w*|get_json\w*|from_json)$"
)
PLAIN_ERRORS = pattern(r"\b(?:ValueError|KeyError|TypeError|IndexError|AssertionError)\b")
LEAVES = (ast.Return, ast.Raise, ast.Break)

Reaches = Callable[[Module, FunctionNode], Recognised | None]
"""The LLM call that a function makes, itself or through functions that it calls."""


def retries(module: Module, evaluator: Evaluator, sites: list[Recognised], reaches: Reaches) -> Iterator[RetrySite]:
    """Every call in a retry loop of the module that sends a request, in text order."""
    direct = {site.node: site for site in sites}
    for loop in sorted(module.index.loops, key=lambda node: (node.lineno, node.col_offset)):
        guards = _guards(loop)
        if not guards or not _repeats(module, loop):
            continue
        for guard in guards:
            for call in _calls(loop, guard):
                cause = _cause(module, guard, call)
                if cause is None or (cause.cause != "malformed" and call not in direct):
                    continue
                site = direct.get(call) or _behind(module, evaluator, call, reaches)
                if site is not None:
                    yield _retry_site(module, call, site, cause, is_direct=call in direct)
    yield from _recursions(module, sites)


def _recursions(module: Module, sites: list[Recognised]) -> Iterator[RetrySite]:
    """Requests whose function calls itself again where the answer does not parse."""
    for site in sites:
        function = module.enclosing_function(site.node)
        if function is None or site.operation.kind != "request":
            continue
        for guard in (node for node in _own(function.body) if isinstance(node, ast.Try)):
            parse = _parse_of_answer(module, guard, site.node)
            for handler in guard.handlers:
                caught = module.source(handler.type) if handler.type is not None else ""
                malformed = MALFORMED.search(caught) or (parse is not None and not TRANSPORT.search(caught))
                if malformed and parse is not None and any(_calls_itself(n, function) for n in _own(handler.body)):
                    retry = Retry("malformed", module.locate(handler.type or handler.body[0]), caught or parse)
                    yield _retry_site(module, site.node, site, retry, is_direct=True)


def _calls_itself(node: ast.AST, function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    if not isinstance(node, ast.Call):
        return False
    called = node.func
    return (called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", None)) == function.name


def _retry_site(module: Module, call: ast.Call, site: Recognised, cause: Retry, *, is_direct: bool) -> RetrySite:
    function = module.enclosing_function(call)
    span = module.span(call.func)
    start = max(span.start, module.text.rfind("\n", span.start, span.end) + 1)
    sdk = site.operation.sdk
    return RetrySite(
        retry=cause,
        callee=" ".join(module.source(call.func).split()),
        scope=module.qualname(call),
        scope_location=module.locate(function) if function is not None else None,
        primary=module.place(start, span.end),
        sdk=None if sdk.endswith("*") else sdk,
        direct=is_direct,
    )


def _repeats(module: Module, loop: ast.For | ast.AsyncFor | ast.While) -> bool:
    """True for a loop that repeats one task until it succeeds."""
    if isinstance(loop, ast.While):
        return any(isinstance(node, (ast.Return, ast.Break)) for node in _own(loop.body))
    return counts_attempts(module, loop)


def _own(statements: list[ast.stmt]) -> Iterator[ast.AST]:
    """The nodes of a loop body that belong to this loop: inner loops and functions are left out."""
    stack: list[ast.AST] = list(reversed(statements))
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, (ast.For, ast.AsyncFor, ast.While, ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            stack.extend(reversed(list(ast.iter_child_nodes(node))))


def _guards(loop: ast.For | ast.AsyncFor | ast.While) -> list[ast.Try]:
    """Try statements of the loop with a handler after which it goes round again."""
    return [node for node in _own(loop.body) if isinstance(node, ast.Try) and any(_goes_on(h) for h in node.handlers)]


def _goes_on(handler: ast.ExceptHandler) -> bool:
    return not (handler.body and isinstance(handler.body[-1], LEAVES))


def _calls(loop: ast.For | ast.AsyncFor | ast.While, guard: ast.Try) -> list[ast.Call]:
    """Calls in the try block, and calls before it in the loop, whose answer it may parse."""
    inside = [node for node in _own(guard.body) if isinstance(node, ast.Call)]
    before = [node for node in _own(loop.body) if isinstance(node, ast.Call) and node.lineno < guard.lineno]
    return [*before, *inside]


def _behind(module: Module, evaluator: Evaluator, call: ast.Call, reaches: Reaches) -> Recognised | None:
    """The LLM call behind a call of a project function."""
    evaluator.begin()
    callee = evaluator.evaluate(call.func, evaluator.frame_of(module, call))
    for _, member in alternatives(callee):
        if isinstance(member, Function):
            site = reaches(member.module, member.node)
            if site is not None:
                return site
    return None


def _cause(module: Module, guard: ast.Try, call: ast.Call) -> Retry | None:
    """Why the loop goes round again after the call: what its handlers catch, and what stands in the try block."""
    within = guard.lineno <= call.lineno
    parse = _parse_of_answer(module, guard, call)
    for handler in guard.handlers:
        caught = module.source(handler.type) if handler.type is not None else ""
        if not _goes_on(handler) or TRANSPORT.search(caught):
            continue
        place = module.locate(handler.type if handler.type is not None else handler.body[0])
        tested = MALFORMED.search(" ".join(module.source(statement) for statement in handler.body if _tests(statement)))
        if MALFORMED.search(caught) and (within or parse):
            return Retry("malformed", place, caught)
        if parse is not None and (PLAIN_ERRORS.search(caught) or caught in ("", "Exception", "BaseException")):
            return Retry("malformed", place, parse)
        if tested is not None and within:
            return Retry("malformed", place, tested[0])
        if within:
            return Retry("unknown", place, caught or "any exception")
    return Retry("transport", module.locate(guard.handlers[0]), "transport") if within else None


def _tests(statement: ast.stmt) -> bool:
    """True for ``if isinstance(error, ...)``: the handler tells kinds of failure apart."""
    return isinstance(statement, ast.If) and any(
        isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id == "isinstance"
        for n in ast.walk(statement)
    )


def _parse_of_answer(module: Module, guard: ast.Try, call: ast.Call) -> str | None:
    """What parses the answer of the call inside the try block."""
    answers = _answer_names(module, call)
    for child in (node for node in _own(guard.body) if isinstance(node, ast.Call)):
        if child is call or child.lineno < call.lineno:
            continue
        name = " ".join(module.source(child.func).split())
        arguments = (*child.args, *(k.value for k in child.keywords))
        reads = {n.id for a in arguments for n in ast.walk(a) if isinstance(n, ast.Name)}
        builds = any(k.arg is None for k in child.keywords) and name.rsplit(".", 1)[-1][:1].isalpha()
        if not reads & answers or not (PARSERS.search(name) or builds):
            continue
        # The answer of invoke_model is itself JSON: reading that envelope is no check of what the model wrote.
        text = " ".join(module.source(a) for a in arguments)
        if ".read(" not in text and "body" not in text.lower():
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
            names |= stored_names(target)
    block = module.parents.get(statement)
    following = (
        [n for n in ast.walk(block) if isinstance(n, ast.Assign) and n.lineno > call.lineno]
        if block is not None
        else []
    )
    for assign in sorted(following, key=lambda n: n.lineno):
        if {n.id for n in ast.walk(assign.value) if isinstance(n, ast.Name)} & names:
            for target in assign.targets:
                names |= stored_names(target)
    return names
