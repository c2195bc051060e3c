"""Fixes of output caps: one more, another number, another key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from promptslim.check.cap_keys import body_paths, cap_paths
from promptslim.check.cap_numbers import suggested
from promptslim.check.cap_values import thinking_budget
from promptslim.core.record import record
from promptslim.core.text import Applicability, Fix
from promptslim.core.values import Absent, Case, Default, Known

if TYPE_CHECKING:
    import ast

    from promptslim.check.rule_context import RuleContext
    from promptslim.core.call import CapKey, LlmCall
    from promptslim.core.text import Location
    from promptslim.edits.calls.change import Change
    from promptslim.edits.calls.places import Gap, Set
    from promptslim.edits.calls.source import Source

NEEDS_A_CLASS = {
    "openai_agents.Agent": ("model_settings", "agents", "ModelSettings", "ModelSettings(max_tokens={})"),
    "google_adk.Agent": (
        "generate_content_config",
        "google.genai",
        "types",
        "types.GenerateContentConfig(max_output_tokens={})",
    ),
}
"""Agents whose settings are an object, which a dict does not stand for: their argument, the module and the name to
import, and the object as it is written."""


def added_cap(call: LlmCall, rule: RuleContext) -> tuple[Fix, ...]:
    """Where the place of the cap is seen: the cap that the prompt's own demand or the page's default gives."""
    from promptslim.edits.calls.change import checked
    from promptslim.edits.calls.source import read

    source = read(call.location.document)
    if source is None:
        return ()
    cap = suggested(call, rule)
    title = f"cap the answer at {cap.tokens:,} tokens ({cap.basis})"
    if not isinstance(call.max_tokens.only, (Absent, Default)):
        edits = checked(source, _in_branches(source, call, rule, str(cap.tokens)))
        return (Fix(title, edits, Applicability.UNSAFE),) if edits is not None else ()
    for place in _places(source, call, rule):
        edits = checked(source, [_filled(source, place, str(cap.tokens))])
        if edits is not None:
            return (Fix(title, edits, Applicability.UNSAFE),)
    edits = checked(source, _with_class(source, call, str(cap.tokens)) or _beside(source, call, str(cap.tokens)))
    return (Fix(title, edits, Applicability.UNSAFE),) if edits is not None else ()


def _beside(source: Source, call: LlmCall, value: str) -> list[Change | None]:
    """The cap beside settings that come from another file or a function, in a new dict at the call."""
    import ast

    from promptslim.edits.calls.places import Set, argument
    from promptslim.edits.calls.replacements import wrap

    node = source.node(call.location, ast.Call)
    if node is None or call.sdk != "boto3.converse":
        return []
    given = argument(source, node, ("inferenceConfig",))
    if not isinstance(given, Set) or given.owner is not node or not isinstance(given.name, ast.keyword):
        return []
    if not isinstance(given.value, (ast.Name, ast.Attribute, ast.Call)):
        return []
    quote = source.quote(node)
    low = source.span(given.name).start + len("inferenceConfig")
    return [wrap(source, given.value, low, source.span(node).end - 1, "{**", f", {quote}maxTokens{quote}: {value}}}")]


def _in_branches(source: Source, call: LlmCall, rule: RuleContext, value: str) -> list[Change | None]:
    """The cap in each of the settings that branches choose from and that have none."""
    import ast

    from promptslim.edits.calls.additions import insert_key
    from promptslim.edits.calls.places import Set, argument, displays

    node = source.node(call.location, ast.Call)
    steps = [tuple(path.split(".")) for path in cap_paths(call, rule, len(node.args))] if node is not None else []
    nested = [path for path in steps if len(path) == 2]
    if node is None or not nested:
        return []
    keys = {path[1] for path in nested}
    given = argument(source, node, nested[0][:1])
    found = displays(source, given.value) if isinstance(given, Set) else None
    bare = [
        one for one in found or () if not any(isinstance(key, ast.Constant) and key.value in keys for key in one.keys)
    ]
    return [insert_key(source, one, nested[0][1], value) for one in bare]


def _with_class(source: Source, call: LlmCall, value: str) -> list[Change | None]:
    """The cap in an object that a call is not given yet, and the import of its class where that is missing."""
    import ast

    from promptslim.edits.calls.additions import insert_keyword
    from promptslim.edits.calls.imports import imported, is_from
    from promptslim.edits.calls.places import Gap, argument

    node = source.node(call.location, ast.Call)
    if node is None:
        return []
    if call.sdk == "strands.Agent":
        return _with_model(source, node, value)
    if call.sdk not in NEEDS_A_CLASS:
        return []
    keyword, module, name, written = NEEDS_A_CLASS[call.sdk]
    found = argument(source, node, (keyword,))
    known = imported(source, node, module, name)
    if known is None or not isinstance(found, Gap) or found.owner is not node:
        return []
    if call.sdk == "openai_agents.Agent" and not is_from(source, node, module):
        return []  # a folder of the project may be called "agents" too
    text = written.format(value).replace(name, known.name, 1)
    added = insert_keyword(source, node, keyword, text)
    return [added] if known.change is None else [known.change, added]


def _with_model(source: Source, node: ast.Call, value: str) -> list[Change | None]:
    """An agent's model id in a model object that has a cap; without an id the object is the one that Strands makes."""
    import ast

    from promptslim.edits.calls.additions import insert_keyword
    from promptslim.edits.calls.imports import imported
    from promptslim.edits.calls.places import Gap, Set, argument, is_text
    from promptslim.edits.calls.replacements import wrap

    found = argument(source, node, ("model",))
    if isinstance(found, Gap) and found.owner is node and not node.args:
        known = imported(source, node, "strands.models", "BedrockModel")
        if known is None:
            return []
        added = insert_keyword(source, node, "model", f"{known.name}(max_tokens={value})")
        return [added] if known.change is None else [known.change, added]
    if not isinstance(found, Set) or not isinstance(found.name, ast.keyword) or found.owner is not node:
        return []
    known = imported(source, node, "strands.models", "BedrockModel")
    if known is None or not is_text(source, found.value):
        return []
    low = source.span(found.name).start + len("model")
    before, after = f"{known.name}(model_id=", f", max_tokens={value})"
    wrapped = wrap(source, found.value, low, source.span(node).end - 1, before, after)
    return [wrapped] if known.change is None else [known.change, wrapped]


