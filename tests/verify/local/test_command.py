"""``python -m promptslim.verify.local``: what it prints leads boto3 to it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from bedrock_client import HELLO, MODEL, client

COMMAND = [sys.executable, "-m", "promptslim.verify.local"]


@pytest.mark.parametrize(
    ("name", "script"),
    [
        ("a.json", json.dumps({"rules": [{"match": "hello", "text": "hi"}]})),
        ("b.json", json.dumps(["hi"])),
        (
            "c.py",
            "def answer(chat):\n    return {'text': 'hi' if 'hello' in chat.last else 'no', 'stop': 'end_turn'}\n",
        ),
    ],
)
def test_scripts_answer(tmp_path: Path, name: str, script: str) -> None:
    (tmp_path / name).write_text(script)
    words = ["--answers", str(tmp_path / name), "--fault", "ThrottlingException"]
    with subprocess.Popen([*COMMAND, *words], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        printed = [process.stdout.readline() for _ in range(3)]
        match = re.fullmatch(r"export AWS_ENDPOINT_URL_BEDROCK_RUNTIME=(http://127\.0\.0\.1:\d+)\n", printed[0])
        assert match is not None
        answer = client(match[1], attempts=2).converse(modelId=MODEL, messages=HELLO)
        process.send_signal(signal.SIGTERM)
    assert process.returncode == 0
    assert answer["output"]["message"]["content"][0]["text"] == "hi"
    assert answer["ResponseMetadata"]["RetryAttempts"] == 1


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (("a.json", "{"), "a.json: not JSON"),
        (("a.json", "[]"), "the list of answers is empty"),
        (("a.json", '{"rules": [{"match": "("}]}'), "rule 1: not a regular expression"),
        (("a.json", '{"rules": [{"match": "a"}]}'), "an answer is a text"),
        (("a.json", '{"rules": [{"match": "a", "text": "\\\\2"}]}'), "invalid group reference 2"),
        (("a.json", "7"), "a script is a list of answers"),
        (("a.py", "x = 1"), "has no function answer(chat)"),
        (("a.py", "1 / 0"), "cannot be loaded: division by zero"),
        (("b.json", None), "cannot be read"),
    ],
)
def test_scripts_that_cannot_be_used_are_one_line(tmp_path: Path, script: tuple[str, str | None], said: str) -> None:
    if script[1] is not None:
        (tmp_path / script[0]).write_text(script[1])
    done = subprocess.run(
        [*COMMAND, "--answers", str(tmp_path / script[0])], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
