"""Fixes of output caps: one more, another number, another key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from promptslim.check.call_models import certain_models, possible_models
from promptslim.check.cap_values import may_think, thinking_budget, waits_for_whole_answer
from promptslim.check.endpoints import at_openai_endpoint
from promptslim.core.lazy_pattern import pattern
from promptslim.core.record import record
from promptslim.core.text import Applicability, Fix
from promptslim.core.values import Absent, Case, Default, Known

if TYPE_CHECKING:
    import ast

    from promptslim.catalog.model_facts import ModelFacts
    from promptslim.check.rule_context import RuleContext
    from promptslim.core.call import CapKey, LlmCall
    from promptslim.core.text import Location
    from promptslim.edits.calls.change import Change
    from promptslim.edits.calls.places import Gap, Set
    from promptslim.edits.calls.source import Source

OWN_NAME = ("langchain.ChatOpenAI", "langchain.AzureChatOpenAI", "langchain.BaseChatOpenAI")
"""LangChain classes that know OpenAI's own name of the cap; all of its chat models know ``max_tokens``."""

KWARGS_ARE_THE_BODY = ("langchain.Bedrock", "langchain.BedrockChat")
"""Classes of langchain-community, which have no setting for the cap and reject unknown ones."""

TRANSLATES_KWARGS = ("langchain.ChatBedrock", "langchain.BedrockLLM")
"""Classes whose ``model_kwargs`` may hold ``max_tokens`` (langchain-aws 1.9.1; its only place in older ones). Others
have it as a setting of its own, and say so where it stands among the rest."""

SENDS_BODIES = ("boto3.invoke_model", *TRANSLATES_KWARGS, *KWARGS_ARE_THE_BODY)

OPENAI_CLIENTS = ("OpenAI", "AsyncOpenAI", "AzureOpenAI", "AsyncAzureOpenAI")

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

MOST_IN_BODY = {"llama": 2048, "titan": 3072}
"""Caps that every model of a family takes in its invoke_model body, which refuses larger ones (AWS user guide,
model-parameters pages of Meta Llama and Titan Text)."""

ROUND_TO = 256

TOKENS_PER_SECOND = 100
"""Assumed, below the speed from which retried-timeout takes a cap for too large."""

_THINKS_BY_NAME = pattern(
    r"thinking|reason|gpt-oss|minimax-m|magistral|nemotron|qwq|(?:^|[/.:_-])(?:r1|o[134]|gpt-[56])(?![0-9a-z])"
    r"|gemini-(?:2\.5-(?:pro|flash(?!-lite))|[3-9])|grok-(?:3-mini|[4-9])|glm-(?:4\.[5-9]|[5-9])|kimi-k3"
)
"""Models that reason before they answer unless they are told not to: a cap needs room for that, and what it does not
need costs nothing."""


@record
class Cap:
    """A number for a cap, and what a reader should know of it."""

    tokens: int
    basis: str


def added_cap(call: LlmCall, rule: RuleContext) -> tuple[Fix, ...]:
    """Where the place of the cap is seen: the cap that the prompt's own demand or the page's default gives."""
    from promptslim.edits.calls.change import checked
    from promptslim.edits.calls.source import read

    if not isinstance(call.max_tokens.only, (Absent, Default)):
        return ()
    source = read(call.location.document)
    if source is None:
        return ()
    cap = _suggested(call, rule)
    title = f"cap the answer at {cap.tokens:,} tokens ({cap.basis})"
    for place in _places(source, call, rule):
        edits = checked(source, [_filled(source, place, str(cap.tokens))])
        if edits is not None:
            return (Fix(title, edits, Applicability.UNSAFE),)
    edits = checked(source, _with_class(source, call, str(cap.tokens)))
    return (Fix(title, edits, Applicability.UNSAFE),) if edits is not None else ()


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
    """An agent's model id in a model object that has a cap."""
    import ast

    from promptslim.edits.calls.imports import imported
    from promptslim.edits.calls.places import Set, argument, is_text
    from promptslim.edits.calls.replacements import wrap

    found = argument(source, node, ("model",))
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
        paths = _body_paths(source, owner, call, rule) if owner is not None else ()
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