def _filled(source: Source, place: Gap | Set, value: str) -> Change | None:
    """Sets what is missing, or None."""
    import ast

    from promptslim.edits.calls.places import Gap
    from promptslim.edits.calls.replacements import replace_value

    if isinstance(place, Gap):
        return place.fill(source, value)
    unset = isinstance(place.value, ast.Constant) and place.value.value is None
    return replace_value(source, place.value, value) if unset else None


def _places(source: Source, call: LlmCall, rule: RuleContext) -> Iterator[Gap | Set]:
    """Where the cap may go, the best place first: into settings that are there, else under the most usual path."""
    import ast

    from promptslim.edits.calls.places import Gap, argument

    node = source.node(call.location, ast.Call)
    if node is None:
        return
    owner: ast.expr | None = node
    if call.sdk == "boto3.invoke_model":
        owner = _body(source, node)
        paths = body_paths(source, owner, call, rule) if owner is not None else ()
    else:
        paths = cap_paths(call, rule, len(node.args))
    if owner is None or not paths:
        return
    steps = [tuple(path.split(".")) for path in paths]
    found = [argument(source, owner, one) for one in steps]
    if any(place is None and len(one) > 1 for place, one in zip(found, steps, strict=True)):
        return
    if found[0] is None and owner is node:
        yield Gap(node, steps[0])
        return
    inside = [
        place
        for place, one in zip(found, steps, strict=True)
        if place is not None and not (isinstance(place, Gap) and place.path == one)
    ]
    if inside:
        yield from inside
    elif found[0] is not None and not (call.sdk in NEEDS_A_CLASS and len(steps[0]) > 1):
        yield found[0]


def _body(source: Source, node: ast.Call) -> ast.expr | None:
    from promptslim.edits.calls.places import Set, argument, json_body

    body = argument(source, node, ("body",))
    return json_body(source, body.value) if isinstance(body, Set) else None


def changed_cap(call: LlmCall, case: Case[int], cap: int, tokens: int, why: str) -> tuple[Fix, ...]:
    """Another number where the cap is written, which may be a constant that other calls share."""
    import ast

    from promptslim.edits.calls.change import checked
    from promptslim.edits.calls.replacements import replace_value
    from promptslim.edits.calls.source import read

    at = case.value.location if isinstance(case.value, Known) else None
    source = read(at.document) if at is not None else None
    budget = thinking_budget(call)
    if at is None or source is None or tokens == cap or (budget is not None and budget >= tokens):
        return ()
    node = source.node(at, ast.Constant)
    if node is None or node.value != cap or isinstance(node.value, bool):
        return ()
    quotes = isinstance(node.value, str)
    value = f"{tokens:_}" if "_" in at.text and tokens >= 10_000 else str(tokens)
    edits = None if quotes else checked(source, [replace_value(source, node, value)])
    if edits is None:
        return ()
    shared = "" if _within(at, call.location) else f", where it is set in line {at.start[0]} of {at.path}"
    verb = "lower" if tokens < cap else "raise"
    return (Fix(f"{verb} the cap to {tokens:,} tokens ({why}){shared}", edits, Applicability.UNSAFE),)


def _within(at: Location, around: Location) -> bool:
    same = (at.path, at.cell) == (around.path, around.cell)
    return same and around.span.start <= at.span.start and at.span.end <= around.span.end


