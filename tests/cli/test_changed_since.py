"""``check --changed-since``: what was there before never fails, what a change causes is reported at the change."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from promptslim.cli import main as entry

CLIENT = 'import boto3\n\nclient = boto3.client("bedrock-runtime")\n\n\n'
MODEL = 'modelId="amazon.nova-lite-v1:0"'


def calling(name: str, cap: str = "") -> str:
    return (
        f"def {name}(turns):\n    return client.converse(\n        {MODEL},\n        messages=turns,\n{cap}    )\n\n\n"
    )


CAP = '        inferenceConfig={"maxTokens": 300},\n'


class Repository:
    """A git repository in the working directory."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys
        self.git("init", "-q", "-b", "main")

    def git(self, *words: str) -> str:
        identity = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
        done = subprocess.run(["git", *identity, *words], cwd=self.folder, capture_output=True, text=True, check=True)
        return done.stdout

    def write(self, path: str, text: str) -> None:
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(text, "utf-8")

    def commit(self, message: str = "state") -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)

    def check(self, *words: str, since: str = "main") -> list[tuple[str, str, int]]:
        select = ("--select", "PS101,PS102,PS902")
        code = entry.main(["check", "--output-format", "json", *select, "--changed-since", since, *words])
        found = json.loads(self._capsys.readouterr().out)["findings"]
        assert code == int(bool(found))
        return [(one["code"], one["path"], one["line"]) for one in found]

    def error(self, *words: str) -> str:
        assert entry.main(["check", *words]) == 2
        shown = self._capsys.readouterr()
        assert shown.out == ""
        assert shown.err.count("\n") == 1
        return shown.err


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Repository:
    monkeypatch.chdir(tmp_path)
    made = Repository(tmp_path, capsys)
    made.write("app.py", CLIENT + calling("old") + calling("fine", CAP))
    made.write("src/other.py", CLIENT + calling("other"))
    made.commit()
    made.git("checkout", "-q", "-b", "work")
    return made


def test_without_a_change_nothing_is_new(repository: Repository) -> None:
    assert repository.check() == []
    repository.write("app.py", "# above\n" * 5 + CLIENT + calling("fine", CAP) + calling("old"))
    assert repository.check() == []


def test_a_new_call_is_new_committed_staged_or_neither(repository: Repository) -> None:
    for step in (lambda: None, lambda: repository.git("add", "-A"), repository.commit):
        repository.write("app.py", CLIENT + calling("new") + calling("old") + calling("fine", CAP))
        step()
        assert repository.check() == [("PS101", "app.py", 7)]
    assert repository.check(since="HEAD") == []
    repository.write("never/added.py", CLIENT + calling("untracked"))
    assert repository.check("never") == [("PS101", "never/added.py", 7)]


def test_of_equal_findings_the_one_on_a_changed_line_is_new(repository: Repository) -> None:
    one = f"client.converse({MODEL}, messages=[])\n"
    repository.write("flat.py", CLIENT + one)
    repository.commit()
    repository.git("branch", "-f", "main")
    repository.write("flat.py", CLIENT + one.replace("[]", "[{}]") + "print(1)\n" + one)
    assert repository.check() == [("PS101", "flat.py", 6)]


def test_renamed_files_and_moved_functions_are_not_new(repository: Repository) -> None:
    repository.git("mv", "app.py", "renamed.py")
    repository.write("src/other.py", CLIENT)
    repository.write("elsewhere.py", CLIENT + calling("other"))
    assert repository.check() == []
    assert repository.check("elsewhere.py") == []


def test_a_cap_that_is_taken_away_is_reported_where_it_was(repository: Repository) -> None:
    repository.write("app.py", CLIENT + calling("old") + calling("fine"))
    assert repository.check() == [("PS101", "app.py", 16)]


