"""Which calls of a module are calls to a language model, decided by origin, then by shape."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from promptslim.core.record import record
from promptslim.extract.python.abstract import (
    Class,
    Configured,
    External,
    Function,
    Instance,
    Member,
    Object,
    Opaque,
    ProjectModule,
    Text,
    Union,
    Value,
    alternatives,
)
from promptslim.extract.python.classes import external_bases
from promptslim.extract.python.dotted import named
from promptslim.extract.python.evaluate import Evaluator
from promptslim.extract.python.frames import Frame, is_real
from promptslim.extract.python.module import Module
from promptslim.extract.python.signatures import Client, Operation, Signatures

TRANSPARENT = frozenset({"with_raw_response", "with_streaming_response", "beta", "with_options", "copy", "aio"})
"""Steps of a call chain that hand on the same methods."""


@record
class Recognised:
    """A call site: which operation it is, and the client or constructor behind it as far as it is visible."""

    node: ast.Call
    frame: Frame
    operation: Operation
    name: str
    client: Client | None
    instance: Instance | None


def recognised(module: Module, evaluator: Evaluator, tables: Signatures) -> Iterator[Recognised]:
    """Every LLM call of a module, in text order."""
    found: list[Recognised] = []
    for tail, nodes in module.index.calls.items():
        known = tail in tables.tails or tail in tables.called
        if not known and (tail in _FEW or not _aliased(module, tail)):
            continue
        for node in nodes:
            hit = None
            if tail in tables.tails and isinstance(node.func, ast.Attribute):
                hit = _method(node, node.func, module, evaluator, tables)
            if hit is None:
                hit = _direct(node, tail, module, evaluator, tables)
            if hit is not None:
                found.append(hit)
    yield from sorted(found, key=lambda hit: (hit.node.lineno, hit.node.col_offset))


def _chain(function: ast.Attribute) -> list[str]:
    """The names of an attribute chain, transparent steps left out."""
    names = [function.attr]
    node: ast.expr = function.value
    while True:
        if isinstance(node, ast.Attribute):
            if node.attr not in TRANSPARENT:
                names.append(node.attr)
            node = node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in TRANSPARENT:
            node = node.func.value
        else:
            break
    return names[::-1]


def _method(
    node: ast.Call, function: ast.Attribute, module: Module, evaluator: Evaluator, tables: Signatures
) -> Recognised | None:
    evaluator.begin()
    names = _chain(function)
    frame = evaluator.frame_of(module, node)
    candidates = sorted(
        ((op, path) for op in tables.tails[function.attr] for path in op.methods if names[-len(path) :] == list(path)),
        key=lambda item: (item[0].only_known_client, -len(item[1])),
    )
    for operation, path in candidates:
        hit = _method_of(node, function, operation, path, frame, evaluator, tables)
        if hit is not None:
            return hit
    return None


def _method_of(
    node: ast.Call,
    function: ast.Attribute,
    operation: Operation,
    path: tuple[str, ...],
    frame: Frame,
    evaluator: Evaluator,
    tables: Signatures,
) -> Recognised | None:
    receiver = _receiver(function, len(path))
    if receiver is None:
        return None
    value = evaluator.evaluate(receiver, frame)
    clients = [tables.clients[name] for name in operation.clients if name in tables.clients]
    verdict: bool | None = None
    for _, member in alternatives(value):
        match = _client_of(member, clients, evaluator, tables)
        if match is not None:
            client, instance = match
            return Recognised(node, frame, operation, function.attr, client, instance)
        if _is_other(member, evaluator):
            verdict = False
        elif verdict is None:
            verdict = True
    if verdict is False or operation.only_known_client:
        return None
    return Recognised(node, frame, operation, function.attr, None, None) if _shaped(node, operation, frame) else None


def _receiver(function: ast.Attribute, steps: int) -> ast.expr | None:
    """The expression that the method path starts from."""
    node: ast.expr = function
    taken = 0
    while taken < steps:
        if isinstance(node, ast.Attribute):
            taken += node.attr not in TRANSPARENT
            node = node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in TRANSPARENT:
            node = node.func.value
        else:
            return None
    while True:
        if isinstance(node, ast.Attribute) and node.attr in TRANSPARENT:
            node = node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in TRANSPARENT:
            node = node.func.value
        else:
            return node


def _client_of(
    value: Value, clients: list[Client], evaluator: Evaluator, tables: Signatures, depth: int = 0
) -> tuple[Client, Instance | None] | None:
    """The client that a receiver is, with its constructor call where that is visible."""
    match value:
        case Instance():
            made = next((client for client in clients if _makes(value, client, evaluator)), None)
            return (made, value) if made is not None else _wrapped(value, clients, evaluator, tables, depth)
        case External(name=name):
            for client in clients:
                if name in client.modules:
                    return client, None
            return None
        case Object(type=owner):
            for base in external_bases(evaluator, owner):
                for client in clients:
                    if named(base, client.constructors):
                        return client, None
            return None
        case _:
            return None


def _makes(value: Instance, client: Client, evaluator: Evaluator) -> bool:
    """True where a constructor or factory call gives this client."""
    if named(value.name, client.constructors):
        return True
    factory = named(value.name, client.factories) or value.name.rsplit(".", 1)[-1] in client.methods
    return factory and _serves(value, client, evaluator)


def _wrapped(
    value: Instance, clients: list[Client], evaluator: Evaluator, tables: Signatures, depth: int
) -> tuple[Client, Instance | None] | None:
    """The client that a wrapper such as ``instructor.patch`` was given as its first argument."""
    wrapper = tables.clients.get("instructor")
    if wrapper is None or depth > 3 or not value.call.args:
        return None
    if not named(value.name, wrapper.factories) and "wrap" not in value.name.rsplit(".", 1)[-1]:
        return None
    for _, member in alternatives(evaluator.evaluate(value.call.args[0], value.frame)):
        found = _client_of(member, clients, evaluator, tables, depth + 1)
        if found is not None:
            return found[0], value
    return None


def _serves(instance: Instance, client: Client, evaluator: Evaluator) -> bool:
    """True where a factory makes this client: ``boto3.client("bedrock-runtime")``."""
    if client.argument is None:
        return True
    call = instance.call
    if not is_real(call):
        return False
    given = next((k.value for k in call.keywords if k.arg == client.argument), call.args[0] if call.args else None)
    if given is None:
        return False
    for _, value in alternatives(evaluator.evaluate(given, instance.frame)):
        if isinstance(value, Text) and value.exact in client.values:
            return True
    return False


def _is_other(value: Value, evaluator: Evaluator) -> bool:
    """True where the receiver is known to be something else."""
    match value:
        case Instance(name=name, call=call):
            return is_real(call) or not name.startswith(("boto3", "botocore", "mypy_boto3", "types_", "typing"))
        case Object(type=owner):
            return not external_bases(evaluator, owner)
        case Class() | Function() | ProjectModule():
            return True
        case External(name=name):
            return not name.startswith("builtins.")
        case Opaque() | Configured() | Member() | Union():
            return False
        case _:
            return True


def _shaped(node: ast.Call, operation: Operation, frame: Frame) -> bool:
    """Where the receiver is not visible: the keywords have to say which API it is."""
    given = {keyword.arg for keyword in node.keywords if keyword.arg is not None}
    if given & operation.not_keywords and not {"model", "modelId"} & given:
        return False
    hinted = not operation.hints or any(hint in frame.module.text for hint in operation.hints)
    if given & operation.keywords:
        return hinted
    return hinted and any(keyword.arg is None for keyword in node.keywords)


def _direct(node: ast.Call, tail: str, module: Module, evaluator: Evaluator, tables: Signatures) -> Recognised | None:
    """A function or constructor that is the operation itself."""
    candidates = tables.called.get(tail, ())
    if not candidates:
        if not isinstance(node.func, ast.Name) or not _aliased(module, tail):
            return None
        candidates = tables.operations
    evaluator.begin()
    frame = evaluator.frame_of(module, node)
    callee = evaluator.evaluate(node.func, frame)
    given = {keyword.arg for keyword in node.keywords}
    for _, member in alternatives(callee):
        for operation in candidates:
            if operation.requires_any and not (node.args or None in given or given & operation.requires_any):
                continue  # a class of the same name from a package of the same name
            if isinstance(member, External) and named(member.name, operation.functions + operation.constructors):
                return Recognised(node, frame, operation, tail, None, Instance(member.name, node, frame))
            if isinstance(member, Class) and any(
                named(base, operation.constructors) for base in external_bases(evaluator, member)
            ):
                return Recognised(node, frame, operation, tail, None, None)
            if isinstance(member, Function) and _is_wrapper(member, operation):
                return Recognised(node, frame, operation, tail, None, None)
            if isinstance(member, Opaque) and operation.names and module.source(node.func) in operation.names:
                return Recognised(node, frame, operation, tail, None, None)
    return None


_FEW = frozenset({"print", "len", "str", "int", "dict", "list", "range", "isinstance", "open", "super"})


def _aliased(module: Module, name: str) -> bool:
    """True where a name is an import under another name."""
    scope = module.scope(module.tree)
    state = scope.final.get(name)
    node = getattr(state, "node", None)
    if isinstance(node, ast.alias):
        return node.asname == name
    if isinstance(node, ast.ImportFrom):
        return any(alias.asname == name for alias in node.names)
    return False


def _is_wrapper(function: Function, operation: Operation) -> bool:
    """True where a project function is one that the user's configuration names."""
    module_name = function.module.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    qualname = function.module.qualname(function.node)
    return any(
        f"{module_name}.{qualname}" == name or f"{module_name}.{qualname}".endswith("." + name)
        for name in operation.names
    )
