"""The tables of the README are made from the catalog."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from promptslim.catalog import load

SCRIPT = Path(__file__).parents[2] / "scripts" / "update_readme.py"
EMPTY = "".join(f"# x\n<!-- table: {name} -->\nold\n<!-- end: {name} -->\n" for name in ("rules", "commands", "sdks"))


@pytest.fixture
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("update_readme", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_tables_are_made_anew_and_then_up_to_date(
    script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(EMPTY)
    assert script.main(["--check", str(readme)]) == 1
    assert "out of date" in capsys.readouterr().out
    assert readme.read_text() == EMPTY
    assert script.main([str(readme)]) == 0
    assert script.main(["--check", str(readme)]) == 0
    text = readme.read_text()
    for rule in load().rules:
        assert f"| {rule.code} | [{rule.name}](rules/{rule.family}/{rule.name}.md) | {rule.summary}" in text
    assert "| `promptslim prices update` | Read new prices from a file. |" in text
    assert "`boto3.converse`" in text
    assert "old" not in text.splitlines()


def test_unknown_table_is_named(script: ModuleType) -> None:
    with pytest.raises(SystemExit, match="there is no table 'rulez'"):
        script.updated("<!-- table: rulez -->\n<!-- end: rulez -->\n", load())