def test_a_change_in_another_file_is_reported_there(repository: Repository) -> None:
    limits = 'OTHER = 1\n\nLIMITS = {"maxTokens": 300}\n\nNAMES = ["a"]\n'
    repository.write("limits.py", limits)
    using = "from limits import LIMITS\n\n" + CLIENT + calling("far", "        inferenceConfig=LIMITS,\n")
    repository.write("far.py", using)
    repository.write("nb.ipynb", "{}")
    repository.commit()
    repository.git("branch", "-f", "main")
    repository.write("limits.py", limits.replace('{"maxTokens": 300}', "{}").replace('"a"', '"a", "b"'))
    repository.write("far.py", using + "print(1)\n")
    assert repository.check() == [("PS101", "limits.py", 3)]
    assert repository.check("far.py") == [("PS101", "limits.py", 3)]
    entry.main(["check", "--select", "PS101", "--changed-since", "main"])
    shown = repository._capsys.readouterr().out
    assert "(at far.py line 9, caused by this change)" in shown
    assert "= see: far.py:9:12: what it is about" in shown
    assert "; 2 older than the changes\n" in shown


def test_notebooks_are_compared_by_the_lines_of_the_file(repository: Repository) -> None:
    def notebook(*cells: str) -> str:
        made = [
            {"cell_type": "code", "metadata": {}, "outputs": [], "source": cell.splitlines(keepends=True)}
            for cell in cells
        ]
        return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1)

    call = f"client.converse({MODEL}, messages=[])"
    repository.write("nb.ipynb", notebook(CLIENT, call))
    repository.commit()
    repository.git("branch", "-f", "main")
    repository.write("nb.ipynb", notebook(CLIENT, "print(1)", call))
    assert repository.check() == []
    repository.write("nb.ipynb", notebook(CLIENT, "print(1)\n" + call, call))
    assert repository.check() == [("PS101", "nb.ipynb", 2)]
    entry.main(["check", "--select", "PS101", "--output-format", "github", "--changed-since", "main"])
    line = int(repository._capsys.readouterr().out.split("line=")[1].split(",")[0])
    assert "client.converse" in (repository.folder / "nb.ipynb").read_text().splitlines()[line - 1]


def test_a_prompt_file_that_moves_is_not_new(repository: Repository) -> None:
    filler = "Please kindly make sure to answer. It is important to note that you should be polite.\n" * 3
    repository.write("prompts/bank.txt", filler)
    filler_only = ("--select", "filler-wording")
    assert [path for _, path, _ in repository.check(*filler_only)] == ["prompts/bank.txt"]
    repository.commit()
    repository.git("branch", "-f", "main")
    repository.git("mv", "prompts", "system_prompts")
    assert repository.check(*filler_only) == []
    assert repository.check(*filler_only, "system_prompts") == []


def test_a_prompt_over_its_budget_is_known_by_its_text(repository: Repository) -> None:
    over = ("--select", "oversized-system-prompt", "--config", "rules.oversized-system-prompt.budget=20")
    repository.write("prompts/bank.txt", "You answer questions about cards, loans, accounts and branches. " * 9)
    assert [path for _, path, _ in repository.check(*over)] == ["prompts/bank.txt"]
    assert entry.main(["check", "-qq", *over, "--write-baseline"]) == 0
    repository.commit()
    repository.git("branch", "-f", "main")
    repository.git("mv", "prompts/bank.txt", "prompts/quite_another_name.txt")
    assert repository.check(*over) == []
    assert entry.main(["check", "-qq", *over, "--prune-baseline"]) == 0
    with (repository.folder / "prompts/quite_another_name.txt").open("a") as file:
        file.write("And savings.")
    assert entry.main(["check", "-qq", *over]) == 0
    with (repository.folder / "prompts/quite_another_name.txt").open("a") as file:
        file.write("And of course about everything else that a bank offers.")
    assert entry.main(["check", "-qq", *over]) == 1


def test_a_lock_is_compared_too(repository: Repository) -> None:
    proofs = ("--select", "invalid-proof")
    repository.write("promptslim.lock", "{")
    assert [(code, path) for code, path, _ in repository.check(*proofs)] == [("PS702", "promptslim.lock")]
    repository.commit()
    assert [(code, path) for code, path, _ in repository.check(*proofs)] == [("PS702", "promptslim.lock")]
    repository.git("branch", "-f", "main")
    repository.write("app.py", CLIENT)
    assert repository.check(*proofs) == []