def cap_paths(call: LlmCall, rule: RuleContext, positional: int = 0) -> tuple[str, ...]:
    """The paths of the cap in the arguments of a call, the most usual first; empty for an operation that the tables
    do not hold, or whose positional arguments are not all known."""
    for table in rule.catalog.sdks:
        for operation in table.get("operation", ()):
            if _is(operation, call):
                if positional > len(operation.get("positional", ())):
                    return ()
                return _preferred(tuple(operation["arguments"].get("max_tokens", ())), call, rule)
    return ()


def _is(operation: dict[str, Any], call: LlmCall) -> bool:
    name: str = operation["sdk"]
    if not name.endswith(".*"):
        return name == call.sdk
    made = call.sdk.removeprefix(name[:-1])
    return call.sdk.startswith(name[:-1]) and any(
        one.rpartition(":")[2] == made for one in operation.get("constructors", ())
    )


def _preferred(paths: tuple[str, ...], call: LlmCall, rule: RuleContext) -> tuple[str, ...]:
    """The paths that this call takes. ``max_completion_tokens`` is OpenAI's own: servers that speak its protocol
    may know only the older name."""
    if call.sdk == "google.generate_content":
        own = "config." if ".models." in f".{call.callee}" else "generation_config."
        return tuple(path for path in paths if path.startswith(own))
    if call.sdk in KWARGS_ARE_THE_BODY:
        return _legacy(call, rule)
    if call.sdk.startswith("langchain.") and call.sdk not in TRANSLATES_KWARGS:
        paths = tuple(path for path in paths if "." not in path)
    if call.sdk == "agno.OpenAIResponses" or call.sdk == "agno.Gemini":
        return ("max_output_tokens",)
    if call.sdk == "llama_index.OpenAIResponses":
        return ("max_output_tokens",)
    if "max_tokens" not in paths or paths[0] != "max_completion_tokens":
        return paths
    models = certain_models(call, rule, fallbacks=True)
    if models and all(model.reasoning for model in models):
        return paths
    if call.sdk.startswith("langchain."):
        own_name = call.sdk in OWN_NAME
    elif call.sdk == "openai.chat":
        own_name = _at_openai(call)
    else:
        own_name = True
    return paths if own_name else ("max_tokens", *(path for path in paths if path != "max_tokens"))


def _legacy(call: LlmCall, rule: RuleContext) -> tuple[str, ...]:
    """The key of the model's family in ``model_kwargs``, which go into the body, for Titan into its settings."""
    families = {model.body for model in certain_models(call, rule)}
    tables = [one for sdk in rule.catalog.sdks for one in sdk.get("body", ()) if one["family"] in families]
    if len(families) != 1 or len(tables) != 1 or "nova" in families:
        return ()
    completes = call.sdk == "langchain.Bedrock" and "anthropic" in families
    key = "max_tokens_to_sample" if completes else tables[0]["max_tokens"][0]
    return (f"model_kwargs.{key.rpartition('.')[2]}",)


def _at_openai(call: LlmCall) -> bool:
    constructor = (call.client.constructor or "").rpartition(".")[2].rpartition(":")[2]
    if constructor not in OPENAI_CLIENTS or "ChatCompletion" in call.callee:
        return False
    return at_openai_endpoint(call) or ("Azure" in constructor and not isinstance(call.client.base_url.only, Known))


