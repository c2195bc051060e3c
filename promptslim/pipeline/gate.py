"""Which files are worth reading: the words of the SDK tables as a byte prefilter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from promptslim.discover.prefilter import Prefilter

OTHER_LANGUAGES = (
    b"@ai-sdk",
    b"@google/genai",
    b"anthropic",
    b"bedrock-runtime",
    b"bedrockruntime",
    b"generative-ai",
    b"langchain",
    b"litellm",
    b"openai",
)
"""Names of packages for language models in languages that are not read."""

_OWN_COMMENT = b"promptslim:"
_USAGE = (b"inputTokens", b"input_tokens", b"prompt_tokens")
"""Cost arithmetic may stand in a file without any call."""
_NAMED = (
    b"PROMPT = ", b"prompt = ", b"PROMPT: ", b"prompt: ", b"PROMPT=", b"PROMPT_", b"PROMPTS", b"prompts = ",
    b"_prompt(", b"Prompt = ", b"INSTRUCTION", b"instructions = ", b"_instruction = ",
    b"SYSTEM_MESSAGE", b"system_message = ",
)  # fmt: skip
"""One of these stands in every file in which a prompt is named as such; no call need be near."""
_TEXT = rb'''(?:[rbu]{0,2}(?:"""|\'\'\'|\\"\\"\\"|"[^"\n]{100}|'[^'\n]{100})|r?fr?\\?["'])'''
"""The beginning of a long literal or of an f-string, in a notebook too."""
_ASSIGNED = (
    rb"(?i:prompts?|instructions?|system_message)\w*(?:\[[^\]\n]{1,60}\])?[ ]*(?::[ ]*[\w.\[\], \"']+)?=[ ]*"
    rb"(?:(?:textwrap\.)?dedent\(|[\[{]\s|(?:[\w.]+\()?[ ]*\(?\s*" + _TEXT + rb")"
)
_RETURNED = rb"def\s+\w*(?i:prompt|instruction)\w*\([\s\S]{0,2000}?return\s+\(?\s*(?:[\w.]+\()?" + _TEXT


def gate(sdks: Iterable[Mapping[str, Any]], wrappers: Iterable[str]) -> Prefilter:
    """A prefilter for files with a call of one of the SDKs, one of the user's wrappers (dotted names), a
    prompt by name, cost arithmetic or a comment of ours.

    A call has a marker of its SDK in the file and all words of one of its forms: the name of a constructor
    or function, the parts of a method path, or the keys of a record of a batch.
    """
    markers: set[bytes] = {_OWN_COMMENT, *_USAGE, *_NAMED}
    shapes: set[tuple[bytes, ...]] = {(word,) for word in (_OWN_COMMENT, *_USAGE)}
    for sdk in sdks:
        own = [marker.encode() for marker in sdk.get("markers", ())]
        markers.update(own)
        for operation in sdk.get("operation", ()):
            shapes.update((marker, *form) for form in _forms(operation) for marker in own)
    for wrapper in wrappers:
        word = wrapper.rpartition(".")[2].encode()
        markers.add(word)
        shapes.add((word,))
    return Prefilter(sorted(markers), sorted(shapes), _names_a_prompt)


def _names_a_prompt(data: bytes) -> bool:
    """True where a text that is long enough for a prompt is given to, or returned under, a name that says so."""
    if not any(word in data for word in _NAMED):
        return False
    import re  # most runs meet no such file

    return any(re.search(pattern, data) is not None for pattern in (_ASSIGNED, _RETURNED))


def _forms(operation: Mapping[str, Any]) -> set[tuple[bytes, ...]]:
    names = [name.rpartition(".")[2] for name in operation.get("names", ())]
    direct = (*operation.get("constructors", ()), *operation.get("functions", ()))
    names += [name.rpartition(":")[2].rpartition(".")[2] for name in direct]
    forms = {(name.encode(),) for name in names}
    if "batch" in operation:
        forms.add(tuple(key.encode() for key in operation["batch"]))
    return forms | {tuple(part.encode() for part in path.split(".")) for path in operation.get("methods", ())}
