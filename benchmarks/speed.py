"""Wall time and peak memory of a check of a large tree, beside ruff with its default rules, in one run.

    python benchmarks/speed.py TREE [--promptslim CMD] [--ruff CMD] [--rounds N]

TREE is what benchmarks/build_tree.py makes. The page cache is warmed by a read of every file first; both tools run
without their caches (``--no-cache``), in turn, and the minimum of the rounds counts. The last line is the ratio:
below 1 means faster than ruff. Tests are included, since ruff checks them too.
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path


def warm(tree: Path) -> tuple[int, int]:
    """Reads every Python file once: number of files and bytes."""
    files = [path for path in tree.rglob("*.py") if path.is_file()]
    return len(files), sum(len(path.read_bytes()) for path in files)


def timed(command: list[str], cwd: Path) -> tuple[float, float]:
    """Seconds of wall time and peak resident megabytes of a command (the largest of its processes)."""
    begin = time.perf_counter()
    process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):
        sys.exit(f"{shlex.join(command)}: exit {process.returncode}")
    return time.perf_counter() - begin, usage.ru_maxrss / 1024


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("tree", type=Path)
    parser.add_argument("--promptslim", default="promptslim")
    parser.add_argument("--ruff", default="ruff")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    files, size = warm(given.tree)
    common = ["check", ".", "--no-cache", "--isolated", "--output-format", "json"]
    ours = [*shlex.split(given.promptslim), *common, "--include-tests"]
    theirs = [*shlex.split(given.ruff), *common]
    results = {"promptslim": [], "ruff": []}
    for _ in range(given.rounds):
        results["promptslim"].append(timed(ours, given.tree))
        results["ruff"].append(timed(theirs, given.tree))
    print(f"{files} files, {size / 1e6:.0f} MB, cold caches of their own, page cache warm, minimum of {given.rounds}")
    for name, runs in results.items():
        print(f"{name:<11} {min(r[0] for r in runs):7.2f} s   peak {max(r[1] for r in runs):6.0f} MB")
    print(f"ratio {min(r[0] for r in results['promptslim']) / min(r[0] for r in results['ruff']):.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
