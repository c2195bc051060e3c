"""A recorded baseline knows its findings after the code has moved, been reformatted or renamed."""

from __future__ import annotations

import ast
import tempfile
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import promptslim
from promptslim.check.baseline import compare, entry, read, write
from promptslim.core.finding import Finding

HEAD = 'import json\nimport boto3\n\nclient = boto3.client("bedrock-runtime")\n'
UNCAPPED = """def summarise(text):
    turns = [{'role': 'user', 'content': [{'text': text}]}]
    return client.converse(
        modelId='amazon.nova-lite-v1:0', messages=turns
    )
"""
OVERSIZED = """def label(ticket):
    return client.converse(
        modelId="amazon.nova-lite-v1:0",
        system=[{"text": "You read tickets. Answer with one word: billing, shipping or other."}],
        messages=[{"role": "user", "content": [{"text": ticket}]}],
        inferenceConfig={"maxTokens": 9000},
    )
"""
BATCH = """def every(tickets):
    answers = []
    for ticket in tickets:
        answers.append(client.converse(modelId="amazon.nova-lite-v1:0", messages=[], inferenceConfig={'maxTokens':9}))
    return answers
"""
RETIRED = """async def old(text):
    body = json.dumps({'anthropic_version': 'bedrock-2023-05-31', "max_tokens": 200, "messages": [text]})
    return client.invoke_model(modelId="anthropic.claude-3-5-sonnet-20240620-v1:0", body=body)
"""
FUNCTIONS = (UNCAPPED, OVERSIZED, BATCH, RETIRED)


@dataclass
class Code:
    """Functions by file. The shape of a file is its functions in order."""

    files: dict[str, list[str]]


def found(code: Code) -> tuple[Finding, ...]:
    with tempfile.TemporaryDirectory() as folder:
        for path, functions in code.files.items():
            Path(folder, path).parent.mkdir(parents=True, exist_ok=True)
            Path(folder, path).write_text(HEAD + "\n\n" + "\n\n".join(functions), "utf-8")
        return promptslim.check(["."], cwd=folder, isolated=True, ignore=["PS601"]).findings


def lines_above(code: Code, number: int) -> Code:
    comment = "# a remark\n" * (number % 7 + 1)
    return Code({path: [comment + one for one in functions] for path, functions in code.files.items()})


def other_order(code: Code, number: int) -> Code:
    turned = {
        path: functions[number % len(functions) :] + functions[: number % len(functions)]
        for path, functions in code.files.items()
    }
    return Code(turned)


def to_another_file(code: Code, number: int) -> Code:
    files = {path: list(functions) for path, functions in code.files.items()}
    path = sorted(files)[number % len(files)]
    moved = files[path].pop(number % len(files[path]))
    if not files[path]:
        del files[path]
    files.setdefault("moved/there.py", []).append(moved)
    return Code(files)


def other_file_names(code: Code, number: int) -> Code:
    return Code({f"renamed{number % 3}/{path}": functions for path, functions in code.files.items()})


def reformatted(code: Code, number: int) -> Code:
    return Code({path: [ast.unparse(ast.parse(one)) + "\n" for one in all_] for path, all_ in code.files.items()})


def into_a_class(code: Code, number: int) -> Code:
    files = {path: list(functions) for path, functions in code.files.items()}
    path = sorted(files)[number % len(files)]
    index = number % len(files[path])
    if not files[path][index].startswith(("class", "# ")):
        files[path][index] = "class Moved:\n" + textwrap.indent(files[path][index], "    ")
    return Code(files)


def other_names(code: Code, number: int) -> Code:
    names = ("summarise", "label", "every", "old")
    old = names[number % len(names)]
    return Code(
        {path: [one.replace(f"def {old}(", "def renamed(") for one in all_] for path, all_ in code.files.items()}
    )


MOTIONS = (
    lines_above,
    other_order,
    to_another_file,
    other_file_names,
    reformatted,
    into_a_class,
    other_names,
)
START = Code({"app.py": [UNCAPPED, OVERSIZED], "src/more.py": [BATCH, RETIRED, UNCAPPED.replace("summarise", "again")]})


def new_after(code: Code) -> tuple[Finding, ...]:
    known = read(write(map(entry, found(START))))
    comparison = compare(found(code), known, lambda _: True)
    assert len(comparison.known) == len(known)
    return comparison.new


def test_there_is_something_to_know() -> None:
    assert {one.code for one in found(START)} >= {"PS101", "PS102", "PS502", "PS605"}


@pytest.mark.parametrize("motion", MOTIONS)
def test_one_motion_makes_nothing_new(motion: Callable[[Code, int], Code]) -> None:
    for number in range(4):
        code = motion(START, number)
        assert code != START or motion is other_order
        assert new_after(code) == ()


@settings(max_examples=12, deadline=None)
@given(motions=st.lists(st.tuples(st.sampled_from(MOTIONS[:5]), st.integers(0, 6)), min_size=2, max_size=4))
def test_motions_together_make_nothing_new(motions: list[tuple[Callable[[Code, int], Code], int]]) -> None:
    code = START
    for motion, number in motions:
        code = motion(code, number)
    assert new_after(code) == ()


@given(number=st.integers(0, 6))
@settings(max_examples=5, deadline=None)
def test_one_more_function_is_new_whatever_moved(number: int) -> None:
    code = lines_above(other_order(START, number), number)
    code.files["app.py"].append(UNCAPPED.replace("summarise", "one_more"))
    assert [one.scope for one in new_after(code)] == ["one_more"]
