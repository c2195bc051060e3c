"""A check shows again what it found, as long as nothing has changed that this depends on."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from promptslim.cli import main as entry
from promptslim.discover import file_state
from promptslim.pipeline import kept_runs

APP = """import boto3

from prompts import RULES
from settings import CAP, MODEL

client = boto3.client("bedrock-runtime")


def ask(question, cap=CAP):
    system = [{"text": RULES}]
    return client.converse(modelId=MODEL, system=system, messages=[question], inferenceConfig={"maxTokens": cap})
"""
LONG = "Never quote an hour of arrival, only a date range taken from the table of the carrier. " * 100
VERSIONS: dict[str, tuple[str | None, ...]] = {
    "app.py": (APP, APP.replace(', inferenceConfig={"maxTokens": cap}', ""), APP.replace("=CAP", "=90_000"), None),
    "prompts.py": (
        'from pathlib import Path\n\nRULES = Path("rules.md").read_text()\n',
        'RULES = "Answer briefly."\n',
        None,
    ),
    "rules.md": ("Answer briefly.\n", LONG, f"# Rules\n\n{LONG}\n", None),
    "settings.py": (
        'MODEL = "us.anthropic.claude-haiku-4-5-20251001-v1:0"\nCAP = 300\n',
        'MODEL = "us.anthropic.claude-3-opus-20240229-v1:0"\nCAP = 300\n',
        'MODEL = "us.anthropic.claude-haiku-4-5-20251001-v1:0"\nCAP = 60_000\n',
        None,
    ),
    "caller.py": (None, "from app import ask\n\nfor q in (1, 2):\n    ask(q)\n", "import app\n\napp.ask(1, 50_000)\n"),
    "promptslim.toml": (None, 'ignore = ["PS502"]\n', 'exclude = ["app.py"]\n', 'prompts = ["*.md"]\n'),
    ".gitignore": (None, "caller.py\n", "app.py\n"),
}
CHANGES = st.sampled_from([(path, text) for path, texts in VERSIONS.items() for text in texts])
COMMANDS = (("check", "app.py"), ("check",))


class Project:
    """A folder with files, in which commands run."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys

    def put(self, path: str, text: str | None) -> None:
        if text is None:
            (self.folder / path).unlink(missing_ok=True)
        else:
            (self.folder / path).write_text(text, "utf-8")

    def run(self, *words: str) -> tuple[int, str, str]:
        code = entry.main(words)
        shown = self._capsys.readouterr()
        return code, shown.out, shown.err

    def kept(self, *words: str) -> bool:
        """Whether a run shows what an earlier one found."""
        return "nothing has changed since" in self.run(*words, "-v")[2]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Project:
    monkeypatch.setenv("PROMPTSLIM_CACHE_DIR", str(tmp_path / "cache"))
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    made = Project(folder, capsys)
    for path, texts in VERSIONS.items():
        made.put(path, texts[0])
    settle()
    return made


def settle() -> None:
    """Let the clock run on: what was written in the very moment in which a run starts is not relied upon."""
    time.sleep(0.03)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(CHANGES, min_size=1, max_size=3))
def test_it_shows_what_a_run_without_a_cache_finds(project: Project, changes: list[tuple[str, str | None]]) -> None:
    for path, text in changes:
        project.put(path, text)
        settle()
        for command in COMMANDS:
            fresh = project.run(*command, "--output-format", "json", "--no-cache")
            assert project.run(*command, "--output-format", "json") == fresh
            assert project.run(*command, "--output-format", "json") == fresh


@pytest.mark.parametrize("command", COMMANDS)
def test_a_second_run_is_kept_in_every_format(project: Project, command: tuple[str, ...]) -> None:
    project.put("settings.py", VERSIONS["settings.py"][2])
    settle()
    assert not project.kept(*command)
    assert project.kept(*command)
    for shown_as in ("text", "json", "sarif", "github", "grouped", "rdjson"):
        fresh = project.run(*command, "--output-format", shown_as, "--no-cache")
        assert project.run(*command, "--output-format", shown_as) == fresh
        assert fresh[0] == 1


