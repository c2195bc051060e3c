"""Where in the source of a call the blocks of one of its prompts are written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from promptslim.core.values import Known

if TYPE_CHECKING:
    import ast

    from promptslim.core.call import LlmCall
    from promptslim.core.prompt import Prompt
    from promptslim.edits.calls.source import Source


def request_body(source: Source, node: ast.Call) -> ast.expr | None:
    """The dict that a call of ``invoke_model`` sends as JSON."""
    from promptslim.edits.calls.places import Set, argument, json_body

    body = argument(source, node, ("body",))
    return json_body(source, body.value) if isinstance(body, Set) else None


def written_at(source: Source, owner: ast.expr, call: LlmCall, prompt: Prompt) -> ast.expr | None:
    """The expression that holds the blocks of a prompt: an argument, or the content of a message."""
    import ast

    from promptslim.edits.calls.places import Set, argument, list_display

    match prompt.role:
        case "tools":
            paths = [("toolConfig", "tools"), ("tools",)]
        case "system":
            paths = [("system",)]
        case _:
            found = argument(source, owner, ("messages",))
            messages = list_display(source, found.value) if isinstance(found, Set) else None
            index = _index(call, prompt)
            if messages is None or index is None or index >= len(messages.elts):
                return None
            if any(isinstance(one, ast.Starred) for one in messages.elts[: index + 1]):
                return None
            content = argument(source, messages.elts[index], ("content",))
            return content.value if isinstance(content, Set) else None
    places = [argument(source, owner, path) for path in paths]
    return next((one.value for one in places if isinstance(one, Set)), None)


def _index(call: LlmCall, prompt: Prompt) -> int | None:
    messages = call.messages.only
    if not isinstance(messages, Known):
        return None
    return next((index for index, one in enumerate(messages.value) if one is prompt or one == prompt), None)
