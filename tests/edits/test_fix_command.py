"""``check --fix`` and its relatives, end to end on small projects."""

from __future__ import annotations

import ast
import json
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from promptslim.cli import main as entry

sys.path.insert(0, str(Path(__file__).parents[1] / "proof"))

CLIENT = 'import boto3\n\nclient = boto3.client("bedrock-runtime")\n'
UNCAPPED = 'client.converse(modelId="amazon.nova-lite-v1:0", messages=[])\n'
CAPPED = 'client.converse(modelId="amazon.nova-lite-v1:0", messages=[], inferenceConfig={"maxTokens": 300})'
STALE = CAPPED + "  # promptslim: ignore[missing-max-tokens]\n"
SYSTEM = "You read many documents every day.       \n" + "Answer with the facts that stand in the text.        \n" * 2
SPACED = (
    CLIENT
    + f'\nSYSTEM = """{SYSTEM}"""\n\n\ndef ask(text):\n    return client.converse(\n'
    + '        modelId="amazon.nova-lite-v1:0",\n        system=[{"text": SYSTEM}],\n'
    + '        messages=[{"role": "user", "content": [{"text": text}]}],\n'
    + '        inferenceConfig={"maxTokens": 300},\n    )\n'
)
CONFIG = "[rules.wasted-whitespace]\nmin-tokens = 2\nmin-share = 0.01\n"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command line in an empty folder: exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)

    def command(*words: str) -> tuple[int, str, str]:
        code = entry.main(("check", "--ignore", "PS601", *words))
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return command


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_safe_fixes_only(run: Run, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(CLIENT + UNCAPPED + STALE)
    code, out, err = run("--fix")
    assert code == 1
    assert "PS101 missing-max-tokens" in out
    assert "PS901" not in out
    assert err == "promptslim: Fixed 1 finding in 1 file; 1 remains (1 fixable with --unsafe-fixes)\n"
    assert (tmp_path / "app.py").read_text() == CLIENT + UNCAPPED + CAPPED + "\n"


def test_unsafe_fixes(run: Run, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(CLIENT + UNCAPPED + STALE)
    code, out, err = run("--fix", "--unsafe-fixes")
    assert (code, err) == (0, "promptslim: Fixed 2 findings in 1 file\n")
    assert out.startswith("No findings")
    text = (tmp_path / "app.py").read_text()
    assert text.count("maxTokens") == 2
    ast.parse(text)
    before = tree(tmp_path)
    assert run("--fix", "--unsafe-fixes")[2] == "promptslim: Nothing to fix\n"
    assert tree(tmp_path) == before


def test_fixes_at_one_place_take_turns(run: Run, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(CLIENT + UNCAPPED)
    words = ("--fix-only", "--unsafe-fixes", "--select", "PS1,PS6")
    assert entry.main(("check", *words)) == 0
    text = (tmp_path / "app.py").read_text()
    assert "maxTokens" in text
    assert entry.main(("check", *words)) == 0
    assert (tmp_path / "app.py").read_text() == text


def test_fix_only(run: Run, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(CLIENT + UNCAPPED + STALE)
    code, out, err = run("--fix-only")
    assert (code, out) == (0, "")
    assert "Fixed 1 finding" in err
    assert "ignore[" not in (tmp_path / "app.py").read_text()


def test_diff_writes_nothing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(CLIENT + STALE)
    (tmp_path / "fine.py").write_text(CLIENT + CAPPED + "\n")
    before = tree(tmp_path)
    code, out, err = run("--diff")
    assert code == 1
    assert out == (
        '--- app.py\n+++ app.py\n@@ -1,4 +1,4 @@\n import boto3\n \n client = boto3.client("bedrock-runtime")\n'
        f"-{STALE}+{CAPPED}\n"
    )
    assert err == "promptslim: Would fix 1 finding in 1 file\n"
    assert tree(tmp_path) == before
    assert run("--diff", "fine.py") == (0, "", "promptslim: Nothing to fix\n")
    assert run("--diff", "--exit-zero")[0] == 0


def test_hint_of_what_can_be_fixed(run: Run, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(CLIENT + UNCAPPED + STALE)
    assert run()[1].endswith("1 fixable with --fix, 1 more with --unsafe-fixes\n")
    assert run("--unsafe-fixes")[1].endswith("2 fixable with --fix --unsafe-fixes\n")
    answer = json.loads(run("--output-format", "json")[1])
    assert [one["fixable"] for one in answer["findings"]] == ["unsafe", "safe"]


def test_prompt_text(run: Run, tmp_path: Path) -> None:
    (tmp_path / "promptslim.toml").write_text(CONFIG)
    (tmp_path / "app.py").write_text(SPACED)
    code, _, err = run("--fix")
    assert (code, err) == (0, "promptslim: Fixed 1 finding in 1 file\n")
    fixed = "You read many documents every day.\n" + "Answer with the facts that stand in the text.\n" * 2
    assert (tmp_path / "app.py").read_text() == SPACED.replace(SYSTEM, fixed)


def test_prompt_with_a_proof_is_listed(run: Run, tmp_path: Path) -> None:
    import projects

    files = {**projects.FILES, "app.py": SPACED, "promptslim.toml": CONFIG}
    projects.lay_out(tmp_path, files)
    from dataclasses import replace

    label, code = projects.inputs(tmp_path)
    claim = replace(projects.claim_of(code, files), parameters={"max_tokens": 300})
    made, evidence, _ = projects.made_entry(
        label, "app.py", claim, projects.rows(40), projects.TODAY, projects.EVIDENCE, texts=True
    )
    (tmp_path / projects.EVIDENCE).parent.mkdir(exist_ok=True)
    (tmp_path / projects.EVIDENCE).write_bytes(evidence)
    projects.write(tmp_path, made)
    code, _, err = run("--fix", "--extend-select", "PS7")
    assert "not fixed: app.py:" in err
    assert "would need a new proof" in err
    assert (tmp_path / "app.py").read_text() == SPACED
    assert "would need a new proof" in run("--fix", "--unsafe-fixes")[2]
    assert (tmp_path / "app.py").read_text() == SPACED
    (tmp_path / "promptslim.lock").unlink()
    assert "Fixed 1 finding" in run("--fix")[2]


@pytest.mark.parametrize(
    ("before", "wanted"),
    [
        (CLIENT + STALE, CLIENT + CAPPED + "\n"),
        ((CLIENT + STALE).replace("\n", "\r\n"), (CLIENT + CAPPED + "\n").replace("\n", "\r\n")),
        ("\ufeff" + CLIENT + STALE, "\ufeff" + CLIENT + CAPPED + "\n"),
        (CLIENT.replace("\n", "\r\n") + "é = 1\n" + STALE, CLIENT.replace("\n", "\r\n") + "é = 1\n" + CAPPED + "\n"),
        (CLIENT + STALE.rstrip("\n"), CLIENT + CAPPED),
    ],
    ids=["lf", "crlf", "bom", "mixed", "no end"],
)
def test_form_of_the_file_stays(run: Run, tmp_path: Path, before: str, wanted: str) -> None:
    (tmp_path / "app.py").write_bytes(before.encode())
    assert "Fixed 1" in run("--fix")[2]
    assert (tmp_path / "app.py").read_bytes() == wanted.encode()


def test_encoding_stays(run: Run, tmp_path: Path) -> None:
    head = "# -*- coding: latin-1 -*-\nNAME = 'é'\n"
    (tmp_path / "app.py").write_bytes((head + CLIENT + STALE).encode("latin-1"))
    assert "Fixed 1" in run("--fix")[2]
    assert (tmp_path / "app.py").read_bytes() == (head + CLIENT + CAPPED + "\n").encode("latin-1")


def test_notebook(run: Run, tmp_path: Path) -> None:
    book = {
        "cells": [
            {"cell_type": "code", "execution_count": 3, "metadata": {}, "outputs": [{"a": 1.50}], "source": [s]}
            for s in ("%time\n" + CLIENT, STALE)
        ],
        "metadata": {"z": 1, "a": "\u00e9"},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    raw = json.dumps(book, indent=3).replace('"metadata": {}', '"metadata" : { }')
    (tmp_path / "n.ipynb").write_text(raw)
    code, out, _ = run("--diff")
    assert code == 1
    assert out.startswith("--- n.ipynb:cell 1\n+++ n.ipynb:cell 1\n@@ -1 +1 @@\n-client.converse(")
    assert "Fixed 1" in run("--fix")[2]
    assert (tmp_path / "n.ipynb").read_text() == raw.replace("  # promptslim: ignore[missing-max-tokens]", "")


def test_difference_is_escaped(run: Run, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(CLIENT + "x = '\x1b[31m'  \tz = 1\n".replace("  \tz = 1", "") + STALE)
    assert "\x1b" not in run("--diff")[1]


def test_mode_and_link_stay(run: Run, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    target = tmp_path / "real" / "app.py"
    target.write_text(CLIENT + STALE)
    target.chmod(0o751)
    (tmp_path / "link.py").symlink_to(target)
    assert "Fixed" in run("--fix", "link.py")[2]
    assert (tmp_path / "link.py").is_symlink()
    assert stat.S_IMODE(target.stat().st_mode) == 0o751
    assert target.read_text() == CLIENT + CAPPED + "\n"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["app.py", "link.py", "real"]


def test_read_only_file_stays_and_others_change(run: Run, tmp_path: Path) -> None:
    for name in ("a.py", "b.py", "c.py"):
        (tmp_path / name).write_text(CLIENT + STALE + f"# {name}\n")
    (tmp_path / "b.py").chmod(0o444)
    code, _, err = run("--fix")
    assert code == 2
    assert "promptslim: error: b.py is read-only; make it writable and run again\n" in err
    assert "Fixed 2 findings in 2 files" in err
    assert [CAPPED + "\n" in (tmp_path / name).read_text() for name in ("a.py", "b.py", "c.py")] == [True, False, True]


@pytest.mark.parametrize("change", ["gone", "edited"])
def test_file_that_changes_meanwhile(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    from promptslim.cli import fixes

    for name in ("a.py", "b.py"):
        (tmp_path / name).write_text(CLIENT + STALE + f"# {name}\n")
    write = fixes.write_changes

    def meanwhile(*arguments: object) -> frozenset[str]:
        if change == "gone":
            (tmp_path / "a.py").unlink()
        else:
            (tmp_path / "a.py").write_text("mine")
        return write(*arguments)

    monkeypatch.setattr(fixes, "write_changes", meanwhile)
    code, _, err = run("--fix")
    assert code == 2
    assert ("a.py is gone" if change == "gone" else "a.py has changed") in err
    assert not (tmp_path / "a.py").exists() or (tmp_path / "a.py").read_text() == "mine"
    assert CAPPED + "\n" in (tmp_path / "b.py").read_text()


@pytest.mark.parametrize("flag", ["--changed-since=HEAD", "--write-baseline", "--add-ignore=why"])
def test_flags_that_do_not_go_together(run: Run, tmp_path: Path, flag: str) -> None:
    (tmp_path / "app.py").write_text(CLIENT + STALE)
    code, out, err = run("--fix", flag)
    assert (code, out) == (2, "")
    assert err.startswith("promptslim: error: --fix and --")


def test_prompt_files(run: Run, tmp_path: Path) -> None:
    (tmp_path / "promptslim.toml").write_text(CONFIG)
    (tmp_path / "prompts").mkdir()
    lines = "You read many documents every day, and answer.       \n- Use the facts.         \n"
    block = "".join(f"  {line}\n" for line in lines.splitlines())
    (tmp_path / "prompts" / "one.md").write_text(lines)
    (tmp_path / "prompts" / "two.yaml").write_text(f"n: 1  # kept\nsystem_prompt: |\n{block}after: 'x'\n")
    (tmp_path / "prompts" / "three.json").write_text(json.dumps({"system_prompt": lines, "n": 1.0}, indent=3))
    code, _, err = run("--fix", "--select", "PS205")
    assert (code, err) == (0, "promptslim: Fixed 3 findings in 3 files\n")
    found = (tmp_path / "prompts" / "one.md").read_text()
    assert found.startswith("You read many documents every day, and answer.\n")
    import yaml

    data = yaml.safe_load((tmp_path / "prompts" / "two.yaml").read_text())
    assert (data["n"], data["after"], data["system_prompt"]) == (1, "x", found)
    assert json.loads((tmp_path / "prompts" / "three.json").read_text()) == {"system_prompt": found, "n": 1.0}
    assert "# kept" in (tmp_path / "prompts" / "two.yaml").read_text()


def test_baseline_findings_are_not_fixed(run: Run, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(CLIENT + STALE)
    run("--write-baseline", "--baseline", "known.json")
    assert run("--fix", "--baseline", "known.json")[2] == "promptslim: Nothing to fix\n"
    assert (tmp_path / "app.py").read_text() == CLIENT + STALE


FILLED = """import json

from openai import OpenAI

client = OpenAI()


def ask(rows):
    prompt = f'''Rows:
    {json.dumps(rows, indent=2)}'''
    other = f"Rows: {json.dumps(rows, indent=4, default=str)} and {rows.model_dump_json(indent=2)}"
    client.chat.completions.create(model="gpt-4o", max_tokens=9, messages=[{"role": "user", "content": prompt}])
    client.chat.completions.create(model="gpt-4o", max_tokens=9, messages=[{"role": "user", "content": other}])
"""


def test_code_in_the_field_of_a_string(run: Run, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(FILLED)
    code, _, err = run("--fix", "--unsafe-fixes", "--select", "PS206")
    assert (code, err) == (0, "promptslim: Fixed 3 findings in 1 file\n")
    text = (tmp_path / "app.py").read_text()
    assert """    {json.dumps(rows, separators=(",", ":"))}'''""" in text
    assert "{json.dumps(rows, separators=(',', ':'), default=str)} and {rows.model_dump_json()}" in text
    ast.parse(text)


def piped(folder: Path, data: bytes, *words: str) -> tuple[int, bytes, str]:
    command = [sys.executable, "-m", "promptslim", "check", "-", "--ignore", "PS601", *words]
    done = subprocess.run(command, cwd=folder, input=data, capture_output=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr.decode()


def test_standard_input_goes_to_standard_output(tmp_path: Path) -> None:
    data = (CLIENT + UNCAPPED + STALE).replace("\n", "\r\n").encode("utf-8-sig")
    wanted = data.replace(b"  # promptslim: ignore[missing-max-tokens]", b"")
    (tmp_path / "app.py").write_text("other = 1\n")
    (tmp_path / "more.py").write_text(CLIENT + STALE)
    before = tree(tmp_path)
    code, out, err = piped(tmp_path, data, "--fix", "--stdin-filename", "app.py")
    assert (code, out) == (1, wanted)
    assert "app.py:4:1: PS101" in err
    assert err.endswith("Fixed 1 finding in 1 file; 1 remains (1 fixable with --unsafe-fixes)\n")
    assert piped(tmp_path, wanted, "--fix-only")[:2] == (0, wanted)
    code, out, _ = piped(tmp_path, data, "--diff", "--unsafe-fixes", "--stdin-filename", "app.py")
    assert code == 1
    assert out.startswith(b"--- app.py")
    assert b"maxTokens" in out
    assert b"more.py" not in out
    assert tree(tmp_path) == before
    assert piped(tmp_path, b"x = (\n", "--fix")[:2] == (1, b"x = (\n")
    assert piped(tmp_path, data, "more.py", "--fix")[0] == 2


def test_a_finding_that_is_left_is_not_called_fixed(run: Run, tmp_path: Path) -> None:
    (tmp_path / "promptslim.toml").write_text("[rules.wasted-whitespace]\nmin-tokens = 2\nmin-share = 0.01\n")
    line = "    Answer with the facts that stand in the text, and with nothing else.   \n"
    (tmp_path / "app.py").write_text(SPACED.replace(SYSTEM, "Read.\n" + line * 12))
    code, out, err = run("--fix", "--select", "PS205")
    text = (tmp_path / "app.py").read_text()
    assert "else.   \n" not in text
    assert "PS205" in out
    assert (code, err) == (1, "promptslim: Fixed 1 finding in part, in 1 file; 1 remains\n")
