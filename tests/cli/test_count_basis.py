"""A count says whether its estimate was ever fitted to the tokenizer."""

from __future__ import annotations

from pathlib import Path

import pytest

from promptslim.cli.main import main


@pytest.mark.parametrize(("model", "marked"), [("us.amazon.nova-pro-v1:0", True), ("gpt-4o", False)])
def test_an_estimate_without_truth_is_marked(
    model: str, marked: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = tmp_path / "prompt.txt"
    text.write_text("Summarise the ticket in two sentences.")
    assert main(["count", str(text), "--model", model]) == 0
    printed = capsys.readouterr().out
    assert "estimate" in printed
    assert ("uncalibrated" in printed) is marked
