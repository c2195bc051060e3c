"""No finding where no model is called: check large public packages that hold no such call.

    python benchmarks/quiet.py FOLDER [--command "promptslim"] [PACKAGE ...]

Downloads a wheel of each package into FOLDER (what is there already stays), unpacks its Python files and notebooks,
and runs ``check --include-tests --output-format json`` on each. Prints files, findings and seconds per package, every
finding, and the totals. Exit code 1 where there is any finding, 2 where a package cannot be had or checked.
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import subprocess
import sys
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

PACKAGES = (
    "aiohttp", "ansible-core", "black", "bokeh", "boto3", "botocore", "celery", "cryptography", "dask", "django",
    "docutils", "fastapi", "flask", "gensim", "ipython", "jinja2", "matplotlib", "moto", "mypy", "networkx", "nltk",
    "numpy", "pandas", "pillow", "pip", "plotly", "pydantic", "pytest", "requests", "rich", "scikit-learn", "scipy",
    "scrapy", "seaborn", "setuptools", "spacy", "sphinx", "sqlalchemy", "statsmodels", "sympy", "tornado", "twisted",
    "wagtail", "werkzeug",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outcome:
    """One package: what the check said of it. ``failure`` is empty where it ran."""

    package: str
    files: int
    findings: tuple[str, ...]
    seconds: float
    failure: str = ""


def unpacked(package: str, folder: Path) -> Path | None:
    """The folder with the sources of a package, None where no wheel can be had."""
    target = folder / package
    if target.exists():
        return target
    wheels = folder / "wheels" / package
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    done = subprocess.run([*command, "--dest", str(wheels), package], check=False)
    found = sorted(wheels.glob("*.whl")) if done.returncode == 0 else []
    if not found:
        return None
    partial = folder / f"{package}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    with zipfile.ZipFile(found[0]) as wheel:
        wheel.extractall(partial, [name for name in wheel.namelist() if name.endswith((".py", ".ipynb"))])
    partial.rename(target)
    return target


def checked(package: str, folder: Path, command: str) -> Outcome:
    """Run the check on an unpacked package."""
    arguments = [*shlex.split(command), "check", "--include-tests", "--output-format", "json", package]
    started = time.perf_counter()
    done = subprocess.run(arguments, cwd=folder, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - started
    if done.returncode not in (0, 1):
        said = (done.stderr.strip().splitlines() or ["nothing on standard error"])[-1]
        return Outcome(package, 0, (), seconds, f"exit code {done.returncode}: {said}")
    result = json.loads(done.stdout)
    findings = tuple(f"{f['path']}:{f['line']}: {f['code']} {f['message']}" for f in result["findings"])
    return Outcome(package, result["summary"]["files"], findings, seconds)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("packages", nargs="*", default=PACKAGES, metavar="PACKAGE")
    parser.add_argument("--command", default="promptslim", help="how to start promptslim (default: %(default)s)")
    options = parser.parse_args()
    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    outcomes: list[Outcome] = []
    for package in options.packages:
        if unpacked(package, folder) is None:
            outcomes.append(Outcome(package, 0, (), 0, "no wheel to be had"))
        else:
            outcomes.append(checked(package, folder, options.command))
        last = outcomes[-1]
        said = last.failure or f"{last.files:6} files {len(last.findings):4} findings {last.seconds:6.2f} s"
        print(f"{package:16} {said}", flush=True)
        for finding in last.findings:
            print(f"    {finding}")
    total = sum(len(outcome.findings) for outcome in outcomes)
    failed = [outcome.package for outcome in outcomes if outcome.failure]
    ran = len(outcomes) - len(failed)
    print(f"{ran} packages, {sum(outcome.files for outcome in outcomes):,} files, {total} findings")
    if failed:
        print(f"not checked: {', '.join(failed)}", file=sys.stderr)
        return 2
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main())
