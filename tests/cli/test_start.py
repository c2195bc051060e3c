"""What a start loads: nothing heavy for a version or for a file without LLM code."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import promptslim

ROOT = Path(__file__).parents[2]
HEAVY = {
    "boto3",
    "botocore",
    "jinja2",
    "libcst",
    "pathspec",
    "pydantic",
    "rapidfuzz",
    "rich",
    "tokenizers",
    "typer",
    "yaml",
}
PLAIN = "import os\n\n\ndef size(path):\n    return os.stat(path).st_size\n"
CALL = 'import boto3\n\nboto3.client("bedrock-runtime").converse(modelId="amazon.nova-lite-v1:0", messages=[])\n'
PROBE = """
import sys
before = set(sys.modules)
from promptslim.cli.main import main
code = main(sys.argv[1:])
print((code, sorted(set(sys.modules) - before)), file=sys.stderr)
"""


def loaded(folder: Path, *words: str) -> tuple[int, set[str]]:
    """Exit code of a command line, and the modules that it loads."""
    done = subprocess.run([sys.executable, "-c", PROBE, *words], cwd=folder, capture_output=True, text=True, check=True)
    code, names = ast.literal_eval(done.stderr.splitlines()[-1])
    return code, set(names)


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def test_version_loads_nothing(tmp_path: Path) -> None:
    code, names = loaded(tmp_path, "--version")
    assert code == 0
    assert not names & (HEAVY | {"ast", "dataclasses", "inspect", "json", "pathlib", "importlib.metadata"})
    packages = {"promptslim", "promptslim.check", "promptslim.trim", "promptslim.verify"}
    ours = {*packages, "promptslim.cli", "promptslim.cli.main"}
    assert {name for name in names if name.startswith("promptslim")} == ours


def test_a_file_without_llm_code_loads_nothing_heavy(tmp_path: Path) -> None:
    (tmp_path / "plain.py").write_text(PLAIN)
    loaded(tmp_path, "check", "plain.py")
    code, names = loaded(tmp_path, "check", "plain.py")
    assert code == 0
    assert not names & (HEAVY | {"decimal", "hashlib", "tomllib", "asyncio", "logging", "subprocess"})
    assert not {
        name for name in names if name.startswith(("promptslim.extract", "promptslim.tokens", "promptslim.pricing"))
    }
    assert "promptslim.check.loader" not in names


def test_a_file_with_a_call_loads_nothing_heavy(tmp_path: Path) -> None:
    (tmp_path / "call.py").write_text(CALL)
    code, names = loaded(tmp_path, "check", "call.py")
    assert code == 1
    assert not names & HEAVY


def test_importing_the_package_loads_nothing(tmp_path: Path) -> None:
    code = "import sys, promptslim; print(sorted(n for n in sys.modules if n.startswith('promptslim')))"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['promptslim', 'promptslim.check', 'promptslim.trim', 'promptslim.verify']"


def test_version_is_that_of_the_distribution() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == promptslim.__version__
