"""Notebooks: magics, cell order, names bound in several cells, broken cells, places in the raw file."""

from __future__ import annotations

import json

import pytest
from project import analyse, calls, notebook, system_text

SETUP = 'import boto3\nrt = boto3.client("bedrock-runtime")'
ASK = 'rt.converse(modelId="amazon.nova-lite-v1:0", system=[{"text": PROMPT}], messages=[])'


def test_magics_and_shell_lines_are_no_errors() -> None:
    found = calls(
        notebook(
            "%pip install boto3\n!ls -l\n" + SETUP,
            "files = !ls\n%matplotlib inline\nhelp?",
            "%%bash\nls | grep x\necho $(date)",
            "%%time\nPROMPT = 'Sort.'\n" + ASK,
            ("markdown", "# not code ("),
        ),
        path="nb.ipynb",
    )
    (one,) = found
    assert (system_text(one), one.location.cell) == ("Sort.", 3)
    assert one.primary.start == (3, 1)


def test_the_binding_of_the_nearest_cell_before_counts() -> None:
    first, second = calls(
        notebook(SETUP, "PROMPT = 'One.'", ASK, "PROMPT = 'Two.'", ASK, "PROMPT = 'Three.'"), path="nb.ipynb"
    )
    assert (system_text(first), first.location.cell) == ("One.", 2)
    assert (system_text(second), second.location.cell) == ("Two.", 4)


def test_a_function_sees_the_binding_before_it() -> None:
    (one,) = calls(
        notebook(SETUP, "PROMPT = 'One.'", "def ask():\n    return " + ASK, "ask()", "PROMPT = 'Two.'"), path="nb.ipynb"
    )
    assert system_text(one) == "One."


def test_a_broken_cell_is_reported_and_the_rest_works() -> None:
    facts = analyse(notebook(SETUP, "x = (\n# your code here", "PROMPT = 'Sort.'\n" + ASK), path="nb.ipynb")
    assert [system_text(one) for one in facts.calls] == ["Sort."]
    (error,) = facts.errors
    assert error.message.startswith("cell 1: syntax error")


@pytest.mark.parametrize("indent", [1, None])
@pytest.mark.parametrize("joined", [False, True])
def test_raw_lines_are_those_of_the_file(indent: int | None, joined: bool) -> None:
    book = json.loads(notebook(SETUP, "PROMPT = 'é \"id\"'\n\n" + ASK))
    book["cells"].insert(1, {"cell_type": "markdown", "source": ["import boto3\n", "rt"], "metadata": {}})
    book["cells"][0]["outputs"] = [{"text": ["PROMPT = 'é \"id\"'\n", "rt.converse("], "source": "x"}]
    if joined:
        for cell in book["cells"]:
            cell["source"] = "".join(cell["source"])
    text = json.dumps(book, indent=indent)
    raw = text.split("\n")
    for document in analyse(text, path="nb.ipynb").documents:
        lines = document.text.split("\n")
        assert len(document.raw_lines) == len(lines)
        for line, number in zip(lines, document.raw_lines, strict=True):
            assert json.dumps(line)[1:-1] in raw[number - 1]
    whole = json.loads(text)["cells"][2]["source"]
    ask = analyse(text, path="nb.ipynb").documents[1].raw_lines[2]
    assert ("rt.converse(modelId" in raw[ask - 1], len(whole) > 0) == (True, True)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"cells": 3}', '{"cells": [3, null, "x"]}'])
def test_what_is_no_notebook_gives_no_calls(text: str) -> None:
    facts = analyse(text, path="nb.ipynb")
    assert facts.calls == ()
    assert len(facts.errors) <= 1


def test_other_languages_are_left_alone() -> None:
    facts = analyse(notebook("val x = 1", kernelspec={"language": "scala"}), path="nb.ipynb")
    assert (facts.calls, facts.errors) == ((), ())