def changes_that_matter() -> Iterator[tuple[str, Callable[[Project], object]]]:
    yield "the file", lambda project: project.put("app.py", APP + "\n")
    yield "what it imports", lambda project: project.put("settings.py", VERSIONS["settings.py"][1])
    yield "what that reads", lambda project: project.put("rules.md", LONG)
    yield "a file that is gone", lambda project: project.put("rules.md", None)
    yield "a new caller", lambda project: project.put("caller.py", VERSIONS["caller.py"][2])
    yield "a file that was missing", lambda project: project.put("utilities.py", "CAP = 90_000\n")
    yield "the configuration", lambda project: project.put("promptslim.toml", 'ignore = ["PS101"]\n')


@pytest.mark.parametrize("change", [pytest.param(change, id=name) for name, change in changes_that_matter()])
def test_what_the_findings_of_a_file_depend_on(project: Project, change: Callable[[Project], object]) -> None:
    project.put("app.py", f"from utilities import CAP as OTHER\n{APP}".replace("=CAP", "=OTHER"))
    settle()
    project.run("check", "app.py")
    assert project.kept("check", "app.py")
    change(project)
    settle()
    fresh = project.run("check", "app.py", "--no-cache")
    assert not project.kept("check", "app.py")
    assert project.run("check", "app.py") == fresh


def test_times_alone_are_no_change_and_settled_times_are_enough(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.run("check")
    os.utime(project.folder / "app.py", (1, 1))
    assert project.kept("check")
    monkeypatch.setattr(file_state, "UNSETTLED_NS", 0)
    monkeypatch.setattr(kept_runs, "MOST_CHECKSUMS", 0)
    project.put("other.py", "x = 1\n")
    settle()
    assert not project.kept("check")
    assert project.kept("check")
    os.utime(project.folder / "other.py", (1, 1))
    assert not project.kept("check")


def test_what_is_written_while_a_run_goes_on_is_not_relied_upon(project: Project) -> None:
    ahead = time.time() + 60
    os.utime(project.folder / "app.py", (ahead, ahead))
    project.run("check")
    assert not project.kept("check")


def test_a_baseline_belongs_to_the_run(project: Project) -> None:
    assert project.run("check")[0] == 1
    assert project.run("check", "--write-baseline")[0] == 0
    assert not project.kept("check")
    assert project.kept("check")
    assert project.run("check") == project.run("check", "--no-cache")
    project.put("settings.py", VERSIONS["settings.py"][1])
    settle()
    fresh = project.run("check", "--no-cache")
    assert project.run("check") == fresh
    assert project.run("check") == fresh
    assert "fixed but still in" in fresh[2]


DAMAGE = st.sampled_from(["", "[", '"', "9", "null", "[]"])
FOREIGN = st.sampled_from([[], [[], []], [[], ["X"]], [[], ["Outcome"]], [[["a"]], []], {}, None])


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.floats(0, 1, exclude_max=True), cut=st.integers(0, 40), damage=DAMAGE, foreign=FOREIGN)
def test_a_damaged_or_foreign_file_is_passed_over(
    project: Project, at: float, cut: int, damage: str, foreign: object
) -> None:
    fresh = project.run("check", "app.py", "--no-cache")
    project.run("check", "app.py")
    (file,) = (project.folder.parent / "cache" / "runs").iterdir()
    good = file.read_text("ascii")
    start = int(at * len(good))
    file.write_text(good[:start] + damage + good[start + cut :], "ascii")
    assert project.run("check", "app.py") == fresh
    other = json.dumps({**json.loads(good.partition("\n")[2]), "outcome": foreign})
    file.write_text(f"{crc32(other.encode()):08x}\n{other}", "ascii")
    assert project.run("check", "app.py") == fresh


def test_no_more_than_a_number_of_runs_is_kept(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_runs, "MOST_KEPT", 8)
    for number in range(12):
        project.run("check", "--select", f"PS{101 + number}"[:5])
        project.run("check", *["."] * (number + 1))
    assert len(list((project.folder.parent / "cache" / "runs").iterdir())) <= 8
    assert project.kept("check", *["."] * 12)


def test_a_cache_that_cannot_be_written_costs_only_time(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PROMPTSLIM_CACHE_DIR", str(tmp_path / "file" / "cache"))
    assert project.run("check") == project.run("check", "--no-cache")
    assert not project.kept("check")
