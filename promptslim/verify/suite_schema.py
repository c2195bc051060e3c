"""The JSON Schema of suites, for editors: made from what the reader knows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from promptslim.verify.grading import grader_modules
from promptslim.verify.request import PARAMETERS as SENT
from promptslim.verify.suite_checks import OPTIONS
from promptslim.verify.suite_models import PARAMETERS
from promptslim.verify.suite_prompts import PROMPT_KEYS
from promptslim.verify.suite_reader import PASSED_OVER
from promptslim.verify.suite_tests import DEFAULT_KEYS, TEST_KEYS

_TEXT = {"type": "string"}
_PASSED_OVER = {"description": "promptfoo's own: passed over, with a note"}
_SHARE = {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}
_TEXTS = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]}
_KEYED = [{"required": [name]} for name in PROMPT_KEYS]
_WEIGHT = {
    "type": "number",
    "minimum": 0,
    "description": "share in the score of the test, default 1; 0: for information",
}
_THRESHOLDS = ("cost", "latency")
_WITHOUT_VALUE = ("contains-json", "cost", "is-json", "latency")


def suite_schema() -> dict[str, Any]:
    """The schema (JSON Schema, draft 2020-12)."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "promptslim eval suite",
        "description": "What `promptslim verify` reads, in promptfoo's words.",
        "type": "object",
        "additionalProperties": False,
        "allOf": [
            {"anyOf": [{"required": ["prompts"]}, {"required": ["prompt"]}]},
            {"anyOf": [{"required": ["tests"]}, {"required": ["scenarios"]}]},
        ],
        "properties": {**_optional(_suite()), **dict.fromkeys(PASSED_OVER.split(), _PASSED_OVER)},
        "$defs": {
            "parameters": _parameters(),
            "prompt": _prompt(),
            "provider": _provider(),
            "tests": _tests(),
            "test": _test(TEST_KEYS),
            "default": _test(DEFAULT_KEYS),
            "assertions": {"type": "array", "items": {"$ref": "#/$defs/assertion"}},
            "assertion": _assertion(),
            "judge": _judge(),
        },
    }


def _optional(properties: dict[str, Any]) -> dict[str, Any]:
    """Keys that may stand without a value."""
    found = {}
    for name, one in properties.items():
        note = {"description": one["description"]} if "description" in one else {}
        rest = {key: value for key, value in one.items() if key != "description"}
        if set(rest) == {"anyOf"}:
            found[name] = {**note, "anyOf": [*rest["anyOf"], {"type": "null"}]}
        elif rest:
            found[name] = {**note, "anyOf": [rest, {"type": "null"}]}
        else:
            found[name] = note
    return found


