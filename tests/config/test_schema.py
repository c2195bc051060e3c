"""The JSON Schema of the configuration says what the reader of the configuration says."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from promptslim.catalog import load
from promptslim.cli import main as entry
from promptslim.config.decode import Source, decode_options
from promptslim.config.error import ConfigError
from promptslim.config.options import READERS
from promptslim.config.schema import config_schema
from promptslim.report.formats import names

ROOT = Path(__file__).parents[2]
SCHEMA = Draft202012Validator(config_schema(load().rules, names("check")))
CHECKED_LATER = {"select", "ignore", "extend-select", "extend-ignore", "per-file-ignores", "output-format", "rules"}
"""Their values are names that the reader does not know yet."""

VALUES = st.one_of(
    st.booleans(),
    st.integers(-2, 2),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["warning", "high", "low", "x", ""]),
    st.lists(st.one_of(st.sampled_from(["a", "src/*"]), st.integers(0, 1)), max_size=2),
    st.dictionaries(
        st.sampled_from(["a", "b.c"]),
        st.one_of(st.text(max_size=3), st.integers(0, 9), st.dictionaries(st.sampled_from(["model"]), st.text())),
        max_size=2,
    ),
)


def test_it_is_a_schema_with_a_word_on_every_key() -> None:
    Draft202012Validator.check_schema(SCHEMA.schema)
    assert set(SCHEMA.schema["properties"]) == set(READERS)
    assert all(one["description"].endswith(".") for one in SCHEMA.schema["properties"].values())


@given(key=st.sampled_from(sorted(set(READERS) - CHECKED_LATER)) | st.just("unknown-key"), value=VALUES)
def test_reader_and_schema_take_the_same(key: str, value: object) -> None:
    try:
        decode_options({key: value}, Source("x", ""))
        taken = True
    except ConfigError:
        taken = False
    assert SCHEMA.is_valid({key: value}) is taken


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ('select = ["PS1", "retired-model", "ALL", "PS"]', True),
        ('select = ["PS9999"]', False),
        ('output-format = "sarif"', True),
        ('output-format = "pdf"', False),
        ('[per-file-ignores]\n"tests/*" = ["PS101"]', True),
        ('[per-file-ignores]\n"tests/*" = ["nonsense"]', False),
        ("[rules.oversized-system-prompt]\nbudget = 900", True),
        ("[rules.PS201]\nbudget = 900", True),
        ('[rules.PS201]\nbudget = "900"', False),
        ("[rules.PS201]\nbogus = 1", False),
        ("[rules.bogus]\nx = 1", False),
    ],
)
def test_names_of_rules_and_options_are_known(text: str, valid: bool) -> None:
    assert SCHEMA.is_valid(tomllib.loads(text)) is valid


def test_the_command_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert entry.main(["config", "--schema"]) == 0
    assert json.loads(capsys.readouterr().out) == SCHEMA.schema


def test_the_kept_file_is_checked(tmp_path: Path) -> None:
    script = ROOT / "scripts" / "generate_schema.py"
    kept = json.loads((ROOT / "schemas" / "promptslim.schema.json").read_text("utf-8"))
    done = subprocess.run([sys.executable, str(script), "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == int(kept != SCHEMA.schema)
