"""Random and damaged source through the whole pipeline: no crash, and the same answer again."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

import promptslim
from promptslim.core.result import CheckResult
from promptslim.report.check.json import render as render_json
from promptslim.report.check.text import render as render_text
from promptslim.report.formats import View

FORMATS = Path(__file__).parents[2] / "fixtures" / "formats"
CHECK = Draft202012Validator(json.loads((FORMATS / "check-v1.schema.json").read_text("utf-8")))
SOURCE = '''\
import json
import os

import boto3
from langchain_aws import ChatBedrockConverse

client = boto3.client("bedrock-runtime", region_name="us-east-1")
MODEL = os.getenv("MODEL", "anthropic.claude-haiku-4-5-20251001-v1:0")
SYSTEM = f"""You are a classifier for {os.getenv("TEAM")}.
Answer with one word."""
llm = ChatBedrockConverse(model=MODEL, max_tokens=64_000 if os.getenv("LONG") else None)


def ask(question, cap=300, **extra):
    body = {"messages": [{"role": "user", "content": question}], "anthropic_version": "bedrock-2023-05-31"}
    if cap:
        body["max_tokens"] = cap
    for attempt in range(3):
        try:
            reply = client.invoke_model(modelId=MODEL, body=json.dumps(body))  # promptslim: ignore[PS602] -- rare
            return json.loads(reply["body"].read())["content"][0]["text"]
        except (KeyError, json.JSONDecodeError):
            continue


def main(questions):
    for question in questions:
        print(ask(question, cap=None))
        turn = {"role": "user", "content": [{"text": question}]}
        client.converse(modelId=MODEL, system=[{"text": SYSTEM}], messages=[turn])
'''
PIECES = [
    *("(", ")", "[", "]", "{", "}", '"', "'", '"""', "\\", "\n", "\t", "    ", "#", ":", "=", ",", "**", "f'", "0x"),
    *(
        "lambda",
        "await ",
        "async ",
        "\0",
        "\ud800",
        "\u202e",
        "é",
        "\r",
        "\x0c",
        "# promptslim: ignore[",
        "!ls",
        "%time",
    ),
]


def checked(folder: Path) -> CheckResult:
    result = promptslim.check(cwd=folder, isolated=True, extend_select=["ALL"])
    text = "".join(render_json(result, View()))
    CHECK.validate(json.loads(text))
    "".join(render_text(result, View())).encode()
    assert "".join(render_json(promptslim.check(cwd=folder, isolated=True, extend_select=["ALL"]), View())) == text
    return result


@st.composite
def damaged(draw: st.DrawFn) -> str:
    text = SOURCE
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 30)))
        text = text[:start] + draw(st.sampled_from([*PIECES, ""])) + text[end:]
    return text


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=damaged())
def test_damaged_source(text: str, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_bytes(text.encode("utf-8", "surrogatepass"))
    cells = [{"cell_type": "code", "source": part, "metadata": {}} for part in text.split("\n\n")]
    (tmp_path / "nb.ipynb").write_text(json.dumps({"cells": cells, "nbformat": 4, "metadata": {}}))
    checked(tmp_path)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200))
def test_random_bytes(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_bytes(b"import boto3\nmodelId = converse\n" + data)
    (tmp_path / "nb.ipynb").write_bytes(b'{"cells": [{"source": "boto3 converse modelId' + data)
    checked(tmp_path)


def test_the_order_of_files_changes_nothing(tmp_path: Path) -> None:
    names = [f"{name}.py" for name in "abcdef"]
    for number, name in enumerate(names):
        (tmp_path / name).write_text(SOURCE.replace("cap=300", f"cap={number}"))
    expected = "".join(render_json(promptslim.check(names, cwd=tmp_path), View()))
    random.Random(3).shuffle(names)
    assert "".join(render_json(promptslim.check(names, cwd=tmp_path), View())) == expected


def test_a_file_alone_has_the_findings_that_it_has_in_its_tree(tmp_path: Path) -> None:
    (tmp_path / "promptslim.toml").write_text("")
    (tmp_path / "app.py").write_text(SOURCE)
    (tmp_path / "other.py").write_text("from app import ask\n\nask('x', cap=100_000)\n")
    rules = ["PS1", "PS5"]
    tree = [one for one in promptslim.check(cwd=tmp_path, select=rules).findings if one.primary.path == "app.py"]
    assert tree
    assert list(promptslim.check(["app.py"], cwd=tmp_path, select=rules).findings) == tree


@pytest.mark.parametrize(
    "source",
    [
        "x = " + "(" * 200 + ")" * 200,
        "x = " + "[" * 5000,
        "x = " + "-" * 20_000 + "1",
        "x = " + " + ".join(["'a'"] * 20_000),
        "x = " + ".a" * 5000,
        "f(" * 150 + ")" * 150,
        "".join(f"{' ' * depth}if x:\n" for depth in range(99)) + " " * 99 + "pass",
        "from app import *\n" * 100,
        "class A(A): pass\nA = A\nx = x\n",
    ],
    ids=["parentheses", "brackets", "signs", "sum", "attributes", "calls", "blocks", "imports", "cycles"],
)
def test_deep_and_circular_source(source: str, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(f"{SOURCE}\n{source}\n")
    checked(tmp_path)
