"""Lay out a tree of about 10,000 Python files and 100 MB to measure speed on: large public packages, few of which
call a model.

    python benchmarks/build_tree.py TARGET [--files 10000]

Each package is installed without its dependencies into a folder of its own below TARGET. Where the packages at
hand give fewer files than asked for, the first ones are copied under other names. What is already there stays,
so that a second run only completes the tree.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

PLAIN = (
    "django", "pandas", "sympy", "scikit-learn", "sqlalchemy", "fastapi", "wagtail", "ansible-core", "networkx",
    "celery", "bokeh", "twisted", "dask", "sphinx",
)  # fmt: skip
WITH_CALLS = ("aider-chat", "pr-agent", "graphrag", "gpt-researcher", "langchain-aws")


def install(package: str, folder: Path) -> bool:
    """Install one package without its dependencies; False where the registry has no build for this interpreter."""
    if folder.exists():
        return True
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile", "--only-binary", ":all:"]
    done = subprocess.run([*command, "--target", str(partial), package], check=False)
    if done.returncode:
        shutil.rmtree(partial, ignore_errors=True)
        print(f"left out: {package} (pip exit code {done.returncode})", file=sys.stderr)
        return False
    partial.rename(folder)
    return True


def size(folder: Path) -> tuple[int, int]:
    """Number and bytes of the Python files below a folder."""
    sizes = [path.stat().st_size for path in folder.rglob("*.py")]
    return len(sizes), sum(sizes)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", type=Path)
    parser.add_argument("--files", type=int, default=10_000, help="stop copying at this many Python files")
    options = parser.parse_args()
    options.target.mkdir(parents=True, exist_ok=True)
    for package in (*PLAIN, *WITH_CALLS):
        install(package, options.target / package)
    for package in PLAIN:
        if size(options.target)[0] >= options.files:
            break
        copy = options.target / f"{package}-again"
        if not copy.exists() and (options.target / package).exists():
            shutil.copytree(options.target / package, copy, symlinks=True)
    count, volume = size(options.target)
    print(f"{options.target}: {count:,} Python files, {volume / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