def test_from_a_folder_below_and_with_odd_names(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    repository.write('src/ä "b" *.py', CLIENT + calling("odd"))
    monkeypatch.chdir(repository.folder / "src")
    assert repository.check() == [("PS101", 'ä "b" *.py', 7)]
    repository.commit()
    repository.git("branch", "-f", "main")
    repository.write('src/ä "b" *.py', CLIENT + calling("odd") + calling("more"))
    assert repository.check() == [("PS101", 'ä "b" *.py', 14)]


def test_a_file_that_no_longer_parses_is_new(repository: Repository) -> None:
    repository.write("app.py", CLIENT + "client.converse(\n")
    assert [(code, path) for code, path, _ in repository.check()] == [("PS902", "app.py")]


def test_what_cannot_be_compared_is_one_line_and_exit_code_2(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    error = repository.error
    assert "there is no commit 'gone' here; fetch it, or name another" in error("--changed-since", "gone")
    assert "there is no commit '--help' here" in error("--changed-since=--help")
    assert "write it without --changed-since" in error("--changed-since", "main", "--write-baseline")
    assert "name the file instead of -" in error("--changed-since", "main", "-")
    repository.git("checkout", "-q", "--orphan", "alone")
    repository.commit("alone")
    assert "'main' and HEAD have no common commit; name another branch" in error("--changed-since", "main")
    repository.git("checkout", "-q", "work")
    repository.commit()
    clone = tmp_path_factory.mktemp("clone")
    repository.git("clone", "-q", "--depth", "1", "--branch", "work", f"file://{repository.folder}", str(clone))
    monkeypatch.chdir(clone)
    said = error("--changed-since", "origin/main")
    assert "there is no commit 'origin/main' here; fetch the history with git fetch --unshallow" in said
    subprocess.run(["git", "fetch", "-q", "--depth", "1", "origin", "main"], check=True)
    said = error("--changed-since", "FETCH_HEAD")
    assert "in this shallow clone; fetch the history with git fetch --unshallow" in said
    monkeypatch.chdir(tmp_path_factory.mktemp("plain"))
    assert "this is no git repository" in error("--changed-since", "main")
    monkeypatch.setenv("PATH", str(clone))
    assert "git is not installed" in error("--changed-since", "main")


FUNCTIONS = {name: calling(name, cap) for name, cap in (("a", ""), ("b", CAP), ("c", ""), ("d", CAP), ("e", ""))}


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    before=st.lists(st.sampled_from(sorted(FUNCTIONS)), min_size=1, max_size=5, unique=True),
    after=st.permutations(sorted(FUNCTIONS)),
    above=st.integers(0, 4),
    split=st.integers(0, 5),
)
def test_whatever_moves_only_what_is_added_is_new(
    tmp_path_factory: pytest.TempPathFactory,
    capsys: pytest.CaptureFixture[str],
    before: list[str],
    after: list[str],
    above: int,
    split: int,
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("moving")
        patch.chdir(folder)
        made = Repository(folder, capsys)
        made.write("one.py", CLIENT + "".join(FUNCTIONS[name] for name in before))
        made.commit()
        parts = {"one.py": after[:split], "two.py": after[split:]}
        for path, names in parts.items():
            made.write(path, "# x\n" * above + CLIENT + "".join(FUNCTIONS[name] for name in names))
        added = {name for name in ("a", "c", "e") if name not in before}
        found = made.check(since="HEAD")
        expected = sorted(
            (path, above + 7 + sum(FUNCTIONS[n].count("\n") for n in names[: names.index(name)]))
            for path, names in parts.items()
            for name in added
            if name in names
        )
        # Of lines that are all alike git may call another one new; the finding is then reported beside its own.
        assert [path for _, path, _ in found] == [path for path, _ in expected]
        assert all(abs(line - near) <= 2 for (_, _, line), (_, near) in zip(found, expected, strict=True))
