"""Budgets of single prompts: kept by the check, ratcheted down by a command."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptslim.cli import main as entry
from promptslim.cli.budget_table import with_budgets

LINE = "You answer questions about cards, loans, accounts and branches. "
CALL = (
    "import boto3\n\nSYSTEM = {text!r}\n"
    'boto3.client("bedrock-runtime").converse(modelId="amazon.nova-lite-v1:0", system=[{{"text": SYSTEM}}],'
    ' messages=[{{"role": "user", "content": [{{"text": "Sort."}}]}}], inferenceConfig={{"maxTokens": 9}})\n'
)
BANK, SYSTEM = "prompts/bank.txt", "app.py::SYSTEM"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prompts").mkdir()
    (tmp_path / BANK).write_text(LINE * 30)
    (tmp_path / "app.py").write_text(CALL.format(text=LINE * 20))
    (tmp_path / "pyproject.toml").write_text('# mine\n[tool.promptslim]\nselect = ["PS201"]\n')

    def command(*words: str) -> tuple[int, str, str]:
        code = entry.main(words)
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return command


def budgets(folder: Path) -> dict[str, int]:
    return tomllib.loads((folder / "pyproject.toml").read_text())["tool"]["promptslim"].get("budgets", {})


def test_every_prompt_gets_its_size_and_short_ones_none(run: Run, tmp_path: Path) -> None:
    code, out, err = run("budget", "--write")
    assert (code, err) == (0, "promptslim: 2 budgets in pyproject.toml\n")
    assert [line.split()[-1] for line in out.splitlines()[1:3]] == [BANK, SYSTEM]
    assert set(budgets(tmp_path)) == {BANK, SYSTEM}
    assert (tmp_path / "pyproject.toml").read_text().startswith('# mine\n[tool.promptslim]\nselect = ["PS201"]\n')
    assert run("check") == (0, "No findings in 2 files with 1 LLM call\n", "")


def test_a_prompt_over_its_budget_is_named_with_size_limit_and_difference(run: Run, tmp_path: Path) -> None:
    run("budget", "--write")
    limit = budgets(tmp_path)[BANK]
    (tmp_path / BANK).write_text(LINE * 31)
    code, out, _ = run("check", "--output-format", "json")
    (found,) = json.loads(out)["findings"]
    over = found["impact"]["input_tokens_per_call"]
    assert code == 1
    assert over > 0
    said = f"`{BANK}` has {limit + over:,} tokens (estimated), {over} over its budget of {limit:,}"
    assert found["message"] == said
    code, out, _ = run("budget")
    assert code == 1
    assert out.splitlines()[1].split()[:3] == [str(limit + over), str(limit), str(-over)]


def test_budgets_go_down_and_never_up(run: Run, tmp_path: Path) -> None:
    run("budget", "--write")
    before = budgets(tmp_path)
    (tmp_path / BANK).write_text(LINE * 40)
    (tmp_path / "app.py").write_text(CALL.format(text=LINE * 10))
    assert run("budget", "--write")[0] == 1
    after = budgets(tmp_path)
    assert after[BANK] == before[BANK]
    assert after[SYSTEM] < before[SYSTEM]
    (tmp_path / "app.py").write_text(CALL.format(text=LINE * 20))
    assert run("budget", "--write")[0] == 1
    assert budgets(tmp_path) == after


def test_what_is_gone_is_said_and_dropped(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("budget", "--write")
    (tmp_path / BANK).unlink()
    assert f"no prompt has the name {BANK}" in run("budget")[2]
    (tmp_path / BANK).write_text(LINE)
    assert "no prompt has the name" not in run("budget", "app.py")[2]
    run("budget", "app.py", "--write")
    assert set(budgets(tmp_path)) == {BANK, SYSTEM}
    (tmp_path / BANK).unlink()
    run("budget", "--write")
    assert set(budgets(tmp_path)) == {SYSTEM}


def test_from_a_folder_below(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("budget", "--write")
    monkeypatch.chdir(tmp_path / "prompts")
    (tmp_path / BANK).write_text(LINE * 31)
    code, out, _ = run("check")
    assert code == 1
    assert "`bank.txt` has " in out
    assert run("budget", "--write")[0] == 1
    assert set(budgets(tmp_path)) == {BANK, SYSTEM}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[tool.promptslim]\nbudgets = {a = 1}\n", "cannot be edited as it is written"),
        ("[tool.promptslim.budgets]\na = 0\n", "'budgets.a' must be a number of tokens, 1 or more, not the integer 0"),
        ("[tool.promptslim.budgets]\na = true\n", "must be a number of tokens, 1 or more, not a boolean"),
        ("[project]\nname = 'x'\n", "there is no config file to write budgets to; make one with promptslim init"),
    ],
)
def test_what_cannot_be_written_is_one_line(run: Run, tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    code, _, err = run("budget", "-q", "--write")
    assert code == 2
    assert err.count("\n") == 1
    assert said in err
    assert (tmp_path / "pyproject.toml").read_text() == text


KEYS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), min_size=1, max_size=8)
TABLES = st.dictionaries(KEYS, st.integers(1, 10**6), max_size=4)


@settings(max_examples=60)
@given(
    old=TABLES,
    new=TABLES,
    before=st.sampled_from(["", "a = 1\n", "# x\n[tool.other]\nb = [\n 1,\n]\n", "[tool.promptslim]\nselect = []\n\n"]),
    after=st.sampled_from(["", "\n[z]\ny = 1\n", "\n# end"]),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_a_table_is_edited_in_its_place(
    old: dict[str, int], new: dict[str, int], before: str, after: str, end: str
) -> None:
    body = "".join(f"{json.dumps(key, ensure_ascii=True)} = {limit}  # kept\n" for key, limit in old.items())
    if any(ord(char) > 0xFFFF or ord(char) == 0x7F for key in (*old, *new) for char in key):
        return
    text = f"{before}[tool.promptslim.budgets]\n{body}{after}".replace("\n", end)
    written = with_budgets(text, ("tool", "promptslim", "budgets"), new)
    assert written is not None
    expected = tomllib.loads(text)
    expected["tool"]["promptslim"]["budgets"] = new
    assert tomllib.loads(written) == expected
    assert written.startswith(before.replace("\n", end))
    assert written.endswith(after.replace("\n", end))
    assert written.count("# kept") == len(old.keys() & new.keys())
    assert with_budgets(written, ("tool", "promptslim", "budgets"), new) == written
