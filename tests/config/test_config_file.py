"""Finding the config file, and what is said of one that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptslim.config.error import ConfigError
from promptslim.config.key_line import key_line
from promptslim.config.settings import configure, resolve


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")


def error(folder: Path, *config: str) -> str:
    with pytest.raises(ConfigError) as caught:
        configure(str(folder), config)
    message = str(caught.value)
    assert message.isprintable(), "one line, nothing a terminal would act on"
    return message


def test_the_nearest_file_upwards_counts(tmp_path: Path) -> None:
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    write(tmp_path, promptslim='region = "top"\n')
    write(tmp_path / "a", pyproject='[tool.promptslim]\nregion = "middle"\n')
    assert resolve(configure(str(below))).region == "middle"
    assert resolve(configure(str(tmp_path))).region == "top"
    assert resolve(configure(str(below), isolated=True)).region is None


def test_own_file_goes_before_pyproject(tmp_path: Path) -> None:
    write(tmp_path, promptslim='region = "own"\n', pyproject='[tool.promptslim]\nregion = "project"\n')
    assert resolve(configure(str(tmp_path))).region == "own"


@pytest.mark.parametrize("text", ['[project]\nname = "x"\n', "# promptslim\n[tool.ruff]\n", "broken = [", "tool = 3\n"])
def test_a_pyproject_without_our_table_is_passed_over(tmp_path: Path, text: str) -> None:
    below = tmp_path / "below"
    below.mkdir()
    write(tmp_path, promptslim='region = "top"\n')
    write(below, pyproject=text)
    assert resolve(configure(str(below))).region == "top"


def test_patterns_stay_with_the_folder_of_the_config_and_paths_follow_the_working_directory(tmp_path: Path) -> None:
    below = tmp_path / "src"
    below.mkdir()
    write(tmp_path, promptslim='exclude = ["old/x", "*.bak"]\nbaseline = "base.json"\n')
    settings = resolve(configure(str(below)))
    assert settings.base == settings.folder == str(tmp_path)
    assert settings.exclude == ("/old/x", "*.bak")
    assert settings.baseline == "../base.json"


def test_a_named_file_counts_for_the_working_directory(tmp_path: Path) -> None:
    elsewhere, here = tmp_path / "elsewhere", tmp_path / "here"
    elsewhere.mkdir()
    here.mkdir()
    write(elsewhere, ci='baseline = "base.json"\n')
    write(here, promptslim='region = "ignored"\n')
    settings = resolve(configure(str(here), ["../elsewhere/ci.toml"]))
    assert (settings.folder, settings.base, settings.baseline, settings.region) == (None, str(here), "base.json", None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("selct = []", "2: unknown key 'selct' in [tool.promptslim]; did you mean 'select'?"),
        ("min_confidence = 1", "2: unknown key 'min_confidence' in [tool.promptslim]; did you mean 'min-confidence'?"),
        ("select = 'PS1'", "2: 'select' must be a list of strings, not 'PS1'"),
        ("\nselect = [\n  'PS1',\n  2,\n]", "3: 'select' must be a list of strings only, not the integer 2"),
        ("cache = 1", "2: 'cache' must be true or false, not the integer 1"),
        ("region = true", "2: 'region' must be a string, not a boolean"),
        ("fail-on = 'always'", "2: 'fail-on' must be one of info, warning, error, not 'always'"),
        ("fail-on = 2026-01-01", "2: 'fail-on' must be one of info, warning, error, not a date or time"),
        ("rules.some-rule = 3", "2: 'rules.some-rule' must be a table, not the integer 3"),
        ("[tool.promptslim.models]\n'arn:x' = ['y']", "3: 'models.arn:x' must be a string, not a list"),
    ],
)
def test_errors_name_file_line_key_and_what_was_expected(tmp_path: Path, text: str, message: str) -> None:
    write(tmp_path, pyproject=f"[tool.promptslim]\n{text}\n")
    assert error(tmp_path) == f"pyproject.toml:{message}"


def test_our_table_must_be_a_table(tmp_path: Path) -> None:
    write(tmp_path, pyproject="[tool]\npromptslim = 3\n")
    assert error(tmp_path) == "pyproject.toml:2: 'tool.promptslim' must be a table, not the integer 3"


def test_a_key_like_no_other_lists_the_valid_ones(tmp_path: Path) -> None:
    write(tmp_path, promptslim="zzz = 1\n")
    assert error(tmp_path).startswith("promptslim.toml:1: unknown key 'zzz'; valid keys: baseline, budgets, cache, ")


def test_files_that_are_no_toml(tmp_path: Path) -> None:
    path = tmp_path / "promptslim.toml"
    path.write_text("select = [\n", encoding="utf-8")
    assert error(tmp_path).startswith("promptslim.toml: not valid TOML: ")
    path.write_text("a = " + "[" * 100_000, encoding="utf-8")
    assert error(tmp_path).startswith("promptslim.toml: not valid TOML: ")
    path.write_bytes(b'region = "\xff"\n')
    assert error(tmp_path) == "promptslim.toml: not UTF-8 at byte 11; save it as UTF-8"
    path.write_bytes(b'\xef\xbb\xbfregion = "x"\r\n')
    assert resolve(configure(str(tmp_path))).region == "x"
    path.write_text("\x1b[31m = 1", encoding="utf-8")
    assert "not valid TOML" in error(tmp_path)


def test_config_argument_errors(tmp_path: Path) -> None:
    write(tmp_path, pyproject="[project]\n", one="", two="")
    assert error(tmp_path, "gone.toml") == (
        "gone.toml: cannot read the configuration: No such file or directory; --config takes a file or KEY=VALUE"
    )
    assert error(tmp_path, "pyproject.toml") == (
        "pyproject.toml: has no table [tool.promptslim]; add it or name another file"
    )
    assert (
        error(tmp_path, "one.toml", "two.toml") == "--config names two files, 'one.toml' and 'two.toml'; a run has one"
    )
    assert error(tmp_path, "cache=maybe").startswith("--config 'cache=maybe': not valid TOML: ")
    assert error(tmp_path, "cahce=true") == "--config 'cahce=true': unknown key 'cahce'; did you mean 'cache'?"
    assert "cannot read the configuration" in error(tmp_path, ".")


STATEMENTS = st.lists(
    st.sampled_from(
        [
            "# target = 1",
            "",
            "a{n} = 1",
            'b{n} = """\ntarget = 2\n"""',
            "c{n} = [\n  'target',\n  # target\n]",
            "'d{n}' = {{ x = 1, target = 3 }}",
            "e{n}.target = 4",
        ]
    ),
    max_size=8,
)


@given(STATEMENTS, STATEMENTS, st.sampled_from(["target = 0", "'target' = 0", "target.x = 0", "target = [\n1,\n2]"]))
def test_key_line_finds_the_statement_among_look_alikes(before: list[str], after: list[str], statement: str) -> None:
    head = "".join(line.format(n=n) + "\n" for n, line in enumerate(before))
    tail = "".join(line.format(n=n + 100) + "\n" for n, line in enumerate(after))
    text = "[table]\n" + head + statement + "\n" + tail
    assert key_line(text, ("table", "target")) == 2 + head.count("\n")
    assert key_line("[table]\n" + head + tail, ("table", "target")) is None
