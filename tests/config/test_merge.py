"""Putting the sources together, and showing the result."""

from __future__ import annotations

import tomllib
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from promptslim.config.config_file import ConfigFile
from promptslim.config.configuration import merge
from promptslim.config.decode import Source, decode_options
from promptslim.config.options import READERS, Options
from promptslim.config.render import render_settings
from promptslim.config.settings import DEFAULT_EXCLUDE, configure, resolve

NAMES = st.text(min_size=1, max_size=6).filter(lambda text: text.isprintable() or "\x00" not in text)
STRINGS = st.lists(NAMES, max_size=3)
VALUES = st.recursive(
    st.booleans() | st.integers(-99, 99) | NAMES,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=4,
)
TABLES = {
    "select": STRINGS,
    "ignore": STRINGS,
    "extend-select": STRINGS,
    "extend-ignore": STRINGS,
    "per-file-ignores": st.dictionaries(st.sampled_from(["a/b.py", "*.py", "!x/"]), STRINGS, max_size=2),
    "min-confidence": st.sampled_from(["low", "medium", "high"]),
    "fail-on": st.sampled_from(["info", "warning", "error"]),
    "exclude": st.lists(st.sampled_from(["a", "/a/b", "*.x", "c/"]), max_size=2),
    "extend-exclude": st.lists(st.sampled_from(["d", "/e/"]), max_size=2),
    "respect-gitignore": st.booleans(),
    "include-tests": st.booleans(),
    "region": NAMES,
    "wrappers": st.dictionaries(NAMES, st.dictionaries(NAMES, VALUES, max_size=2), max_size=2),
    "models": st.dictionaries(NAMES, NAMES, max_size=2),
    "catalog": st.lists(st.sampled_from(["a.toml", "b/c.toml"]), max_size=2),
    "prices": st.just("p.toml"),
    "cache": st.booleans(),
    "rules": st.dictionaries(NAMES, st.dictionaries(NAMES, VALUES, max_size=2), max_size=2),
}
CONFIGS = st.fixed_dictionaries({}, optional=TABLES)


def options(**values: object) -> Options:
    return decode_options({name.replace("_", "-"): value for name, value in values.items()}, Source("test", ""))


def config(table: dict[str, object]) -> ConfigFile:
    return ConfigFile(decode_options(table, Source("file.toml", "")), Source("file.toml", ""), "/project", found=True)


def test_every_option_ends_in_the_settings() -> None:
    assert set(TABLES) <= set(READERS)
    shown = render_settings(resolve(merge(None, [], Options(), "/p")), merge(None, [], Options(), "/p"))
    for key in set(READERS) - {"extend-ignore", "extend-exclude"}:
        assert f"{key} = " in shown or f"# {key}: not set" in shown


def test_defaults() -> None:
    chosen = resolve(merge(None, [], Options(), "/p"))
    assert chosen.select is None
    assert chosen.exclude == DEFAULT_EXCLUDE
    assert (chosen.min_confidence, chosen.fail_on, chosen.output_format) == ("low", "info", "text")
    assert (chosen.cache, chosen.respect_gitignore, chosen.include_tests) == (True, True, False)


def test_flags_replace_lists_and_extensions_add_up() -> None:
    file = config({"ignore": ["PS101"], "extend-exclude": ["a"], "models": {"x": "1", "y": "2"}, "cache": False})
    flags = options(extend_exclude=["b"], models={"y": "3"}, cache=True, ignore=["PS2"])
    chosen = resolve(merge(file, [], flags, "/project"))
    assert chosen.ignore == ("PS2",)
    assert chosen.exclude == (*DEFAULT_EXCLUDE, "a", "b")
    assert chosen.models == {"x": "1", "y": "3"}
    assert chosen.cache is True


def test_rule_options_merge_one_by_one() -> None:
    file = config({"rules": {"r": {"a": 1, "b": [1]}, "s": {"c": 1}}})
    chosen = resolve(merge(file, [], options(rules={"r": {"b": [2]}}), "/project"))
    assert chosen.rules == {"r": {"a": 1, "b": [2]}, "s": {"c": 1}}


def test_select_on_the_command_line_starts_afresh() -> None:
    file = config({"select": ["PS1"], "ignore": ["PS101"], "extend-select": ["PS2"], "extend-ignore": ["PS3"]})
    chosen = resolve(merge(file, [], options(select=["PS101"]), "/project"))
    assert (chosen.select, chosen.ignore, chosen.extend_select) == (("PS101",), (), ())
    kept = resolve(merge(file, [], options(extend_select=["PS4"]), "/project"))
    assert (kept.select, kept.ignore, kept.extend_select) == (("PS1",), ("PS101", "PS3"), ("PS2", "PS4"))


def test_patterns_on_the_command_line_are_relative_to_where_it_is_typed() -> None:
    file = config({"extend-exclude": ["old/x"]})
    chosen = resolve(merge(file, [], options(extend_exclude=["./new/y", "z", "../up"]), "/project/sub dir"))
    assert chosen.exclude[-4:] == ("/old/x", "/sub dir/new/y", "z", "/up")


def test_the_origin_of_each_value_is_shown(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.promptslim]\n\nregion = "eu-west-1"\nextend-exclude = ["a"]\n')
    configuration = configure(str(tmp_path), ["cache=false"], options(extend_exclude=["b"]))
    shown = render_settings(resolve(configuration), configuration)
    assert 'region = "eu-west-1"  # pyproject.toml:3\n' in shown
    assert "cache = false  # --config 'cache=false'\n" in shown
    assert '"a", "b"]  # default, pyproject.toml:4, command line\n' in shown
    assert "include-tests = false  # default\n" in shown


@given(CONFIGS)
@settings(max_examples=60)
def test_what_is_shown_reads_back_as_the_same_settings(table: dict[str, object]) -> None:
    configuration = merge(config(table), [], Options(), "/project")
    chosen = resolve(configuration)
    shown = render_settings(chosen, configuration)
    assert all(char == "\n" or char.isprintable() for char in shown)
    assert shown == render_settings(chosen, configuration)
    again = resolve(merge(config(tomllib.loads(shown)), [], Options(), "/project"))
    assert again == chosen


@given(CONFIGS, CONFIGS)
@settings(max_examples=60)
def test_a_later_source_wins_or_adds(first: dict[str, object], second: dict[str, object]) -> None:
    second.pop("select", None)
    both = merge(config(first), [], options(**second), "/project").options
    for key, value in second.items():
        merged = getattr(both, key.replace("-", "_"))
        match value:
            case list():
                assert merged[len(merged) - len(value) :] == getattr(options(**second), key.replace("-", "_"))
            case dict():
                assert merged.keys() >= value.keys() or key == "per-file-ignores"
            case _:
                assert merged == getattr(options(**second), key.replace("-", "_"))
