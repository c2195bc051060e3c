"""The keys under which a call takes its output cap, by SDK and by the family of its model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from promptslim.check.call_models import certain_models, possible_models
from promptslim.check.endpoints import at_openai_endpoint
from promptslim.core.lazy_pattern import pattern
from promptslim.core.values import Known

if TYPE_CHECKING:
    import ast
    from re import Pattern

    from promptslim.check.rule_context import RuleContext
    from promptslim.core.call import LlmCall
    from promptslim.edits.calls.source import Source

OWN_NAME = ("langchain.ChatOpenAI", "langchain.AzureChatOpenAI", "langchain.BaseChatOpenAI")
"""LangChain classes that know OpenAI's own name of the cap in langchain-openai; all of its chat models, the older ones
too, know ``max_tokens``."""

KWARGS_ARE_THE_BODY = ("langchain.Bedrock", "langchain.BedrockChat")
"""Classes of langchain-community, which have no setting for the cap and reject unknown ones."""

TRANSLATES_KWARGS = ("langchain.ChatBedrock", "langchain.BedrockLLM")
"""Classes whose ``model_kwargs`` may hold ``max_tokens`` (langchain-aws 1.9.1; its only place in older ones). Others
have it as a setting of its own, and say so where it stands among the rest."""

POSITIONAL = {"google.generate_content": ("contents",)}
"""Arguments in positions where everything else has to be named."""

SENDS_AS_NAMED = ("openai.chat", "agno.OpenAIChat")
"""Where the cap goes out under the name it is given; other SDKs translate it for the model (agno 3.1.10)."""

_OWN_NAME_ONLY = pattern(r"(?:^|[/.:_-])(?:o[134]|gpt-[56])(?![0-9a-z])")
"""OpenAI models that refuse ``max_tokens`` in Chat Completions, by their names."""

OPENAI_CLIENTS = ("OpenAI", "AsyncOpenAI", "AzureOpenAI", "AsyncAzureOpenAI")


def cap_paths(call: LlmCall, rule: RuleContext, positional: int = 0) -> tuple[str, ...]:
    """The paths of the cap in the arguments of a call, the most usual first; empty for an operation that the tables
    do not hold, or whose positional arguments are not all known."""
    for table in rule.catalog.sdks:
        for operation in table.get("operation", ()):
            if _is(operation, call):
                if positional > len(operation.get("positional", POSITIONAL.get(call.sdk, ()))):
                    return ()
                if call.sdk in POSITIONAL and call.client.location and "_config" in call.client.location.text:
                    return ()  # settings of the model, which those of a call may stand in for or join
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
    if call.sdk in SENDS_AS_NAMED and _refuses_max_tokens(call, rule):
        return ("max_completion_tokens",)
    if call.sdk == "llama_index.OpenAIResponses":
        return ("max_output_tokens",)
    if "max_tokens" not in paths or paths[0] != "max_completion_tokens":
        return paths
    models = certain_models(call, rule, fallbacks=True)
    if models and all(model.reasoning for model in models):
        return paths
    if call.sdk.startswith("langchain."):
        own_name = call.sdk in OWN_NAME and "langchain_openai" in call.location.document.text
    elif call.sdk == "openai.chat":
        own_name = _at_openai(call)
    else:
        own_name = True
    return paths if own_name else ("max_tokens", *(path for path in paths if path != "max_tokens"))


def _refuses_max_tokens(call: LlmCall, rule: RuleContext) -> bool:
    """True where a model that the call may be for takes OpenAI's own name of the cap alone: by the tables, by its
    name, or by the branch that the call stands in."""
    models = certain_models(call, rule, fallbacks=True)
    if any(model.reasoning and model.vendor == "openai" and model.route in ("openai", "azure") for model in models):
        return True
    if any(map(_OWN_NAME_ONLY.search, possible_models(call))):
        return True
    return not possible_models(call) and stands_in_branch(call, _OWN_NAME_ONLY)


def stands_in_branch(call: LlmCall, names: Pattern[str]) -> bool:
    """True inside ``if "o1" in model:`` and the like: the test compares with a text that matches ``names``."""
    import ast

    from promptslim.edits.calls.source import read

    source = read(call.location.document)
    node: ast.AST | None = source.node(call.location, ast.Call) if source is not None else None
    if source is None or node is None:
        return False
    for above in source.above(node):
        if isinstance(above, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            return False
        if isinstance(above, ast.If) and node in above.body and _compares_with(above.test, names):
            return True
        node = above
    return False


def _compares_with(test: ast.expr, names: Pattern[str]) -> bool:
    import ast

    inside = list(ast.walk(test))
    if any(isinstance(one, (ast.Not, ast.NotIn, ast.NotEq)) for one in inside):
        return False
    texts = (one.value for one in inside if isinstance(one, ast.Constant) and isinstance(one.value, str))
    return any(map(names.search, texts))


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


def body_paths(source: Source, body: ast.expr, call: LlmCall, rule: RuleContext) -> tuple[str, ...]:
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
