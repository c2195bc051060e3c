"""The judge of a suite, and the answers that people have judged."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from promptslim.config.error import suggestion
from promptslim.extract.files.data import DataList, DataMap, DataNode, DataScalar, DataText
from promptslim.verify.grading import asks_judge, compares_answers
from promptslim.verify.suite import Item, Judge, Label, SuiteError
from promptslim.verify.suite_files import FILE, SuiteFiles
from promptslim.verify.suite_models import named_model, parameters_of
from promptslim.verify.suite_nodes import error, known, plain, text

JUDGE_KEYS = ("labels", "model", "parameters")
LABEL_KEYS = ("original", "output", "pass", "test")
_NO_LABEL = "a label has test (the id of a test), output (an answer) and pass (true or false)"


def judge_of(top: DataMap, files: SuiteFiles) -> Judge | None:
    """The judge with its labels; None where there is none. Raises SuiteError."""
    match top.get("judge"):
        case None | DataScalar(value=None):
            return None
        case DataMap() as node:
            known(node, JUDGE_KEYS, "judge")
            model = named_model(_model_name(node), parameters_of(node))
            return Judge(model, tuple(_labels(node.get("labels"), files)))
        case node:
            raise error(node, "judge is a mapping with model and labels")


def _model_name(node: DataMap) -> str:
    name = text(node, "model")
    if not name:
        raise error(node, "a judge needs a model")
    return name


def check_judge(top: DataMap, judge: Judge | None, items: Sequence[Item]) -> None:
    """Whatever a judge has to grade is graded by one whose errors are known. Raises SuiteError."""
    judged = {
        item.id: [one for one in item.checks if one.weight > 0 and (asks_judge(one) or compares_answers(one))]
        for item in items
    }
    kinds = sorted({check.kind for checks in judged.values() for check in checks})
    at = top.get("judge") or top
    if kinds and (judge is None or not judge.labels):
        raise error(
            at,
            f"{kinds[0]} is graded by a model, whose errors have to be known: "
            "add judge: {model: ..., labels: file://labels.jsonl} with judged answers",
        )
    for label in judge.labels if judge is not None else ():
        checks = judged.get(label.test)
        if not checks:
            hint = suggestion(
                label.test, [name for name, own in judged.items() if own], "labels name tests by their id"
            )
            raise error(at, f"a label is for the test {label.test!r}, which there is not or no judge grades; {hint}")
        if label.original is None and any(compares_answers(check) for check in checks):
            raise error(at, f"the label for {label.test!r} needs original: the answer that it is compared with")


def _labels(node: DataNode | None, files: SuiteFiles) -> Iterator[Label]:
    match node:
        case None | DataScalar(value=None):
            return
        case DataText(text=path) if path.startswith(FILE):
            for number, line in enumerate(files.text(path, node).split("\n"), 1):
                if line.strip():
                    try:
                        yield _label(json.loads(line))
                    except (ValueError, RecursionError):
                        raise SuiteError(files.full(path), number, _NO_LABEL) from None
        case DataList(items=items):
            for item in items:
                try:
                    yield _label(_data(item))
                except ValueError:
                    raise error(item, _NO_LABEL) from None
        case _:
            raise error(node, "labels are a list, or the path of a .jsonl file after file://")


def _data(item: DataNode) -> Any:  # noqa: ANN401 (data of any form)
    """A label as data; ``pass: yes`` is true."""
    found = plain(item)
    passed = item.get("pass") if isinstance(item, DataMap) else None
    if isinstance(passed, DataScalar) and isinstance(passed.value, bool):
        found["pass"] = passed.value
    return found


def _label(value: Any) -> Label:  # noqa: ANN401 (data of any form)
    """A label. Raises ValueError where it is none."""
    match value:
        case {"test": str() as test, "output": str() as output, "pass": bool() as passed, **rest} if not (
            set(rest) - set(LABEL_KEYS)
        ):
            original = rest.get("original")
            if original is None or isinstance(original, str):
                return Label(test, output, passed, original)
    raise ValueError
