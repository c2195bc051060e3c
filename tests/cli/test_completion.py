"""Shell completion: commands, options, formats and rules."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def completed(*words: str) -> list[str]:
    """What bash would be offered for the last word of a command line."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "_PROMPTSLIM_COMPLETE": "complete_bash",
        "COMP_WORDS": " ".join(("promptslim", *words)),
        "COMP_CWORD": str(len(words)),
    }
    command = [sys.executable, "-c", "from promptslim.cli.main import entry; entry()"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("exp",), ["explain"]),
        (("prices", "u"), ["update"]),
        (("check", "--output-format", "g"), ["github", "gitlab", "grouped"]),
        (("check", "--changed"), ["--changed-since"]),
        (("explain", "missing"), ["missing-max-tokens"]),
        (("check", "--select", "PS502,retired"), ["PS502,retired-model"]),
        (("check", "--ignore", "PS60"), ["PS601", "PS602", "PS603", "PS604", "PS605"]),
    ],
)
def test_offers(words: tuple[str, ...], offered: list[str]) -> None:
    assert completed(*words) == offered


def test_a_script_for_each_shell() -> None:
    for shell in ("bash", "zsh", "fish"):
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "_PROMPTSLIM_COMPLETE": f"source_{shell}"}
        command = [sys.executable, "-c", "from promptslim.cli.main import entry; entry()"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert "complete_" + shell in done.stdout