def _suite() -> dict[str, Any]:
    providers = {
        "description": "models in promptfoo's words: bedrock:[converse:]MODEL, openai:MODEL; the first is run",
        "anyOf": [{"$ref": "#/$defs/provider"}, {"type": "array", "items": {"$ref": "#/$defs/provider"}}],
    }
    return {
        "$schema": _TEXT,
        "description": {**_TEXT, "description": "what the suite is about"},
        "prompt": {**_TEXTS, "description": "as prompts"},
        "prompts": {
            "description": "the original and the shorter prompt: ids of prompts in the code, file:// paths, or texts "
            "with {{variables}}; one alone is compared with what trimming gives",
            "anyOf": [
                {"$ref": "#/$defs/prompt"},
                {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/prompt"}},
                {"type": "object", "minProperties": 1, "additionalProperties": _TEXT, "not": {"anyOf": _KEYED}},
            ],
        },
        "model": {**_TEXTS, "description": "model id; default: that of the code"},
        "parameters": {"$ref": "#/$defs/parameters"},
        "providers": providers,
        "targets": providers,
        "margin": {
            **_SHARE,
            "description": "largest loss that is accepted, 0.05 is 5 points; default: the smallest that the number of "
            "tests can prove",
        },
        "alpha": {**_SHARE, "description": "chance of accepting a prompt that is worse by the margin, default 0.05"},
        "looks": {
            "description": "how often the tests may be looked at, with more of them each time; any: without a bound",
            "anyOf": [{"type": "integer", "minimum": 1}, {"const": "any"}],
        },
        "repeat": {"type": "integer", "minimum": 1, "description": "runs of each test, default 1"},
        "judge": {"$ref": "#/$defs/judge"},
        "critical": {**_TEXTS, "description": "slices in which no test may get worse"},
        "evaluateOptions": {
            "description": "promptfoo's; repeat counts, the others are passed over",
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "cache": {"type": "boolean"},
                "delay": {"type": "number"},
                "generateSuggestions": {"type": "boolean"},
                "maxConcurrency": {"type": "integer"},
                "maxEvalTimeMs": {"type": "number"},
                "repeat": {"type": "integer", "minimum": 1},
                "showProgressBar": {"type": "boolean"},
                "timeoutMs": {"type": "number"},
            },
        },
        "assertionTemplates": {
            "description": "assertions by name, for {$ref: '#/assertionTemplates/NAME'}",
            "type": "object",
            "additionalProperties": {"type": "object"},
        },
        "defaultTest": {
            "description": "variables and assertions of every test",
            "anyOf": [{"type": "string", "pattern": "^file://"}, {"$ref": "#/$defs/default"}],
        },
        "tests": {"$ref": "#/$defs/tests"},
        "scenarios": {
            "description": "each test with each configuration",
            "type": "array",
            "items": {
                "anyOf": [
                    _TEXT,
                    {
                        "type": "object",
                        "additionalProperties": False,
                        "required": ["config", "tests"],
                        "properties": {
                            "description": _TEXT,
                            "config": {"$ref": "#/$defs/tests"},
                            "tests": {"$ref": "#/$defs/tests"},
                        },
                    },
                ]
            },
        },
    }


def _parameters() -> dict[str, Any]:
    return {
        "description": "parameters of the requests",
        "type": "object",
        "additionalProperties": False,
        "properties": {name: {} for name in sorted({*SENT, *PARAMETERS, "inferenceModelType", "region"})},
    }


def _prompt() -> dict[str, Any]:
    one = dict.fromkeys(("content", "id", "label", "raw"), _TEXT)
    return {
        "anyOf": [
            {"type": "string", "minLength": 1},
            {
                "type": "object",
                "additionalProperties": False,
                "minProperties": 1,
                "properties": {**one, "description": _PASSED_OVER, "display": _PASSED_OVER},
            },
        ]
    }


def _provider() -> dict[str, Any]:
    return {
        "anyOf": [
            _TEXT,
            {
                "type": "object",
                "required": ["id"],
                "additionalProperties": False,
                "properties": {
                    "id": {"type": "string", "minLength": 1},
                    "label": _TEXT,
                    "config": {"type": "object", "description": "parameters of the requests"},
                    **dict.fromkeys(("callApi", "delay", "env", "inputs"), _PASSED_OVER),
                },
            },
            {
                "type": "object",
                "minProperties": 1,
                "maxProperties": 1,
                "propertyNames": {"pattern": ":"},
                "additionalProperties": {"type": "object"},
            },
        ]
    }


def _tests() -> dict[str, Any]:
    path = {**_TEXT, "description": "path of a .yaml, .json, .jsonl or .csv file with tests"}
    return {
        "anyOf": [
            path,
            {"$ref": "#/$defs/test"},
            {"type": "array", "minItems": 1, "items": {"anyOf": [path, {"$ref": "#/$defs/test"}]}},
        ]
    }


