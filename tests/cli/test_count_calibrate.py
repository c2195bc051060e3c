"""``count --calibrate`` through real boto3 and the local server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from promptslim.cli.main import main
from promptslim.verify.local.answers import echo
from promptslim.verify.local.server import LocalServer
from promptslim.verify.local.service import Service

CLAUDE = "us.anthropic.claude-sonnet-4-6"
NOVA = "us.amazon.nova-pro-v1:0"
LONG = "Answer in one short sentence, cite the paragraph you rely on, and refuse what the contract does not say. " * 20
CODE = "def f(xs: list[int]) -> dict[str, int]:\n    return {str(x): x ** 2 for x in xs if x % 3}\n" * 20


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    with LocalServer(Service(echo)) as running:
        yield running


def count(folder: Path, url: str, *words: str) -> subprocess.CompletedProcess[str]:
    known = {
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": url,
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "y",
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
    }
    command = [sys.executable, "-m", "promptslim", "count", *words]
    return subprocess.run(command, cwd=folder, env={**os.environ, **known}, capture_output=True, text=True, timeout=60)


def test_the_factor_makes_the_estimates_agree_with_the_service(server: LocalServer, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(LONG)
    (tmp_path / "b.txt").write_text(CODE)
    words = ("--calibrate", "--model", CLAUDE, "a.txt", "b.txt")
    found = json.loads(count(tmp_path, server.url, *words, "--output-format", "json").stdout)
    assert (found["family"], found["frame"]) == ("claude-3", 7)
    exact = json.loads(
        count(tmp_path, server.url, "--exact", "--model", CLAUDE, "a.txt", "b.txt", "--output-format", "json").stdout
    )
    assert [row["counted"] + 7 for row in found["texts"]] == [row["tokens"] for row in exact["counts"]]
    sums = [sum(row[key] for row in found["texts"]) for key in ("counted", "estimated")]
    assert found["factor"] == pytest.approx(sums[0] / sums[1], abs=0.0005)
    assert found["lowest"] < found["factor"] < found["highest"]
    printed = count(tmp_path, server.url, *words).stdout
    assert printed.startswith(f"a.txt: {found['texts'][0]['estimated']:,} tokens estimated, ")
    config = tomllib.loads(printed[printed.index("[tool.") :])
    assert config == {"tool": {"promptslim": {"calibration": {"claude-3": found["factor"]}}}}


def test_without_files_the_prompts_of_the_code_are_counted(server: LocalServer, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(
        f"import boto3\n\nSYSTEM = {LONG * 2!r}\n\nclient = boto3.client('bedrock-runtime')\n"
        f"client.converse(modelId={NOVA!r}, system=[{{'text': SYSTEM}}],\n"
        "                messages=[{'role': 'user', 'content': [{'text': 'Hi'}]}])\n"
    )
    done = count(tmp_path, server.url, "--calibrate", "--model", NOVA)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("app.py::SYSTEM: ")
    assert "amazon.nova-pro: factor " in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--calibrate", "a.txt"), "--calibrate needs one model"),
        (("--calibrate", "--model", CLAUDE, "--model", NOVA, "a.txt"), "--calibrate needs one model"),
        (("--calibrate", "--exact", "--model", CLAUDE, "a.txt"), "leave --exact out"),
        (("--calibrate", "--model", CLAUDE, "a.txt"), "a calibration takes 500 or more"),
        (("--calibrate", "--model", CLAUDE), "no text to calibrate by"),
    ],
)
def test_what_is_missing_is_one_line(server: LocalServer, tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    (tmp_path / "a.txt").write_text("hello\n")
    done = count(tmp_path, server.url, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_later_estimates_use_the_factor_and_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text(LONG)
    words = ("count", "a.txt", "--model", NOVA, "--output-format", "json")

    def counted(*more: str) -> dict[str, object]:
        assert main([*words, *more]) == 0
        (row,) = json.loads(capsys.readouterr().out)["counts"]
        return dict(row)

    plain = counted()
    (tmp_path / "promptslim.toml").write_text('[calibration]\n"amazon.nova-pro" = 1.25\n')
    scaled = counted()
    assert (plain["calibrated"], scaled["calibrated"], scaled["factor"]) == (False, True, 1.25)
    assert (plain["method"], scaled["method"]) == ("estimate", "estimate")
    for key in ("tokens", "low", "high"):
        before, after = plain[key], scaled[key]
        assert isinstance(before, int)
        assert after == pytest.approx(1.25 * before, abs=1)
    assert main(words[:4]) == 0
    assert "estimate times 1.25 by your calibration" in capsys.readouterr().out
    assert main([*words[:3], CLAUDE]) == 0
    assert "reconstructed" in capsys.readouterr().out


@pytest.mark.parametrize("value", ["0", "9.5", "true", "'1'", "nan"])
def test_a_factor_that_is_none_is_refused(
    value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("hello")
    (tmp_path / "promptslim.toml").write_text(f"[calibration]\nnova = {value}\n")
    assert main(["count", "a.txt"]) == 2
    error = capsys.readouterr().err
    assert "a number from 0.2 to 5" in error
    assert error.count("\n") == 1
