"""The GitHub action: what linters say of it, and its check step run by bash as a runner would."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ACTION = ROOT / "action.yml"
STEPS = yaml.safe_load(ACTION.read_text("utf-8"))["runs"]["steps"]
CALL = 'import boto3\n\nboto3.client("bedrock-runtime").converse(modelId="amazon.nova-lite-v1:0", messages=[])\n'


@pytest.mark.parametrize(
    "words",
    [
        ("zizmor", "--offline", "--no-progress", "--pedantic"),
        ("check-jsonschema", "--builtin-schema", "vendor.github-actions"),
    ],
)
def test_the_action_passes(words: tuple[str, ...]) -> None:
    tool = Path(sys.executable).with_name(words[0])
    done = subprocess.run([str(tool), *words[1:], str(ACTION)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_inputs_reach_the_shell_through_the_environment_only() -> None:
    for step in STEPS:
        assert "${{" not in step.get("run", "")
        if "uses" in step:
            assert len(step["uses"].partition("@")[2]) == 40
    assert not [step for step in STEPS if "github.token" in str(step) or "secrets" in str(step)]


class Runner:
    """A folder with a project, and what a runner hands to the check step."""

    def __init__(self, folder: Path) -> None:
        self.work, self.temp = folder / "work", folder / "temp"
        self.work.mkdir()
        program = self.temp / "promptslim-environment" / "bin" / "promptslim"
        program.parent.mkdir(parents=True)
        program.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m promptslim "$@"\n')
        program.chmod(0o755)
        self.output, self.summary = folder / "output", folder / "summary"

    def check(self, **inputs: str) -> tuple[int, str, str]:
        (step,) = [one for one in STEPS if one.get("id") == "check"]
        given = dict.fromkeys(step["env"], "") | {"PATHS": "."} | inputs
        environment = {
            **os.environ,
            **given,
            "RUNNER_TEMP": str(self.temp),
            "GITHUB_OUTPUT": str(self.output),
            "GITHUB_STEP_SUMMARY": str(self.summary),
        }
        # How a runner starts "shell: bash" (GitHub documentation, workflow syntax).
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
        done = subprocess.run(command, cwd=self.work, env=environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


def test_annotations_summary_sarif_and_exit_code(runner: Runner) -> None:
    (runner.work / "my app.py").write_text(CALL)
    (runner.work / "other.py").write_text(CALL)
    code, out, err = runner.check(PATHS="my app.py\n", ARGS="--select\nPS101\n", SARIF_FILE="out.sarif")
    assert (code, err) == (1, "")
    assert out.startswith("::warning file=my app.py,line=3,")
    assert "other.py" not in out
    assert runner.output.read_text() == "exit-code=1\n"
    assert runner.summary.read_text().startswith("### promptslim: 1 finding\n")
    assert '"ruleId": "PS101"' in (runner.work / "out.sarif").read_text()
    assert runner.check(PATHS="my app.py", ARGS="--select\nPS101", FAIL_ON="error")[0] == 0


def test_a_check_that_cannot_run_fails_the_step_and_leaves_no_report(runner: Runner) -> None:
    code, out, err = runner.check(PATHS="--version", SARIF_FILE="out.sarif")
    assert (code, out) == (2, "")
    assert "no such file or folder: --version" in err
    assert runner.output.read_text() == "exit-code=2\n"
    assert not (runner.work / "out.sarif").exists()


def test_inputs_are_words_and_never_code(runner: Runner) -> None:
    text = "$(touch hacked) `touch hacked` ; touch hacked '; touch hacked; ' \"; touch hacked; \""
    everything = dict.fromkeys(("PATHS", "ARGS", "CHANGED_SINCE", "FAIL_ON", "SARIF_FILE"), text)
    assert runner.check(**everything)[0] == 2
    assert runner.check(SARIF_FILE=text)[0] == 0
    assert [path.name for path in runner.work.iterdir()] == [text]