def _test(keys: Sequence[str]) -> dict[str, Any]:
    options = {"disableVarExpansion": {"type": "boolean", "description": "lists among the variables are values"}}
    passed_over = ("delay", "factuality", "includeMetrics", "provider", "providers", "repeat", "rubricPrompt")
    properties = _optional(
        {
            "id": {**_TEXT, "description": "name of the test; default: made from its variables and assertions"},
            "description": _TEXT,
            "vars": {
                "description": "what fills the prompt; a list gives a test for each of its entries, file:// the text "
                "of a file",
                "anyOf": [{"type": "object"}, _TEXT, {"type": "array", "items": {"type": ["string", "object"]}}],
            },
            "assert": {"$ref": "#/$defs/assertions"},
            "threshold": {
                "type": "number",
                "description": "weighted score from which the test passes; default: every assertion has to",
            },
            "cluster": {
                "type": ["string", "integer"],
                "description": "conversation or document that tests have in common",
            },
            "slices": {**_TEXTS, "description": "what the test is about, for critical"},
            "metadata": {"type": "object"},
            "options": {
                "type": "object",
                "additionalProperties": False,
                "properties": {**_optional(options), **dict.fromkeys(passed_over, _PASSED_OVER)},
            },
            "type": _PASSED_OVER,
        }
    )
    wanted = (*keys, "type")
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {name: one for name, one in properties.items() if name in wanted},
    }


def _assertion() -> dict[str, Any]:
    kinds = sorted(grader_modules())
    several = [*kinds, *(f"not-{kind}" for kind in kinds if kind != "pairwise")]

    def of(*names: str) -> dict[str, Any]:
        return {"properties": {"type": {"enum": [*names, *(f"not-{name}" for name in names)]}}, "required": ["type"]}

    needing = [kind for kind in kinds if kind not in _WITHOUT_VALUE]
    return {
        "type": "object",
        "anyOf": [
            {"required": ["$ref"], "properties": {"$ref": _TEXT}, "additionalProperties": False},
            {"$ref": "#/$defs/assertion/$defs/set"},
            {
                "required": ["type"],
                "additionalProperties": False,
                "properties": {
                    "type": {"enum": several},
                    "value": {"description": "what is wanted; {{variables}} are filled in, file:// is read"},
                    **_optional(_beside()),
                    "provider": _PASSED_OVER,
                    "rubricPrompt": _PASSED_OVER,
                },
                "allOf": [
                    {
                        "if": of(*needing),
                        "then": {"required": ["value"], "properties": {"value": {"not": {"type": "null"}}}},
                    },
                    {"if": of(*_THRESHOLDS), "then": {"required": ["threshold"]}},
                    *(
                        {"if": {"properties": {name: {"not": {"type": "null"}}}, "required": [name]}, "then": of(owner)}
                        for name, owner in OPTIONS.items()
                    ),
                ],
            },
        ],
        "$defs": {
            "set": {
                "required": ["type", "assert"],
                "additionalProperties": False,
                "properties": {
                    "type": {"const": "assert-set"},
                    "assert": {"$ref": "#/$defs/assertions"},
                    "threshold": {"type": "number", "description": "default: every assertion of the set has to pass"},
                    "weight": _WEIGHT,
                    "metric": _TEXT,
                },
            }
        },
    }


def _beside() -> dict[str, Any]:
    return {
        "threshold": {"type": "number"},
        "weight": _WEIGHT,
        "metric": _TEXT,
        "config": {"description": "handed to a Python function"},
        "tolerance": {"type": ["number", "string"], "description": 'of number: 0.5, or "2%"'},
        "n": {"type": "integer", "minimum": 1, "maximum": 9, "description": "words in a sequence of rouge-n"},
        "exact": {"type": "boolean", "description": "of tool-call: no other arguments"},
    }


def _judge() -> dict[str, Any]:
    label = {
        "type": "object",
        "additionalProperties": False,
        "required": ["test", "output", "pass"],
        "properties": {
            "test": {**_TEXT, "description": "id of the test"},
            "output": {**_TEXT, "description": "the answer that people have judged"},
            "original": {**_TEXT, "description": "the answer that it was compared with (pairwise)"},
            "pass": {"type": "boolean"},
        },
    }
    return {
        "description": "the model that grades llm-rubric and pairwise, and answers that people have judged",
        "type": "object",
        "additionalProperties": False,
        "required": ["model"],
        "properties": {
            "model": {"type": "string", "minLength": 1},
            **_optional(
                {
                    "parameters": {"$ref": "#/$defs/parameters"},
                    "labels": {"anyOf": [{"type": "string", "pattern": "^file://"}, {"type": "array", "items": label}]},
                }
            ),
        },
    }
