"""What a check keeps between runs depends on the files of the proofs too."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from projects import EVIDENCE, prove

from promptslim.cli import main as entry


@pytest.mark.parametrize("path", ["promptslim.lock", EVIDENCE, "suite.yaml", "grade.py"])
@pytest.mark.parametrize("gone", [True, False])
def test_a_change_of_a_file_of_the_proof_is_seen(
    path: str, gone: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*flags: str) -> tuple[int, str, str]:
        time.sleep(0.03)
        code = entry.main(("check", "app.py", "--select", "PS7", *flags))
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    def is_kept() -> bool:
        return "nothing has changed since" in run("-v")[2]

    prove(tmp_path)
    monkeypatch.chdir(tmp_path)
    fresh = run("--no-cache")
    assert run() == fresh
    assert is_kept()
    if gone:
        (tmp_path / path).unlink()
    else:
        (tmp_path / path).write_text((tmp_path / path).read_text("utf-8") + "\n\nx\n", "utf-8")
    fresh = run("--no-cache")
    assert not is_kept()
    assert run() == fresh
    assert is_kept()
