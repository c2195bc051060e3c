"""The models of a suite: ``model`` and ``parameters``, or promptfoo's providers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from promptslim.config.error import suggestion
from promptslim.extract.files.data import DataMap, DataNode, DataText
from promptslim.verify.request import ELSEWHERE
from promptslim.verify.request import PARAMETERS as SENT
from promptslim.verify.suite import Model
from promptslim.verify.suite_files import DATA, FILE, PROGRAMS, SuiteFiles
from promptslim.verify.suite_nodes import error, known, listed, mapping, one_text, texts

PROVIDER_KEYS = ("config", "id", "label")
_PASSED_OVER = "delay env inputs callApi"
_FOREIGN = {
    "prompts": "every prompt is sent to one model; leave it out",
    "transform": "answers are graded as they come; leave it out",
}
PARAMETERS = {
    "maxTokens": "max_tokens",
    "maxOutputTokens": "max_tokens",
    "max_completion_tokens": "max_tokens",
    "max_gen_len": "max_tokens",
    "max_new_tokens": "max_tokens",
    "max_output_tokens": "max_tokens",
    "maxGenLen": "max_tokens",
    "stop": "stop_sequences",
    "stopSequences": "stop_sequences",
    "topP": "top_p",
}
_NESTED = ("generationConfig", "inferenceConfig", "interfaceConfig")
_CONNECTION = (
    "accessKeyId apiBaseUrl apiHost apiKey apiKeyEnvar apiVersion cost endpoint headers maxRetries organization "
    "profile projectId region secretAccessKey sessionToken timeout timeoutMs"
)
_OF_THE_CODE = ("functions", "function_call", "response_format", "toolConfig", "tool_choice", "tools")
_KINDS = ("chat:", "completion:", "converse:", "messages:", "responses:", "text-generation:")
_OPENAI_LIKE = (
    "azure azureopenai cerebras deepseek fireworks github groq litellm lmstudio localai mistral nvidia ollama "
    "openai openrouter perplexity together vllm xai"
)
_OTHERS = "ai21 anthropic cloudflare-ai cohere databricks google huggingface palm replicate sagemaker vertex watsonx"
_NO_MODEL = ("browser", "echo", "exec", "golang", "http", "mcp", "package", "promptfoo", "python", "webhook", "ws")


def models_of(top: DataMap, files: SuiteFiles) -> tuple[Model, ...]:
    """The models in order; the first is run where none is chosen. Raises SuiteError."""
    shared = parameters_of(top)
    found = [Model(name, parameters=shared) for name in texts(top, "model")]
    for key in ("providers", "targets"):
        for one in listed(top.get(key)):
            first = not found
            found += _provided(one, shared, files)
            if first and found:
                _check_parameters(found[0], one)
    distinct = list(dict.fromkeys(one.id for one in found))
    if len(distinct) > 1:
        files.note(f"the suite names {len(distinct)} models: {distinct[0]} is taken where --model chooses no other")
    return tuple(found)


def parameters_of(top: DataMap) -> Mapping[str, Any]:
    """The parameters that the suite gives every model. Raises SuiteError for one that no request has."""
    written = top.get("parameters")
    named = {PARAMETERS.get(name, name): value for name, value in mapping(top, "parameters").items()}
    for entry in written.entries if isinstance(written, DataMap) else ():
        name = str(entry.key)
        if PARAMETERS.get(name, name) not in (*SENT, *ELSEWHERE):
            hint = suggestion(name, (*SENT, *PARAMETERS), "known are " + ", ".join(SENT))
            raise error(entry.value, f"unknown parameter {name!r}; {hint}")
    return named


def named_model(written: str, config: Mapping[str, Any]) -> Model:
    """A provider in promptfoo's words, ``bedrock:[converse:]MODEL`` or ``openai:[chat:]MODEL`` and the like, or the id
    of a model alone. The route is what calls it: a backend, or the name of a provider that none calls."""
    provider, mark, rest = written.partition(":")
    parameters = _parameters(config)
    if not mark or provider not in ("bedrock", *_OPENAI_LIKE.split(), *_OTHERS.split()):
        return Model(written, "converse", parameters)
    name = rest
    for kind in _KINDS:
        name = name.removeprefix(kind)
    if provider == "bedrock":
        arn = name.find(":arn:")
        name = name[arn + 1 :] if arn > 0 else name
        return Model(name, "converse" if rest.startswith("converse:") else "invoke_model", parameters)
    return Model(name, "openai" if provider in _OPENAI_LIKE.split() else provider, parameters)


def _provided(node: DataNode, shared: Mapping[str, Any], files: SuiteFiles) -> Iterator[Model]:
    match node:
        case DataText(text=text):
            yield from _of_text(text, shared, node, files)
        case DataMap(entries=(entry,)) if ":" in str(entry.key) and isinstance(entry.value, DataMap):
            # promptfoo's {"openai:gpt-4o": {config: ...}}
            files.passed_over(known(entry.value, PROVIDER_KEYS, "a provider", _FOREIGN, _PASSED_OVER))
            yield from _of_text(str(entry.key), {**shared, **mapping(entry.value, "config")}, node, files)
        case DataMap():
            files.passed_over(known(node, PROVIDER_KEYS, "a provider", _FOREIGN, _PASSED_OVER))
            name = one_text(node, "id", "a provider needs an id")
            yield from _of_text(name, {**shared, **mapping(node, "config")}, node, files)
        case _:
            raise error(node, "a provider is a text or a mapping with id and config")


def _of_text(text: str, config: Mapping[str, Any], at: DataNode, files: SuiteFiles) -> Iterator[Model]:
    if text.startswith(FILE) and text.endswith(DATA):
        for one in listed(files.tree(text, at)):
            yield from _provided(one, config, files)
    elif text.partition(":")[0].removesuffix("s") in _NO_MODEL or text.startswith(FILE) or text.endswith(PROGRAMS):
        files.note(f"the provider {text} is a program or an address, and not run: name a model, or give --model")
    elif "{{" in text:
        raise error(at, f"the provider {text!r} is filled from the environment: name the model, so that a proof can")
    else:
        model = named_model(text, config)
        gone = sorted(set(_CONNECTION.split()) & set(config) - {"region"})
        if gone:
            files.note(f"{', '.join(gone)} of {model.id}: where and how to call is said on the command line")
        yield model


def _check_parameters(model: Model, at: DataNode) -> None:
    for name in model.parameters:
        if name in _OF_THE_CODE:
            raise error(at, f"{name} of {model.id}: tools and schemas are those of the code that sends the prompt")
        if name not in (*SENT, *ELSEWHERE):
            hint = suggestion(name, (*SENT, *PARAMETERS), "known are " + ", ".join(SENT))
            raise error(at, f"unknown parameter {name!r} of {model.id}; {hint}")


def _parameters(config: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in config.items():
        if name in _NESTED and isinstance(value, dict):
            flat |= value
        elif name not in _CONNECTION.split() or name == "region":
            flat[name] = value
    return {PARAMETERS.get(name, name): value for name, value in flat.items()}
