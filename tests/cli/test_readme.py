"""What README.md shows for CI and editors, run or checked as far as it can be here."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator
from junitparser import JUnitXml

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
REPOSITORY = "https://github.com/OWNER/promptslim"
CALL = """import boto3

client = boto3.client("bedrock-runtime")
client.converse(modelId="amazon.nova-lite-v1:0", messages=[])
"""


def block(start: str) -> str:
    """The code block whose fence or first line follows these words."""
    match = re.search(rf"{re.escape(start)}\n(?:```\w+\n)?(.*?)```", README, re.DOTALL)
    assert match is not None, start
    return match[1]


def tool(*words: str) -> str:
    done = subprocess.run(
        [str(Path(sys.executable).with_name(words[0])), *words[1:]], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def shell(tmp_path: Path) -> dict[str, str]:
    """An environment in which ``promptslim`` is this one and ``pip`` does nothing."""
    for name, body in (("promptslim", f'PYTHONPATH="{ROOT}" exec "{sys.executable}" -m promptslim "$@"'), ("pip", ":")):
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\n{body}\n")
        program.chmod(0o755)
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "app.py").write_text(CALL)
    return {**os.environ, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"}


def run(command: str, folder: Path, environment: dict[str, str]) -> int:
    return subprocess.run(["bash", "-c", command], cwd=folder, env=environment, check=False).returncode


def test_the_workflow(tmp_path: Path) -> None:
    text = block("# .github/workflows/promptslim.yml")
    workflow = tmp_path / ".github" / "workflows" / "promptslim.yml"
    workflow.parent.mkdir(parents=True)
    workflow.write_text(text.replace("@v0.1.0", "@" + "0123456789" * 4))
    tool("check-jsonschema", "--builtin-schema", "vendor.github-workflows", str(workflow))
    tool("zizmor", "--offline", "--no-progress", str(workflow))
    given = yaml.safe_load(text)["jobs"]["promptslim"]["steps"][1]["with"]
    assert set(given) <= set(yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))["inputs"])


def test_gitlab(tmp_path: Path, shell: dict[str, str]) -> None:
    text = block("# .gitlab-ci.yml")
    (tmp_path / "gitlab-ci.yml").write_text(text)
    tool("check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", str(tmp_path / "gitlab-ci.yml"))
    job = yaml.safe_load(text)["promptslim"]
    assert [run(line, tmp_path / "work", shell) for line in job["script"]] == [0, 1]
    report = json.loads((tmp_path / "work" / job["artifacts"]["reports"]["codequality"]).read_text())
    schema = json.loads((ROOT / "fixtures" / "formats" / "gitlab.schema.json").read_text())
    Draft202012Validator(schema).validate(report)
    assert "PS101 missing-max-tokens" in {one["check_name"] for one in report}


def test_any_other_ci(tmp_path: Path, shell: dict[str, str]) -> None:
    assert run(block("<!-- command: ci -->"), tmp_path / "work", shell) == 1
    report = JUnitXml.fromstring((tmp_path / "work" / "promptslim.xml").read_bytes())
    assert report.failures >= 1


def test_the_matcher_reads_every_finding_and_nothing_else(tmp_path: Path, shell: dict[str, str]) -> None:
    matcher = json.loads(block("Code a task with this matcher lists the findings:\n"))
    pattern = matcher["pattern"]
    assert (
        run("promptslim check > text.out; promptslim check --output-format json > json.out", tmp_path / "work", shell)
        == 1
    )
    found = [
        (match[pattern["file"]], int(match[pattern["line"]]), int(match[pattern["column"]]), match[pattern["code"]])
        for line in (tmp_path / "work" / "text.out").read_text().splitlines()
        if (match := re.match(pattern["regexp"], line))
    ]
    expected = json.loads((tmp_path / "work" / "json.out").read_text())["findings"]
    assert found == [(one["path"], one["line"], one["column"], one["code"]) for one in expected]
    assert re.match(pattern["regexp"], "nb.ipynb:cell 3:1:1: PS101 missing-max-tokens x")[pattern["line"]] == "1"


def git(folder: Path, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false")
    return subprocess.run(["git", *identity, *words], cwd=folder, capture_output=True, text=True, check=check)


@pytest.mark.slow
def test_a_newcomer_gets_from_nothing_to_hook_workflow_and_first_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "home"))
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.setenv(name, os.devnull)
    published = tmp_path / "published"
    for name in git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").stdout.split("\0"):
        if name and (ROOT / name).is_file():
            (published / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, published / name)
    git(published, "init", "-q")
    git(published, "add", "-A")
    git(published, "commit", "-q", "-m", "all")

    mine = tmp_path / "mine"
    mine.mkdir()
    git(mine, "init", "-q", "-b", "main")
    (mine / ".gitignore").write_text(".venv/\n")
    (mine / "app.py").write_text(CALL)
    (mine / "pyproject.toml").write_text('[project]\nname = "mine"\nversion = "1"\n')
    git(mine, "add", "-A")
    git(mine, "commit", "-q", "-m", "mine")
    transcript: list[str] = []

    def types(name: str) -> list[int]:
        """Run a block of README.md line by line; the exit codes."""
        codes = []
        for line in block(f"<!-- command: {name} -->").replace(REPOSITORY, published.as_uri()).splitlines():
            done = subprocess.run(["bash", "-c", line], cwd=mine, capture_output=True, text=True, check=False)
            transcript.extend((f"$ {line}", done.stdout + done.stderr))
            codes.append(done.returncode)
        return codes

    assert types("install") == [0], "\n".join(transcript)
    assert types("set up") == [1, 0, 0, 0], "\n".join(transcript)
    shown = "\n".join(transcript)
    assert "app.py:4:1: PS101 missing-max-tokens" in shown
    head = git(published, "rev-parse", "HEAD").stdout.strip()
    (hook,) = yaml.safe_load((mine / ".pre-commit-config.yaml").read_text())["repos"]
    assert (hook["repo"], hook["rev"]) == (published.as_uri(), head)
    assert "[tool.promptslim]" in (mine / "pyproject.toml").read_text()
    workflow = mine / ".github" / "workflows" / "promptslim.yml"
    tool("check-jsonschema", "--builtin-schema", "vendor.github-workflows", str(workflow))

    git(mine, "add", "-A")
    first = git(mine, "commit", "-m", "what is there today", check=False)
    assert first.returncode == 0, first.stdout + first.stderr
    (mine / "app.py").write_text(CALL + CALL.splitlines()[-1] + "\n")
    git(mine, "add", "-A")
    second = git(mine, "commit", "-m", "one more call", check=False)
    assert second.returncode == 1
    assert "app.py:5:1: PS101 missing-max-tokens" in second.stdout + second.stderr
    transcript += ["$ git commit -m 'one more call'", second.stdout + second.stderr]
    print("\n".join(transcript))  # noqa: T201 (what `pytest -s` is for)
