"""The pre-commit hook on one changed file against a flake8 hook on it, in one interleaved run.

    python benchmarks/hook.py TREE --flake8 COMMAND [--rounds 15] [--file FILE]

TREE is a folder of sources that is copied and made a git repository; FILE in it (default: the largest Python file of
at most 40 kB that calls a model) is what has changed. COMMAND runs flake8 in an environment of its own. Timed are the
commands that pre-commit runs: with a warm cache, once where the run was kept and once where the file has changed since
(a comment more in each round); with an empty cache; and a check of the whole tree with an empty one. Prints the least
wall time of each; the exit code is 1 where the warm hook takes longer than flake8 or the cold one longer than the
check of the tree. Byte code is compiled in a first round that does not count.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
START = "from promptslim.cli.main import entry; entry()"
LARGEST = 40_000


def seconds(command: list[str], folder: Path, environment: dict[str, str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False)
    return time.perf_counter() - started


def changed_file(folder: Path, promptslim: list[str], environment: dict[str, str]) -> str:
    command = [*promptslim, "inventory", "--output-format", "json"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    paths = {call["path"] for call in json.loads(done.stdout)["calls"] if call["path"].endswith(".py")}
    sizes = sorted((size, path) for path in paths if (size := (folder / path).stat().st_size) <= LARGEST)
    if not sizes:
        raise SystemExit(f"{folder}: no Python file of at most {LARGEST:,} bytes calls a model; give --file")
    return sizes[-1][1]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("tree", type=Path)
    parser.add_argument("--flake8", required=True, help="command that runs flake8")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--file", help="the changed file, relative to the tree")
    given = parser.parse_args()
    promptslim = [sys.executable, "-c", START]
    with tempfile.TemporaryDirectory() as temporary:
        tree, cache = Path(temporary, "tree"), Path(temporary, "cache")
        shutil.copytree(given.tree, tree, ignore=shutil.ignore_patterns(".git"))
        subprocess.run(["git", "init", "-q"], cwd=tree, check=True)
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PROMPTSLIM_CACHE_DIR": str(cache)}
        environment |= {"PYTHONPYCACHEPREFIX": f"{temporary}/pyc"}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        file = given.file or changed_file(tree, promptslim, environment)
        hook = [*promptslim, "check", "--force-exclude", "--isolated", file]
        commands = {
            "flake8 hook": [*shlex.split(given.flake8), "--isolated", file],
            "promptslim hook, warm": hook,
            "promptslim hook, warm, file changed": hook,
            "promptslim hook, cold": hook,
            "promptslim check of the tree, cold": [*promptslim, "check", "--isolated"],
        }
        best = {name: float("inf") for name in commands}
        for count in range(given.rounds + 1):
            for name, command in commands.items():
                if name.endswith("cold"):
                    shutil.rmtree(cache, ignore_errors=True)
                elif name.endswith("warm"):
                    seconds(command, tree, environment)
                elif name.endswith("changed"):
                    with (tree / file).open("a") as source:
                        source.write(f"# round {count}\n")
                taken = seconds(command, tree, environment)
                if count:
                    best[name] = min(best[name], taken)
        print(f"{file}, {(tree / file).stat().st_size:,} bytes, of {sum(1 for _ in tree.rglob('*.py')):,} Python files")
    for name, taken in best.items():
        print(f"{name:<36} {taken * 1000:7.1f} ms  {taken / best['flake8 hook']:5.2f} x flake8")
    warm, cold = best["promptslim hook, warm"], best["promptslim hook, cold"]
    return int(warm > best["flake8 hook"] or cold > best["promptslim check of the tree, cold"])


if __name__ == "__main__":
    sys.exit(main())
