"""Requests that are written out as records of a batch, for a service that answers them later: dicts, or objects of an
SDK made by keywords. What is read of them are the texts with their cache markers, and the model."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Any

from promptslim.core.call import ClientFacts, ControlFacts, LlmCall
from promptslim.core.values import ABSENT, Field, known, unknown
from promptslim.extract.python.abstract import Entry, Record, alternatives
from promptslim.extract.python.bodies import Bodies, BodyReader
from promptslim.extract.python.cache_markers import automatic_point
from promptslim.extract.python.calls import Builder, scope_span
from promptslim.extract.python.lookup import record_of
from promptslim.extract.python.model_id import strings_at
from promptslim.extract.python.signatures import Operation

MOST_RECORDS = 50
CLIENT: Field[Any] = unknown("what sends the batch")


def batch_records(builder: Builder, forms: Sequence[Operation]) -> Iterator[LlmCall]:
    """The records of a module that set cache markers, in text order. ``forms``: operations with a ``batch``."""
    found = [
        (node, operation, value)
        for node in ast.walk(builder.module.tree)
        for operation in forms
        if (value := _request(node, operation.batch)) is not None
    ]
    found.sort(key=lambda one: (one[2].lineno, one[2].col_offset))
    for node, operation, value in found[:MOST_RECORDS]:
        yield from _calls(builder, node, operation, value)


def _request(node: ast.AST, keys: tuple[str, ...]) -> ast.expr | None:
    """What a record has under the second key, None for everything that is no record."""
    match node:
        case ast.Dict():
            named = {k.value: v for k, v in zip(node.keys, node.values, strict=True) if isinstance(k, ast.Constant)}
        case ast.Call():
            named = {keyword.arg: keyword.value for keyword in node.keywords}
        case _:
            return None
    return named.get(keys[1]) if keys[0] in named else None


def _calls(builder: Builder, node: ast.AST, operation: Operation, value: ast.expr) -> Iterator[LlmCall]:
    module, evaluator = builder.module, builder.evaluator
    evaluator.begin()
    frame = evaluator.frame_of(module, value)
    given = evaluator.evaluate(value, frame)
    bodies: Bodies
    if operation.body is not None:
        whole = Record((Entry(operation.batch[1], given),))
        read = BodyReader(evaluator, builder.tables, builder.model_of).read(operation.batch[1], whole, ABSENT, frame)
        bodies = read[0] if read is not None else ()
    else:
        contents = (record_of(evaluator, member, frame) for _, member in alternatives(given))
        bodies = tuple((None, content) for content in contents if content is not None)
    location = module.locate(node)
    scope = module.qualname(node)
    label = f"{module.path}::{scope}:{operation.batch[1]}"
    for body, content in bodies:
        paths = body.arguments if body is not None else operation.arguments
        sent = builder.sent(paths, content, frame, location, label)
        automatic = automatic_point(operation.paths("caching"), content, frame, evaluator, sent.hidden)
        if not sent.points and automatic is None:
            continue
        yield LlmCall(
            id=label,
            sdk=operation.sdk,
            operation=operation.batch[1],
            kind="request",
            callee=operation.batch[1],
            scope=scope,
            scope_span=scope_span(module, module.enclosing_function(node), location),
            location=location,
            primary=module.locate(value),
            model=strings_at(evaluator, operation.paths("model"), content, frame),
            max_tokens=ABSENT,
            cap_keys=(),
            system=sent.system,
            messages=sent.messages,
            tools=sent.tools,
            cache_points=known(sent.points),
            metadata=ABSENT,
            thinking=ABSENT,
            stream=ABSENT,
            client=ClientFacts(None, None, CLIENT, CLIENT, CLIENT),
            control=ControlFacts(),
            opaque=content.open is not None,
            automatic=automatic,
        )
