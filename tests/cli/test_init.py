"""``promptslim init``: shows, then writes; adds and never replaces."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from pre_commit.clientlib import load_config

from promptslim.cli import main as entry
from promptslim.cli.installed_from import parse

ROOT = Path(__file__).parents[2]
SOURCE = ("--source", "https://github.com/OWNER/promptslim@" + "0123456789" * 4)
FILES = ("promptslim.toml", ".pre-commit-config.yaml", ".github/workflows/promptslim.yml")
PIN = re.compile(r"uses: (\S+)@([0-9a-f]{40}) # (v[\d.]+)")

Init = Callable[..., tuple[int, str, str]]


@pytest.fixture
def init(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Init:
    monkeypatch.chdir(tmp_path)

    def command(*words: str) -> tuple[int, str, str]:
        code = entry.main(["init", *words])
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return command


def files(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_shows_everything_and_writes_nothing_unasked(init: Init, tmp_path: Path) -> None:
    code, out, err = init(*SOURCE)
    assert code == 0
    assert all(f"{name}: " in out for name in FILES)
    assert '    +fail-on = "warning"' in out
    assert err == "promptslim: nothing written; add --yes to write without being asked\n"
    assert files(tmp_path) == {}


def test_writes_valid_files_once(init: Init, tmp_path: Path) -> None:
    assert init(*SOURCE, "--yes")[0] == 0
    written = files(tmp_path)
    assert set(written) == set(FILES)
    assert tomllib.loads(written["promptslim.toml"]) == {"fail-on": "warning"}
    (repository,) = load_config(str(tmp_path / ".pre-commit-config.yaml"))["repos"]
    assert (repository["repo"], repository["hooks"][0]["id"]) == ("https://github.com/OWNER/promptslim", "promptslim")
    assert entry.main(["config"]) == 0
    code, _, err = init(*SOURCE, "-y")
    assert (code, err) == (0, "promptslim: there is nothing to write\n")
    assert files(tmp_path) == written


@pytest.mark.parametrize("source", [SOURCE, ("--source", "https://git.example.org/tools/promptslim.git@v1.0")])
def test_the_workflow_passes_a_linter_and_the_schema(init: Init, tmp_path: Path, source: tuple[str, ...]) -> None:
    assert init(*source, "--yes")[0] == 0
    workflow = tmp_path / ".github" / "workflows" / "promptslim.yml"
    for command in (
        ["zizmor", "--offline", "--no-progress", "--pedantic", str(workflow)],
        ["check-jsonschema", "--builtin-schema", "vendor.github-workflows", str(workflow)],
    ):
        tool = Path(sys.executable).with_name(command[0])
        done = subprocess.run([str(tool), *command[1:]], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    pins = set(PIN.findall(workflow.read_text()))
    known = set(PIN.findall((ROOT / "action.yml").read_text()))
    assert {pin for pin in pins if pin[0] in {name for name, _, _ in known}} <= known
    permissions = yaml.safe_load(workflow.read_text())
    assert permissions["permissions"] == {}
    assert permissions["jobs"]["promptslim"]["permissions"] == {"contents": "read"}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_adds_to_what_is_there(init: Init, tmp_path: Path, end: str) -> None:
    project = '# mine\n[project]\nname = "x"  # keep'.replace("\n", end)
    hooks = "repos:\n- repo: https://github.com/a/b  # keep\n  rev: v1\n  hooks:\n  - id: c\n".replace("\n", end)
    (tmp_path / "pyproject.toml").write_bytes(project.encode())
    (tmp_path / ".pre-commit-config.yaml").write_bytes(hooks.encode())
    assert init(*SOURCE, "--yes")[0] == 0
    after = (tmp_path / "pyproject.toml").read_bytes().decode()
    assert after.startswith(project + end)
    assert tomllib.loads(after)["tool"] == {"promptslim": {"fail-on": "warning"}}
    after_hooks = (tmp_path / ".pre-commit-config.yaml").read_bytes().decode()
    assert after_hooks.startswith(hooks)
    assert [one["repo"] for one in yaml.safe_load(after_hooks)["repos"]] == ["https://github.com/a/b", SOURCE[1][:35]]
    assert all(after.count("\n") == after.count(end) for after in (after, after_hooks))
    assert not (tmp_path / "promptslim.toml").exists()


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("pyproject.toml", "[tool.promptslim]\nselect = ['PS1']\n", "it has [tool.promptslim] already"),
        ("pyproject.toml", "[project\n", "it is not valid TOML"),
        ("pyproject.toml", "tool = {ruff = {}}\n", "its [tool] cannot be added to"),
        (".pre-commit-config.yaml", "repos:\n- repo: local\n  hooks: [{id: promptslim}]\n", "it has the hook already"),
        (".pre-commit-config.yaml", "repos: [\n", "it is not valid YAML"),
        (".pre-commit-config.yaml", "repos: [{repo: meta, hooks: [{id: identity}]}]\n", "not at its end; add this"),
        (".pre-commit-config.yaml", "repos:\n- repo: meta\n  hooks: []\nci: {}\n", "not at its end; add this"),
        (".pre-commit-config.yaml", "ci: {}\n", "it has no list of repos; add this to it:"),
        (".github/workflows/promptslim.yml", "mine\n", "it is there already"),
    ],
)
def test_leaves_alone_what_it_cannot_add_to(init: Init, tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text(text)
    code, out, _ = init(*SOURCE, "--yes")
    assert code == 0
    assert f"{name}: unchanged: " in out
    assert said in out
    assert (tmp_path / name).read_text() == text


def test_without_a_known_origin_the_hook_runs_the_installed_command(
    init: Init, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("promptslim.cli.commands.init.installed_from", lambda: None)
    code, out, _ = init("--yes")
    assert code == 0
    assert "run again with --source URL@REVISION" in out
    (repository,) = load_config(str(tmp_path / ".pre-commit-config.yaml"))["repos"]
    manifest = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())[0]
    assert {key: repository["hooks"][0][key] for key in ("entry", "files", "types", "require_serial")} == {
        key: manifest[key] for key in ("entry", "files", "types", "require_serial")
    }


@pytest.mark.parametrize(
    "text", ["x", "@v1", "https://x.y/$(touch z)@v1", "https://x.y/z@", "https://x.y/z@v1;ls", "a b@c"]
)
def test_a_source_is_a_place_and_a_revision(init: Init, text: str) -> None:
    assert parse(text) is None
    code, out, err = init("--source", text)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "is not URL@REVISION" in err


def test_a_file_in_the_way_of_a_folder_is_one_line(init: Init, tmp_path: Path) -> None:
    (tmp_path / ".github").write_text("")
    code, _, err = init(*SOURCE, "--yes")
    assert code == 2
    assert "cannot" in err.splitlines()[-1]


@pytest.mark.parametrize(("answer", "written"), [("y\n", True), ("\n", False)])
def test_asks_at_a_terminal(tmp_path: Path, answer: str, written: bool) -> None:
    main, child = pty.openpty()
    try:
        with subprocess.Popen(
            [sys.executable, "-m", "promptslim", "init", *SOURCE],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=child,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            os.write(main, answer.encode())
            err = process.communicate(timeout=30)[1]
    finally:
        os.close(main)
        os.close(child)
    assert err.startswith("Write these 3 files? [y/N] ")
    assert (tmp_path / "promptslim.toml").exists() is written
