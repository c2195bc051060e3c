"""Start-up against flake8, typer and a bare interpreter: one small file, all in one interleaved run.

    python benchmarks/start.py --flake8 COMMAND [--rounds 20] [--file FILE]

COMMAND runs flake8 in an environment of its own (``venv/bin/flake8``). Prints the least wall time of each and its
ratio to flake8's; the exit code is 1 where a check of one file takes longer than flake8. Byte code is compiled in a
first round that does not count.
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
START = "from promptslim.cli.main import entry; entry()"
SMALL = Path(os.__file__).with_name("textwrap.py")
CALL = 'import boto3\n\nboto3.client("bedrock-runtime").converse(modelId="amazon.nova-lite-v1:0", messages=[])\n'


def seconds(command: list[str], folder: str, environment: dict[str, str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False)
    return time.perf_counter() - started


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--flake8", required=True, help="command that runs flake8")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument(
        "--file", type=Path, default=SMALL, help="a Python file without LLM code (default: textwrap.py)"
    )
    given = parser.parse_args()
    promptslim = [sys.executable, "-c", START]
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder, "small.py")
        small.write_text(given.file.read_text("utf-8")[:8192].rpartition("\ndef ")[0] + "\n", "utf-8")
        Path(folder, "call.py").write_text(CALL, "utf-8")
        commands = {
            "bare interpreter": [sys.executable, "-c", "pass"],
            "import typer": [sys.executable, "-c", "import typer"],
            "promptslim --version": [*promptslim, "--version"],
            "promptslim check, no LLM code": [*promptslim, "check", "--no-cache", "small.py"],
            "promptslim check, one call": [*promptslim, "check", "--no-cache", "call.py"],
            "promptslim check, unchanged": [*promptslim, "check", "call.py"],
            "flake8": [*shlex.split(given.flake8), "--isolated", "small.py"],
        }
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PROMPTSLIM_CACHE_DIR": f"{folder}/cache"}
        environment |= {"PYTHONPYCACHEPREFIX": f"{folder}/pyc"}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        best = {name: float("inf") for name in commands}
        for count in range(given.rounds + 1):
            for name, command in commands.items():
                taken = seconds(command, folder, environment)
                if count:
                    best[name] = min(best[name], taken)
    for name, taken in best.items():
        print(f"{name:<30} {taken * 1000:7.1f} ms  {taken / best['flake8']:5.2f} x flake8")
    return int(best["promptslim check, no LLM code"] > best["flake8"])


if __name__ == "__main__":
    sys.exit(main())
