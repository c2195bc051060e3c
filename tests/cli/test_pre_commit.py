"""The pre-commit hook: its declaration, and a repository that uses it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from pre_commit.clientlib import load_config, load_manifest

from promptslim.cli import main as entry

ROOT = Path(__file__).parents[2]
MANIFEST = ROOT / ".pre-commit-hooks.yaml"

CLIENT = 'import boto3\n\nclient = boto3.client("bedrock-runtime")\n'
UNCAPPED = CLIENT + 'client.converse(modelId="amazon.nova-lite-v1:0", messages=[])\n'
CAPPED_ELSEWHERE = (
    "from settings import LIMITS\n\n"
    + CLIENT
    + 'client.converse(modelId="amazon.nova-lite-v1:0", messages=[], inferenceConfig=LIMITS)\n'
)
SETTINGS = 'LIMITS = {"maxTokens": 300}\n'
CONFIG = '[tool.promptslim]\nselect = ["PS101"]\nexclude = ["old"]\n'


def hooks() -> dict[str, dict[str, Any]]:
    """The declared hooks by id."""
    return {hook["id"]: hook for hook in load_manifest(MANIFEST)}


def project(folder: Path) -> None:
    """A repository with a finding, a cap in another file, and a finding in an excluded folder."""
    (folder / "old").mkdir(parents=True)
    for path, text in (
        ("app.py", UNCAPPED),
        ("capped.py", CAPPED_ELSEWHERE),
        ("settings.py", SETTINGS),
        ("old/app.py", UNCAPPED),
        ("pyproject.toml", CONFIG),
    ):
        (folder / path).write_text(text)


def test_the_hook_takes_the_file_names_that_it_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hook = hooks()["promptslim"]
    program, *words = hook["entry"].split()
    assert (program, hook["id"]) == ("promptslim", "promptslim")
    project(tmp_path)
    monkeypatch.chdir(tmp_path)

    def check(*files: str) -> tuple[int, set[str]]:
        code = entry.main([*words, *files])
        return code, set(re.findall(r"^(\S+\.py):", capsys.readouterr().out, re.MULTILINE))

    assert check("app.py", "capped.py", "settings.py") == (1, {"app.py"})
    assert check("capped.py") == (0, set())
    assert check("old/app.py") == (0, set())
    (tmp_path / "README.md").write_bytes(b"\xff")
    assert check("README.md") == (0, set())  # no prompt, and so not read


@pytest.mark.parametrize(
    ("path", "passed"),
    [("a.py", True), ("src/nb.ipynb", True), ("a.pyi", False), ("prompt.txt", True), ("page.html", False)],
)
def test_the_hook_gets_files_that_are_read(path: str, passed: bool) -> None:
    for name in ("promptslim", "promptslim-trim"):
        assert (re.search(hooks()[name]["files"], path) is not None) is passed


def test_the_trim_hook_writes_safe_edits_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program, *words = hooks()["promptslim-trim"]["entry"].split()
    assert program == "promptslim"
    (tmp_path / "prompts").mkdir()
    prompt = tmp_path / "prompts" / "a.md"
    prompt.write_text("You are a clerk.   \nIn order to sort the mail,  read it.   \n\n\n\n\nBe brief.   \n")
    (tmp_path / "README.md").write_text("Not a prompt.   \n")
    monkeypatch.chdir(tmp_path)
    assert entry.main([*words, "prompts/a.md", "README.md"]) == 0
    assert "In order to" in prompt.read_text()
    assert "clerk.\n" in prompt.read_text()
    assert (tmp_path / "README.md").read_text() == "Not a prompt.   \n"
    capsys.readouterr()
    assert entry.main([*words, "prompts/a.md", "README.md"]) == 0


def test_the_proof_hook_looks_at_the_whole_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hook = hooks()["promptslim-proofs"]
    program, *words = hook["entry"].split()
    assert program == "promptslim"
    assert hook["pass_filenames"] is False
    project(tmp_path)
    (tmp_path / "pyproject.toml").unlink()
    monkeypatch.chdir(tmp_path)
    assert entry.main(words) == 0
    (tmp_path / "promptslim.lock").write_text("{")
    assert entry.main(words) != 0
    said = capsys.readouterr()
    assert "promptslim.lock" in said.out + said.err


def test_the_readme_shows_a_valid_configuration(tmp_path: Path) -> None:
    block = re.search(
        r"```yaml\n# \.pre-commit-config\.yaml\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL
    )
    config = tmp_path / ".pre-commit-config.yaml"
    config.write_text(block[1])
    (repository,) = load_config(config)["repos"]
    assert [hook["id"] for hook in repository["hooks"]] == list(hooks())


def git(folder: Path, *words: str) -> str:
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *identity, *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


def committed(folder: Path) -> str:
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "all")
    return git(folder, "rev-parse", "HEAD").strip()


@pytest.mark.slow
def test_a_repository_installs_the_hooks_from_a_path(tmp_path: Path) -> None:
    source, user = tmp_path / "hooks", tmp_path / "user"
    for name in git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0"):
        if name and (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    revision = committed(source)
    project(user)
    configuration = {"repos": [{"repo": str(source), "rev": revision, "hooks": [{"id": name} for name in hooks()]}]}
    (user / ".pre-commit-config.yaml").write_text(yaml.safe_dump(configuration))
    committed(user)

    def run(*words: str, by: str = "run") -> tuple[int, str]:
        command = [sys.executable, "-m", "pre_commit", by, "--color", "never", *words]
        environment = {**os.environ, "PRE_COMMIT_HOME": str(tmp_path / "home")}
        done = subprocess.run(command, cwd=user, env=environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    code, out = run("--all-files")
    assert code == 1, out
    assert "app.py:4:1: PS101 missing-max-tokens" in out
    assert "old/app.py" not in out
    assert "1 finding in " in out
    code, out = run("--files", "capped.py")
    assert code == 0, out
    assert "promptslim check" in out
    assert "Passed" in out
    code, out = run(str(source), "promptslim", "--all-files", by="try-repo")
    assert code == 1, out
    assert "app.py:4:1: PS101 missing-max-tokens" in out