def _body_paths(source: Source, body: ast.expr, call: LlmCall, rule: RuleContext) -> tuple[str, ...]:
    """The cap's paths in the body of the model's family, which the body's own keys tell where no model does."""
    import ast

    from promptslim.edits.calls.places import holder

    found = holder(source, body)
    if found is None or not isinstance(found[0], ast.Dict):
        return ()
    keys = {key.value for key in found[0].keys if isinstance(key, ast.Constant)}
    tables = [one for sdk in rule.catalog.sdks for one in sdk.get("body", ())]
    families = {model.body for model in certain_models(call, rule)}
    if families:
        fitting = [one for one in tables if one["family"] in families]
    else:
        fitting = [one for one in tables if keys & set(one.get("marks", ()))]
    if len(fitting) != 1:
        return ()
    if fitting[0]["family"] == "anthropic" and "prompt" in keys and "messages" not in keys:
        return ("max_tokens_to_sample",)
    return tuple(fitting[0]["max_tokens"])


def _suggested(call: LlmCall, rule: RuleContext) -> Cap:
    """From the length that the prompt demands, else the page's default; with room for thinking, and at most what the
    model can write."""
    from promptslim.check.answer_demands import least_length

    models = certain_models(call, rule, fallbacks=True)
    demand = least_length(call, rule.catalog.phrases)
    default = int(str(rule.options["default-cap"]))
    budget = thinking_budget(call)
    thinks = any(model.thinks for model in models) or may_think(call, ()) or "budget" in call.location.text
    thinks = thinks or any(map(_THINKS_BY_NAME.search, possible_models(call)))
    if budget is not None:
        cap = Cap(budget + default, f"the thinking budget and a default of {default:,}: adjust it to your answers")
    elif thinks:
        tokens, most = int(str(rule.options["default-thinking-cap"])), _most_in_time(call, rule)
        cap = Cap(min(tokens, most or tokens), "a default with room for thinking: adjust it to your answers")
    elif demand is not None and 2 * demand.words > default:
        cap = Cap(rounded(2 * demand.words), f"two tokens for each word of the {demand.form} that the prompt asks for")
    else:
        cap = Cap(default, "a default: adjust it to your longest answer")
    limits = [least_limit(models)]
    if call.sdk in SENDS_BODIES:
        limits += [MOST_IN_BODY.get(model.body or "") for model in models]
    limit = min((one for one in limits if one is not None), default=None)
    if limit is not None and cap.tokens > limit:
        return Cap(limit, "the model's own limit: adjust it")
    context = min((model.context for model in models if model.context is not None), default=None)
    if context is not None and cap.tokens > context // 4:
        return Cap(context // 4, "a quarter of the model's context window, which input shares: adjust it")
    return cap


def _most_in_time(call: LlmCall, rule: RuleContext) -> int | None:
    """What a model writes, at TOKENS_PER_SECOND, before the client of an unstreamed call asks again."""
    if call.sdk not in ("boto3.converse", "boto3.invoke_model") or not waits_for_whole_answer(call):
        return None
    match call.client.read_timeout.only:
        case Absent():
            return int(TOKENS_PER_SECOND * rule.catalog.thresholds["read_timeout_seconds"])
        case Known(value=int() | float() as seconds) if seconds > 0:
            return int(TOKENS_PER_SECOND * seconds)
        case _:
            return None


def rounded(tokens: int) -> int:
    """The next multiple of 256."""
    return -(-tokens // ROUND_TO) * ROUND_TO


def least_limit(models: tuple[ModelFacts, ...]) -> int | None:
    """The smallest output limit of some models, None where none is known."""
    return min((model.max_output for model in models if model.max_output is not None), default=None)


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
    """The changes that bring a cap from one path to another, as far as that is a new name or one step further in."""
    import ast

    from promptslim.edits.calls.additions import remove_key
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
    if before[0] or "." in after[0]:
        return []
    found = argument(source, owner, (after[0], after[2]))
    if not isinstance(found, Gap):
        return []
    if found.owner is not owner:
        if not isinstance(owner, ast.Dict) or not isinstance(name, ast.Constant):
            return []
        return [remove_key(source, owner, name), found.fill(source, source.code(value))]
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
