"""``check --add-ignore``: comments where they suppress, nothing else changed."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from promptslim.cli import main as entry

HEAD = 'import boto3\n\nclient = boto3.client("bedrock-runtime")\n'
CALL = 'client.converse(modelId="amazon.nova-lite-v1:0", messages=[])'
COMMENT = "  # promptslim: ignore[missing-max-tokens] -- why"

Add = Callable[..., str]


@pytest.fixture
def add(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Add:
    """Adds comments to a file with this content, and gives what it has then. Nothing is left to report."""
    monkeypatch.chdir(tmp_path)

    def command(content: str | bytes, name: str = "app.py", reason: str = "why") -> str:
        data = content.encode() if isinstance(content, str) else content
        (tmp_path / name).write_bytes(data)
        only = ("check", name, "--select", "PS101,PS9")
        assert entry.main([*only, "--add-ignore", reason]) == 0
        capsys.readouterr()
        once = (tmp_path / name).read_bytes()
        assert entry.main([*only, "--output-format", "json"]) == 0
        assert len(json.loads(capsys.readouterr().out)["findings"]) == 0
        assert entry.main([*only, "--add-ignore", reason]) == 0
        capsys.readouterr()
        assert (tmp_path / name).read_bytes() == once
        return once.decode("latin-1" if b"latin" in once else "utf-8")

    return command


def test_a_comment_at_the_end_of_the_line(add: Add) -> None:
    assert add(HEAD + CALL + "\nprint(1)\n") == HEAD + CALL + COMMENT + "\nprint(1)\n"
    assert add(HEAD + CALL) == HEAD + CALL + COMMENT
    assert add(HEAD + CALL + "  # noqa\n") == HEAD + CALL + "  # noqa" + COMMENT + "\n"


def test_where_the_line_cannot_take_one_the_statement_does(add: Add) -> None:
    source = (
        HEAD + 'x = """\n""" + str(\\\n    client.converse(modelId="amazon.nova-lite-v1:0", messages=["""\na"""]))\n'
    )
    assert add(source) == source[:-1] + COMMENT + "\n"


def test_a_name_is_added_to_a_comment_that_is_there(add: Add) -> None:
    there = "  # promptslim: ignore[untagged-invocation] -- other\n"
    assert "ignore[untagged-invocation, missing-max-tokens] -- other\n" in add(HEAD + CALL + there)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_marks_and_encodings_stay(add: Add, end: str) -> None:
    source = ("# é\n" + HEAD + CALL + "\n").replace("\n", end)
    assert add(b"\xef\xbb\xbf" + source.encode()).encode() == (
        b"\xef\xbb\xbf" + source.replace("[])", "[])" + COMMENT).encode()
    )
    latin = ("# -*- coding: latin-1 -*-\n# é\n" + HEAD + CALL + "\n").replace("\n", end)
    assert add(latin.encode("latin-1")) == latin.replace("[])", "[])" + COMMENT)


def test_mixed_line_ends_stay_mixed(add: Add) -> None:
    source = HEAD.replace("\n", "\r\n") + CALL + "\nprint(1)\r"
    assert add(source) == source.replace("[])", "[])" + COMMENT)


def book(source: object, **more: object) -> dict[str, object]:
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": ["# text"]},
        {"cell_type": "code", "metadata": {}, "outputs": [{"text": ["client"]}], "source": HEAD},
        {"cell_type": "code", "metadata": {}, "outputs": [], "source": source, **more},
    ]
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


@pytest.mark.parametrize("indent", [None, 1, 2])
@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("as_list", [True, False])
def test_a_notebook_changes_by_the_comment_alone(add: Add, indent: int | None, ascii_only: bool, as_list: bool) -> None:
    source = f'%time x = 1\nt = "é\\t\U0001f600\\\\"; y = {CALL}\nprint(y)'
    shape = source.splitlines(keepends=True) if as_list else source
    before = json.dumps(book(shape), indent=indent, ensure_ascii=ascii_only)
    after = add(before, "nb.ipynb", 'a "reason" \\ é')
    assert "".join(json.loads(after)["cells"][2]["source"]) == source.replace(
        "[])", '[])  # promptslim: ignore[missing-max-tokens] -- a "reason" \\ é'
    )
    start = next(i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b)
    added = len(after) - len(before)
    assert before == after[:start] + after[start + added :]


def test_what_no_comment_reaches_is_a_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prompts").mkdir()
    text = "Please kindly make sure to answer. It is important to note that you should be polite.\n" * 3
    (tmp_path / "prompts" / "bank.txt").write_text(text)
    (tmp_path / "app.py").write_text(HEAD + CALL + "\n")
    select = ("--select", "filler-wording,missing-max-tokens")
    assert entry.main(["check", *select, "--add-ignore", "later"]) == 0
    shown = capsys.readouterr()
    assert shown.err == "promptslim: 1 finding ignored in 1 file\n"
    assert '[tool.promptslim.per-file-ignores]\n"prompts/bank.txt" = ["filler-wording"]\n' in shown.out
    assert (tmp_path / "prompts" / "bank.txt").read_text() == text
    (tmp_path / "pyproject.toml").write_text(shown.out)
    assert entry.main(["check", *select]) == 0


@pytest.mark.parametrize("reason", ["", "  ", "a\nb", "a\x1b[2J"])
def test_a_reason_is_one_line(
    reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.py").write_text(HEAD + CALL)
    assert entry.main(["check", "--add-ignore", reason]) == 2
    assert "needs a reason on one line" in capsys.readouterr().err
    assert (tmp_path / "app.py").read_text() == HEAD + CALL


STATEMENTS = st.sampled_from(
    [
        CALL,
        f"x = {CALL}",
        "x = client.converse(\n    modelId='amazon.nova-lite-v1:0',  # model\n    messages=[],\n)",
        "for i in range(3):\n    print(i)",
        f"if True: {CALL}",
        f"def f():\n    return (\n        {CALL}\n    )",
        f"y = [\n    {CALL},\n    {CALL},\n]",
        's = """a\n# b\n"""',
        f"with open('a') as f, \\\n    open('b') as g:\n    {CALL}; {CALL}",
    ]
)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(parts=st.lists(STATEMENTS, min_size=1, max_size=5))
def test_the_program_stays_the_same(add: Add, parts: list[str]) -> None:
    source = HEAD + "\n".join(parts) + "\n"
    after = add(source)
    assert ast.dump(ast.parse(after)) == ast.dump(ast.parse(source))
    assert after.replace(COMMENT, "") == source