def renamed_cap(key: CapKey, right: tuple[str, ...]) -> tuple[Fix, ...]:
    """The cap under the first of the ``right`` paths that can be written from where it stands."""
    from promptslim.edits.calls.change import checked
    from promptslim.edits.calls.source import read

    source = read(key.location.document)
    written = key.path.removeprefix("body.")
    if source is None:
        return ()
    beside = [path for path in right if path.rpartition(".")[0] == written.rpartition(".")[0]]
    for path in (*beside, *(one for one in right if one not in beside)):
        edits = checked(source, _moved(source, key.location, written, path))
        if edits is not None:
            return (Fix(f"set the cap as `{path}`", edits, Applicability.UNSAFE),)
    return ()


def _moved(source: Source, at: Location, written: str, path: str) -> list[Change | None]:
    """The changes that bring a cap from one path to another, as far as that is a new name, one step further in, or out
    of settings that hold nothing else."""
    import ast

    from promptslim.edits.calls.additions import remove_key, remove_keyword
    from promptslim.edits.calls.change import Change
    from promptslim.edits.calls.places import Gap, argument
    from promptslim.edits.calls.replacements import rename_key, rename_keyword, wrap

    named = _named(source, at)
    if named is None:
        return []
    owner, name, value = named.owner, named.name, named.value
    before, after = written.rpartition("."), path.rpartition(".")
    rename = rename_keyword if isinstance(name, ast.keyword) else rename_key
    if before[0] == after[0]:
        return [rename(source, name, after[2])]  # type: ignore[arg-type]
    if before[0] and "." not in before[0] + after[0]:
        return _lifted(source, named, before[0], after)
    if before[0] or "." in after[0]:
        return []
    found = argument(source, owner, (after[0], after[2]))
    if not isinstance(found, Gap):
        return []
    if found.owner is not owner:
        filled = found.fill(source, source.code(value))
        if isinstance(owner, ast.Dict) and isinstance(name, ast.Constant):
            return [remove_key(source, owner, name), filled]
        if isinstance(owner, ast.Call) and isinstance(name, ast.keyword):
            return [remove_keyword(source, owner, name), filled]
        return []
    quote = source.quote(owner)
    renamed = rename(source, name, after[0])  # type: ignore[arg-type]
    wrapped = wrap(source, value, source.span(name).start, named.end, f"{{{quote}{after[2]}{quote}: ", "}")
    if renamed is None or wrapped is None:
        return []
    if isinstance(name, ast.keyword):
        # The keyword's node holds its value: one new node for both.
        swap = ast.keyword(arg=after[0], value=value)
        return [Change((*renamed.edits, *wrapped.edits), {id(name): swap, **wrapped.swaps})]
    return [renamed, wrapped]


def _lifted(source: Source, named: _Named, parent: str, after: tuple[str, str, str]) -> list[Change | None]:
    """A cap that is alone in its settings, under the name of other settings, or in their place."""
    import ast

    from promptslim.edits.calls.change import Change
    from promptslim.edits.calls.replacements import rename_key

    inner, above = named.owner, next(source.above(named.owner), None)
    if not isinstance(inner, ast.Dict) or len(inner.keys) != 1 or not isinstance(above, ast.Dict):
        return []
    key = next((one for one, value in zip(above.keys, above.values, strict=True) if value is inner), None)
    taken = {one.value for one in above.keys if isinstance(one, ast.Constant)}
    if not isinstance(key, ast.Constant) or key.value != parent or (after[0] or after[2]) in taken:
        return []
    if after[0]:
        return [rename_key(source, key, after[0]), rename_key(source, inner.keys[0], after[2])]  # type: ignore[arg-type]
    span = source.span(inner)
    if "#" in source.text[span.start : span.end]:
        return []
    bare = Change((source.edit(span.start, span.end, source.code(named.value)),), {id(inner): named.value})
    return [rename_key(source, key, after[2]), bare]


@record
class _Named:
    """An argument of a call or dict: its name and value, and where the brackets around it close."""

    owner: ast.Call | ast.Dict
    name: ast.keyword | ast.Constant
    value: ast.expr
    end: int


def _named(source: Source, at: Location) -> _Named | None:
    """The argument whose name stands at a place."""
    import ast

    for node in ast.walk(source.tree):
        match node:
            case ast.Call(keywords=keywords):
                for keyword in keywords:
                    if keyword.arg and source.span(keyword).start == at.span.start and at.text == keyword.arg:
                        return _Named(node, keyword, keyword.value, source.span(node).end - 1)
            case ast.Dict(keys=keys, values=values):
                for key, value in zip(keys, values, strict=True):
                    if isinstance(key, ast.Constant) and source.span(key) == at.span:
                        return _Named(node, key, value, source.span(node).end - 1)
    return None
