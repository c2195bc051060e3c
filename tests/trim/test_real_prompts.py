"""Prompts of public repositories (fixtures/prompts, sources and licences in SOURCES.json there), trimmed as files."""

import shutil
from pathlib import Path

import pytest
from independent_check import damage, only_blanks_differ

import promptslim
from promptslim.core.trimming import Level, TrimResult

FIXTURES = Path(__file__).parents[2] / "fixtures" / "prompts"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("real")
    (folder / "prompts").mkdir()
    for path in FIXTURES.glob("*.txt"):
        shutil.copy(path, folder / "prompts")
    return folder


def trimmed(folder: Path, level: Level) -> TrimResult:
    return promptslim.trim(cwd=folder, level=level, isolated=True, cache=False)


def test_safe_edits_damage_nothing(folder: Path) -> None:
    result = trimmed(folder, "safe")
    assert len(result.files) >= 3
    for file in result.files:
        assert damage(file.before, file.after) == []
        assert only_blanks_differ(file.before, file.after)


def test_unsafe_edits_damage_nothing(folder: Path) -> None:
    result = trimmed(folder, "unsafe")
    assert len(result.files) >= 8
    for file in result.files:
        assert damage(file.before, file.after) == []
    for one in result.prompts:
        assert one.tokens_after < one.tokens_before
        assert one.basis == "estimated"
