"""A suite as input of Amazon Bedrock's Advanced Prompt Optimization: JSON Lines, one template with its samples.

Shape: AWS Bedrock user guide, Advanced Prompt Optimization, version ``bedrock-2026-05-14``; at most 10 templates with
100 samples each.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from promptslim.core.call import LlmCall
from promptslim.core.prompt import Hole, Literal, Part, Prompt
from promptslim.core.record import record
from promptslim.core.values import Known
from promptslim.verify.filling import INPUTS
from promptslim.verify.suite import Item, Suite, SuiteError

VERSION = "bedrock-2026-05-14"
MOST_SAMPLES = 100
MOST_TEMPLATES = 10

_NAME = re.compile(r"\W+")
_REFERENCES = ("equals", "icontains", "contains", "similarity", "levenshtein", "rouge-l", "rouge-n")


@record
class Exported:
    """``text`` is the file; ``left_out`` items did not fit."""

    text: str
    samples: int
    left_out: int


def exported(suite: Suite, prompt: Prompt, call: LlmCall | None) -> Exported:
    """The suite for one prompt, followed by the other texts of its call.

    The reference of a sample is the first text that its answer is compared with; the rubric of a judge becomes the
    judge's prompt. Raises SuiteError for a template that has no such form.
    """
    names: dict[str, str] = {}
    pieces: list[str] = []
    for part in _parts(prompt, call, suite.items[0]):
        match part:
            case Literal(maybe=True):
                raise SuiteError(suite.path, None, f"{prompt.id} has conditions, which the format does not know")
            case Literal(text=text):
                if "{{" in text:
                    raise SuiteError(suite.path, None, f"{prompt.id} has {{{{ in its text, which the format would fill")
                pieces.append(text)
            case Hole():
                wanted = part.name or part.expression.rpartition(".")[2]
                name = names.setdefault(wanted, _NAME.sub("_", wanted).strip("_") or f"value_{len(names) + 1}")
                pieces.append(f"{{{{{name}}}}}")
    template = "".join(pieces)
    used = suite.items[:MOST_SAMPLES]
    line: dict[str, Any] = {
        "version": VERSION,
        "templateId": _NAME.sub("-", prompt.id).strip("-")[:60],
        "promptTemplate": template,
        "steeringCriteria": [],
        "evaluationSamples": [_sample(item, names) for item in used],
    }
    if judge := _judge(suite, used):
        line |= judge
    return Exported(json.dumps(line, ensure_ascii=False) + "\n", len(used), len(suite.items) - len(used))


def _parts(prompt: Prompt, call: LlmCall | None, item: Item) -> Iterator[Part]:
    """The prompt, and after a system prompt what the user says."""
    yield from prompt.parts
    if prompt.role != "system":
        return
    yield Literal("\n\n")
    match call.messages.only if call is not None else None:
        case Known(value=tuple() as messages) if messages:
            for message in messages:
                yield from message.parts
        case _:
            name = next((one for one in INPUTS if one in item.variables), INPUTS[0])
            yield Hole(name, "argument", name=name)


def _sample(item: Item, names: Mapping[str, str]) -> dict[str, Any]:
    values = [{name: _text(item.variables.get(given, ""))} for given, name in names.items()]
    sample: dict[str, Any] = {"inputVariables": values}
    for check in item.checks:
        if check.kind in _REFERENCES and isinstance(check.value, str) and not check.negated:
            sample["referenceResponse"] = check.value
            break
    return sample


def _judge(suite: Suite, items: Sequence[Item]) -> dict[str, Any]:
    rubrics = [check.value for item in items for check in item.checks if check.kind == "llm-rubric"]
    if suite.judge is None or not rubrics:
        return {}
    return {
        "customEvaluationMetricLabel": "rubric",
        "customLLMJConfig": {"customLLMJPrompt": str(rubrics[0]), "customLLMJModelId": suite.judge.model.id},
    }


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
