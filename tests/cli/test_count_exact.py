"""``count --exact`` through real boto3 and the local server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from promptslim.verify.local.answers import echo
from promptslim.verify.local.server import LocalServer
from promptslim.verify.local.service import Service

MODEL = "us.anthropic.claude-sonnet-4-6"


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    with LocalServer(Service(echo)) as running:
        yield running


def count(folder: Path, url: str, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    known = {
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": url,
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "y",
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    env = {**os.environ, **known, **environment}
    command = [sys.executable, "-m", "promptslim", "count", *words]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=60)


def test_the_service_counts(server: LocalServer, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Hello, Claude\n")
    done = count(tmp_path, server.url, "a.txt", "--exact", "--model", MODEL, "--output-format", "json")
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)["counts"]
    assert (row["method"], row["low"], row["high"]) == ("api", row["tokens"], row["tokens"])
    plain = count(tmp_path, server.url, "a.txt", "--model", MODEL, "--output-format", "json")
    assert row["tokens"] == json.loads(plain.stdout)["counts"][0]["tokens"] + 7, "the frame of one message"


@pytest.mark.parametrize(
    ("words", "environment", "said"),
    [
        (["--exact"], {}, "--exact needs a model"),
        (["--exact", "--model", MODEL], {"AWS_REGION": ""}, "no AWS region: set AWS_REGION"),
        (
            ["--exact", "--model", MODEL],
            {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"},
            "no AWS credentials",
        ),
    ],
)
def test_what_is_missing_is_one_line(
    server: LocalServer, tmp_path: Path, words: list[str], environment: dict[str, str], said: str
) -> None:
    (tmp_path / "a.txt").write_text("hello\n")
    done = count(tmp_path, server.url, "a.txt", *words, AWS_CONFIG_FILE="/dev/null", **environment)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_model_that_is_not_counted_is_one_line(server: LocalServer, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello\n")
    server.service.faults.order("ValidationException")
    done = count(tmp_path, server.url, "a.txt", "--exact", "--model", MODEL)
    assert (done.returncode, done.stdout) == (2, "")
    assert "count_tokens" in done.stderr


@pytest.mark.parametrize("model", ["us.anthropic.claude-opus-4-7", "us.amazon.nova-2-lite-v1:0"])
def test_a_model_that_the_service_does_not_count_for_says_what_else_there_is(
    server: LocalServer, tmp_path: Path, model: str
) -> None:
    (tmp_path / "a.txt").write_text("hello\n")
    done = count(tmp_path, server.url, "a.txt", "--exact", "--model", model)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "doesn't support counting tokens" in done.stderr
    assert "without --exact the count is made here" in done.stderr


def test_throttling_is_waited_for(server: LocalServer, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello\n")
    server.service.faults.order("ThrottlingException", "InternalServerException")
    done = count(tmp_path, server.url, "a.txt", "--exact", "--model", MODEL)
    assert done.returncode == 0, done.stderr


def test_without_the_flag_boto3_is_not_loaded(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello\n")
    script = (
        "import sys; from promptslim.cli.main import main; "
        "main(['count', 'a.txt', '--model', 'us.anthropic.claude-sonnet-4-6']); "
        "print('boto3' in sys.modules or 'botocore' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "False", done.stderr
