"""Fixes that mark the end of a stable prefix for the prompt cache, where the blocks of the request are written out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from promptslim.check.stable_prefix import CacheTerms, StablePrefix, complete_blocks
from promptslim.check.written_blocks import request_body, written_at
from promptslim.core.text import Applicability, Fix
from promptslim.core.values import Absent

if TYPE_CHECKING:
    import ast

    from promptslim.check.rule_context import RuleContext
    from promptslim.core.call import LlmCall
    from promptslim.core.prompt import Prompt
    from promptslim.core.text import Edit
    from promptslim.edits.calls.change import Change
    from promptslim.edits.calls.source import Source

POINT = "{{{q}cachePoint{q}: {{{q}type{q}: {q}default{q}}}}}"
CONTROL = "{{{q}type{q}: {q}ephemeral{q}}}"
DEFAULT = "{{{q}type{q}: {q}default{q}}}"
INJECTION = "[{{{q}location{q}: {q}message{q}, {q}role{q}: {q}system{q}}}]"

BEDROCK_MIDDLEWARE = ("langchain_aws.middleware", "BedrockPromptCachingMiddleware")
ANTHROPIC_MIDDLEWARE = ("langchain_anthropic.middleware", "AnthropicPromptCachingMiddleware")
MIDDLEWARE = {
    "ChatAnthropic": ANTHROPIC_MIDDLEWARE,
    "anthropic": ANTHROPIC_MIDDLEWARE,
    "ChatBedrock": BEDROCK_MIDDLEWARE,
    "ChatBedrockConverse": BEDROCK_MIDDLEWARE,
    "bedrock": BEDROCK_MIDDLEWARE,
    "bedrock_converse": BEDROCK_MIDDLEWARE,
}
"""Module and class by the class of the chat model, or by the provider that its name begins with."""

NEEDS = {
    "strands.Agent": "strands-agents 1.15",
    BEDROCK_MIDDLEWARE[1]: "langchain-aws 1.4",
    ANTHROPIC_MIDDLEWARE[1]: "langchain-anthropic 1.0",
}
"""The first version of a package that takes the marker (its wheels on PyPI)."""

FIELDS = {"tools": "tools", "system": "system prompt"}


def added_marker(call: LlmCall, rule: RuleContext, terms: CacheTerms, prefix: StablePrefix) -> tuple[Fix, ...]:
    """A marker behind the last whole block of the prefix, if what it covers is long enough to be cached."""
    from promptslim.edits.calls.source import read

    source = read(call.location.document)
    if source is None or len(call.messages.cases) > 1 or len(call.system.cases) > 1:
        return ()
    for index in range(len(prefix.prompts) - 1, -1, -1):
        prompt = prefix.prompts[index]
        blocks = complete_blocks(call, prompt)
        covered = "\n".join(one.static_text for one in prefix.prompts[: index + 1])
        if blocks == 0 or (index + 1 < len(prefix.prompts) and not rule.over(covered, terms.model, terms.possible)):
            continue
        found = _marked(source, call, prompt, blocks, terms)
        if found is not None:
            where = FIELDS.get(prompt.role, "fixed part of the message")
            new = "".join(edit.text for edit in found)
            needs = next((version for name, version in NEEDS.items() if name == call.sdk or name in new), "")
            note = f" (needs {needs} or later)" if needs else ""
            return (Fix(f"mark the end of the {where} for the cache{note}", found, Applicability.UNSAFE),)
        return ()
    return ()


def automatic_caching(call: LlmCall) -> tuple[Fix, ...]:
    """Anthropic's own API marks the growing conversation by itself where the request asks for it (since 2026-02);
    whether the installed package knows the argument is not to be seen here."""
    import ast

    from promptslim.edits.calls.additions import insert_keyword
    from promptslim.edits.calls.change import checked
    from promptslim.edits.calls.source import read

    constructor = (call.client.constructor or "").rpartition(".")[2].rpartition(":")[2]
    at_anthropic = isinstance(call.client.base_url.only, Absent) or call.client.base_url.only is None
    source = read(call.location.document)
    if call.sdk != "anthropic.messages" or constructor not in ("Anthropic", "AsyncAnthropic") or not at_anthropic:
        return ()
    node = source.node(call.location, ast.Call) if source is not None else None
    if source is None or node is None:
        return ()
    value = CONTROL.format(q=source.quote(node))
    edits = checked(source, [insert_keyword(source, node, "cache_control", value)])
    title = (
        "let Anthropic's API cache the conversation (`cache_control` of the request, since 2026-02; needs a package "
    )
    return (Fix(f"{title}that knows it)", edits, Applicability.DISPLAY),) if edits is not None else ()


def _marked(source: Source, call: LlmCall, prompt: Prompt, blocks: int, terms: CacheTerms) -> tuple[Edit, ...] | None:
    """The edits for the SDK of a call; None where its blocks are not written out here."""
    import ast

    from promptslim.edits.calls.additions import insert_keyword
    from promptslim.edits.calls.change import checked

    node = source.node(call.location, ast.Call)
    if node is None:
        return None
    quote = source.quote(node)
    match call.sdk:
        case "boto3.converse":
            return checked(source, [_point(source, node, call, prompt, blocks)])
        case "anthropic.messages":
            return checked(source, [_in_block(source, node, call, prompt, blocks, "cache_control", CONTROL)])
        case "boto3.invoke_model":
            body = request_body(source, node)
            amazon = terms.model is not None and terms.model.vendor == "amazon"
            key, value = ("cachePoint", DEFAULT) if amazon else ("cache_control", CONTROL)
            return checked(source, [_in_block(source, body, call, prompt, blocks, key, value)]) if body else None
        case "litellm.completion" if prompt.role == "system":
            value = INJECTION.format(q=quote)
            return checked(source, [insert_keyword(source, node, "cache_control_injection_points", value)])
        case "strands.Agent" if prompt.role == "system":
            return checked(source, [_behind_system_prompt(source, node, prompt)])
        case "langchain.create_agent" if call.callee.rpartition(".")[2] == "create_agent":
            return checked(source, _middleware(source, node))
        case "pydantic_ai.Agent" if prompt.role == "system":
            return checked(source, [_setting(source, node)])
        case _:
            return None


def _point(source: Source, node: ast.expr, call: LlmCall, prompt: Prompt, blocks: int) -> Change | None:
    """A block of its own behind the stable ones."""
    from promptslim.edits.calls.additions import insert_item
    from promptslim.edits.calls.places import list_display

    at = written_at(source, node, call, prompt)
    if at is None:
        return None
    display = list_display(source, at)
    if display is None or len(display.elts) < blocks or any(_starred(one) for one in display.elts):
        return None
    place = len(display.elts) if prompt.role == "tools" else blocks
    return insert_item(source, display, place, POINT.format(q=source.quote(display)))


def _in_block(
    source: Source, node: ast.expr, call: LlmCall, prompt: Prompt, blocks: int, key: str, template: str
) -> Change | None:
    """A key in the last stable block; a text that is no list becomes a list with one block."""
    import ast

    from promptslim.edits.calls.additions import insert_key
    from promptslim.edits.calls.places import is_text, list_display
    from promptslim.edits.calls.replacements import wrap

    at = written_at(source, node, call, prompt)
    if at is None:
        return None
    quote = source.quote(at)
    display = list_display(source, at)
    if display is not None:
        last = len(display.elts) if prompt.role == "tools" else blocks
        if not 0 < last <= len(display.elts) or any(_starred(one) for one in display.elts):
            return None
        block = display.elts[last - 1]
        return insert_key(source, block, key, template.format(q=quote)) if isinstance(block, ast.Dict) else None
    if key != "cache_control" or prompt.role == "tools" or blocks != 1 or not is_text(source, at, prompt.location):
        return None
    above = next(source.above(at), None)
    if not isinstance(above, (ast.keyword, ast.Dict, ast.Assign)):
        return None
    low = _before(source, above, at)
    before = f"[{{{quote}type{quote}: {quote}text{quote}, {quote}text{quote}: "
    after = f", {quote}{key}{quote}: {template.format(q=quote)}}}]"
    return wrap(source, at, low, len(source.text), before, after)


def _before(source: Source, above: ast.AST, node: ast.expr) -> int:
    """Just behind what stands before a value: the name of a keyword, the key of a dict, the target."""
    import ast

    match above:
        case ast.Dict(keys=keys, values=values):
            key = next(key for key, value in zip(keys, values, strict=True) if value is node)
            return source.span(key).end if key is not None else source.span(node).start
        case ast.keyword(arg=str(name)):
            return source.span(above).start + len(name)
        case ast.Assign(targets=targets):
            return source.span(targets[-1]).end
        case _:
            return source.span(node).start


def _starred(node: ast.expr) -> bool:
    import ast

    return isinstance(node, ast.Starred)


def _behind_system_prompt(source: Source, node: ast.Call, prompt: Prompt) -> Change | None:
    """A cache point behind the system prompt of an agent whose model is one of Bedrock: it caches the tools, which
    stand before the prompt, too."""
    import ast

    from promptslim.edits.calls.additions import insert_item
    from promptslim.edits.calls.places import Set, argument, binding, is_text, list_display
    from promptslim.edits.calls.replacements import wrap

    model, given = argument(source, node, ("model",)), argument(source, node, ("system_prompt",))
    if model is None or not isinstance(given, Set) or not isinstance(given.name, ast.keyword):
        return None
    value = model.value if isinstance(model, Set) else None
    if isinstance(value, (ast.Name, ast.Attribute)):
        value = binding(source, value) or value
    if isinstance(value, ast.Call) and _class_name(value) != "BedrockModel":
        return None
    if value is not None and not isinstance(value, ast.Call) and not is_text(source, value):
        return None
    quote = source.quote(node)
    point = POINT.format(q=quote)
    display = list_display(source, given.value)
    if display is not None:
        return None if any(map(_starred, display.elts)) else insert_item(source, display, len(display.elts), point)
    if not is_text(source, given.value, prompt.location):
        return None
    low = source.span(given.name).start + len("system_prompt")
    return wrap(source, given.value, low, source.span(node).end - 1, f"[{{{quote}text{quote}: ", f"}}, {point}]")


def _class_name(value: ast.Call) -> str:
    import ast

    return value.func.attr if isinstance(value.func, ast.Attribute) else getattr(value.func, "id", "")


def _middleware(source: Source, node: ast.Call) -> list[Change | None]:
    """The middleware of the model's package, and its import."""
    import ast

    from promptslim.edits.calls.additions import insert_keyword
    from promptslim.edits.calls.imports import imported
    from promptslim.edits.calls.places import Gap, Set, argument, binding

    given = argument(source, node, ("model",))
    value = given.value if isinstance(given, Set) else next(iter(node.args), None)
    if isinstance(value, (ast.Name, ast.Attribute)):
        value = binding(source, value)
    kind = _class_name(value) if isinstance(value, ast.Call) else ""
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        kind = value.value.partition(":")[0]
    place = MIDDLEWARE.get(kind)
    if place is None or not isinstance(argument(source, node, ("middleware",)), Gap):
        return []
    known = imported(source, node, *place)
    if known is None:
        return []
    added = insert_keyword(source, node, "middleware", f"[{known.name}()]")
    return [added] if known.change is None else [known.change, added]


def _setting(source: Source, node: ast.Call) -> Change | None:
    """The cache setting of the provider that the model's name begins with."""
    import ast

    from promptslim.edits.calls.places import Gap, argument

    names = list(_strings(node))
    providers = [one for one in ("bedrock", "anthropic") if any(name.startswith(f"{one}:") for name in names)]
    if len(providers) != 1:
        return None
    found = argument(source, node, ("model_settings", f"{providers[0]}_cache_instructions"))
    if not isinstance(found, Gap) or (isinstance(found.owner, ast.Call) and found.owner is not node):
        return None
    return found.fill(source, "True")


def _strings(node: ast.Call) -> Iterator[str]:
    import ast

    for value in (*node.args[:1], *(one.value for one in node.keywords if one.arg == "model")):
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield value.value
