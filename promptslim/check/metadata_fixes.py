"""The fix that says at each Bedrock call which feature it belongs to."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from promptslim.core.text import Applicability, Edit, Fix

if TYPE_CHECKING:
    from promptslim.core.call import LlmCall
    from promptslim.edits.calls.source import Source

PATHS = {
    "boto3.converse": ("requestMetadata",),
    "boto3.invoke_model": ("requestMetadata",),
    "langchain.ChatBedrockConverse": ("request_metadata",),
    "strands.BedrockModel": ("additional_args", "requestMetadata"),
}
"""Strands (strands-agents 1.62.0) has no setting for it: what stands in ``additional_args`` joins the request."""

SINCE = "1.35.74"
"""boto3 from which Converse takes requestMetadata (service models of botocore 1.35.73 and 1.35.74), and ..."""
SINCE_INVOKE = "1.43.12"
"""... from which InvokeModel does (1.43.11 and 1.43.12); older ones raise ParamValidationError."""

MOST_CHARACTERS = 256
_NOT_ALLOWED = re.compile(r"[^a-zA-Z0-9\s:_@$#=/+,.-]")
"""Of a value (botocore 1.44.5, service model of bedrock-runtime)."""


def labelled(calls: Iterable[LlmCall]) -> tuple[Fix, ...]:
    """One fix that labels every call whose arguments are in sight with its module and function."""
    given = list(calls)
    done: list[LlmCall] = []
    edits: list[Edit] = []
    for call in given:
        found = _label(call)
        if found:
            done.append(call)
            edits += found
    if not done:
        return ()
    since = SINCE_INVOKE if any(call.sdk == "boto3.invoke_model" for call in done) else SINCE
    which = "this call" if len(given) == 1 else f"{len(done)} of {len(given)} calls"
    title = f"label {which} by module and function with requestMetadata (needs boto3 {since} or later)"
    return (Fix(title, tuple(edits), Applicability.UNSAFE),)


def _label(call: LlmCall) -> tuple[Edit, ...]:
    import ast

    from promptslim.edits.calls.change import checked
    from promptslim.edits.calls.places import Gap, argument
    from promptslim.edits.calls.source import read

    source = read(call.location.document)
    node = source.node(call.location, ast.Call) if source is not None else None
    if source is None or node is None:
        return ()
    path = PATHS[call.sdk]
    place = argument(source, node, path) or (Gap(node, path) if len(path) == 1 else None)
    return (checked(source, [place.fill(source, _value(source, node, call))]) or ()) if isinstance(place, Gap) else ()


def _value(source: Source, node: object, call: LlmCall) -> str:
    """InvokeModel takes the map as JSON text, since it is a header of the request."""
    import ast

    assert isinstance(node, ast.Call)  # noqa: S101 (the caller has looked)
    feature = _feature(call)
    if call.sdk == "boto3.invoke_model":
        return f'\'{{"feature": "{feature}"}}\''
    quote = source.quote(node)
    return f"{{{quote}feature{quote}: {quote}{feature}{quote}}}"


def _feature(call: LlmCall) -> str:
    stem = call.location.path.rpartition("/")[2].rpartition(".")[0]
    name = f"{stem}.{call.scope}" if call.scope and call.scope != "<module>" else stem
    return _NOT_ALLOWED.sub("-", name)[:MOST_CHARACTERS]
