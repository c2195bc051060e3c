"""How long a check of many proofs takes: reading the lock and the evidence, and computing every verdict again.

    python benchmarks/proofs.py [--proofs 100] [--items 200] [--rounds 7] [--texts 300]

Makes pass/fail proofs in a temporary folder, with answers of ``--texts`` characters in the evidence (0: without), and
checks them in a fresh interpreter that may load nothing outside the standard library but promptslim. Prints the least
wall and CPU time of the whole process, and of the same interpreter doing nothing.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from promptslim.proof.evidence import Row  # noqa: E402
from promptslim.proof.lock import Claim, Lock, made_entry, render_lock  # noqa: E402
from promptslim.proof.verdict import Pair, Terms  # noqa: E402

CHECK = """
import gc, sys
gc.disable()  # as the command line does
from datetime import date
from promptslim.proof.lock import read_lock
from promptslim.proof.recompute import Demands, Surroundings, recompute

def read(path):
    with open(path, "rb") as file:
        return file.read()

around = Surroundings(date(2026, 11, 23), read)
with open("promptslim.lock", encoding="utf-8") as file:
    entries = read_lock(file.read()).entries
found = [recompute(entry, None, around, Demands()).status for entry in entries]
assert set(found) == {"VALID"}, found
heavy = {"boto3", "botocore", "numpy", "yaml"} & set(sys.modules)
assert not heavy, heavy
"""


def make(folder: Path, proofs: int, items: int, texts: int) -> None:
    rng = random.Random(20261123)
    lock = Lock()
    for number in range(proofs):
        rows = []
        for item in range(items):
            old, new = rng.choices(((1, 1), (1, 0), (0, 1)), (0.98, 0.01, 0.01))[0]
            answer = "".join(rng.choices('abcdefgh \\n"', k=texts)) if texts else None
            rows.append(Row(Pair(f"item {item:04}", (old,), (new,)), 1, (900, 60), (600, 60), answer, answer))
        claim = Claim(
            "0" * 64, f"{number:064}", "amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0", Terms(0.1, items=items)
        )
        path = f"evidence/{number:03}.jsonl"
        entry, evidence, outcome = made_entry(f"app.py::P{number:03}", "app.py", claim, rows, date(2026, 11, 1), path)
        assert outcome.decision == "PASS", outcome
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_bytes(evidence)
        lock = lock.with_entry(entry)
    (folder / "promptslim.lock").write_text(render_lock(lock), "utf-8")


def measured(code: str, folder: Path, environment: dict[str, str]) -> tuple[float, float]:
    """Wall and CPU seconds of an interpreter that runs ``code``."""
    before, started = os.times(), time.perf_counter()
    subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, check=True)
    wall, after = time.perf_counter() - started, os.times()
    return wall, after.children_user + after.children_system - before.children_user - before.children_system


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    for name, default in (("proofs", 100), ("items", 200), ("rounds", 7), ("texts", 300)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder, given.proofs, given.items, given.texts)
        size = sum(path.stat().st_size for path in folder.glob("evidence/*"))
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        times = [measured(CHECK, folder, environment) for _ in range(given.rounds)]
        bare = [measured("pass", folder, environment) for _ in range(given.rounds)]
    print(f"{given.proofs} proofs of {given.items} items, {size / 1e6:.1f} MB of evidence")
    for label, found in (("check", times), ("bare interpreter", bare)):
        wall, cpu = (1000 * min(column) for column in zip(*found, strict=True))
        print(f"{label}: {wall:.0f} ms wall, {cpu:.0f} ms CPU")
    return 0


if __name__ == "__main__":
    sys.exit(main())
