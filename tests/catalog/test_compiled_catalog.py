"""The compiled catalog: made once, made again when a data file changes, never in the way."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from promptslim.catalog import CatalogError, load
from promptslim.catalog.store import COMPILED, compiled_file, compiled_text

ROOT = Path(__file__).parents[2]
PAGE = """\
---
code: PS999
name: sample-rule
family: meta
severity: warning
confidence: high
since: "0.1.0"
fix: no
inputs: [python]
options:
  limit:
    default: 8
    description: how many
---
# sample-rule

A first paragraph
over two lines.

## What it finds
"""


@pytest.fixture
def rules(tmp_path):
    """A small data folder with one page."""
    folder = tmp_path / "rules"
    for name in (
        "model_ids.toml",
        "thresholds.toml",
        "phrases.toml",
        "origins.toml",
        "models/cohere.toml",
        "sdks/dspy.toml",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "rules" / name, folder / name)
    (folder / "meta").mkdir()
    (folder / "meta" / "sample-rule.md").write_text(PAGE, "utf-8")
    return folder


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PROMPTSLIM_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def core(folder):
    return json.loads(compiled_text(str(folder))[0])


def test_a_page_becomes_a_rule(rules, cache):
    (rule,) = core(rules)["rules"]
    assert rule["summary"] == "A first paragraph over two lines."
    assert (rule["code"], rule["options"], rule["option_descriptions"]) == (
        "PS999",
        {"limit": 8},
        {"limit": "how many"},
    )
    assert core(rules)["sdks"][0]["package"] == "dspy"


def test_it_is_kept_and_made_again_only_when_a_file_changes(rules, cache):
    first = compiled_text(str(rules))
    (kept,) = cache.glob("*.jsonl")
    stamp = kept.stat().st_mtime_ns
    assert compiled_text(str(rules)) == first
    assert kept.stat().st_mtime_ns == stamp
    page = rules / "meta" / "sample-rule.md"
    page.write_text(PAGE.replace("A first", "Another"), "utf-8")
    assert core(rules)["rules"][0]["summary"].startswith("Another")
    page.unlink()
    assert core(rules)["rules"] == []
    assert list(cache.iterdir()) == [kept]


def test_a_damaged_cache_is_made_again(rules, cache):
    first = compiled_text(str(rules))
    (kept,) = cache.glob("*.jsonl")
    for damage in (b"", b"\xff\xfe", kept.read_bytes()[:-20], b"null\n{}\n{}\n"):
        kept.write_bytes(damage)
        assert compiled_text(str(rules)) == first


def test_a_cache_that_cannot_be_written_costs_only_time(rules, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PROMPTSLIM_CACHE_DIR", str(tmp_path / "file" / "cache"))
    assert core(rules)["rules"][0]["code"] == "PS999"
    assert (tmp_path / "file").read_text() == ""


def test_a_shipped_file_is_used_as_it_is(rules, cache):
    (rules / COMPILED).write_text(compiled_file(str(rules)), "ascii")
    (rules / "meta" / "sample-rule.md").unlink()
    assert core(rules)["rules"][0]["code"] == "PS999"
    assert not cache.exists()


def test_compiling_gives_the_same_bytes(rules):
    assert compiled_file(str(rules)) == compiled_file(str(rules))


def test_a_plain_checkout_runs_from_anywhere_and_loads_little(tmp_path):
    checkout = tmp_path / "checkout"
    shutil.copytree(ROOT / "promptslim", checkout / "promptslim", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "rules", checkout / "rules")
    program = (
        "import sys; from promptslim.catalog import load; catalog = load();"
        "heavy = {'yaml', 'tomllib', 'hashlib', 'promptslim.catalog.model_lookup'} & sys.modules.keys();"
        "print(len(catalog.sdks), sorted(heavy), catalog.model('gpt-4o').max_output)"
    )
    environment = {**os.environ, "PYTHONPATH": str(checkout), "PROMPTSLIM_CACHE_DIR": str(tmp_path / "cache")}
    runs = [
        subprocess.run(
            [sys.executable, "-c", program], env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    ]
    tables = len(list((ROOT / "rules" / "sdks").glob("*.toml")))
    assert runs[1] == f"{tables} [] 16384\n"
    environment["PROMPTSLIM_CACHE_DIR"] = os.devnull + "/cache"
    unwritable = subprocess.run(
        [sys.executable, "-c", program], env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert unwritable.stdout.endswith("16384\n")


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("meta/sample-rule.md", "---\ncode", "code", 'rules/meta/sample-rule.md:1: a rule page starts with "---"'),
        ("meta/sample-rule.md", "code: PS999", "code: P1", 'rules/meta/sample-rule.md:2: code "P1" is not PS'),
        ("meta/sample-rule.md", "name: s", "name: x", 'rules/meta/sample-rule.md:3: name is "xample-rule"'),
        ("meta/sample-rule.md", "family: meta", "family: caps", 'rules/meta/sample-rule.md:4: family is "caps"'),
        ("meta/sample-rule.md", "warning", "loud", 'rules/meta/sample-rule.md:5: severity "loud" is not one of info'),
        ("meta/sample-rule.md", "confidence: high\n", "", 'rules/meta/sample-rule.md:1: the front matter lacks "conf'),
        ("meta/sample-rule.md", '"0.1.0"', "0.1", "rules/meta/sample-rule.md:7: since has to be text: put 0.1 in"),
        ("meta/sample-rule.md", "fix: no", "fix: perhaps", 'rules/meta/sample-rule.md:8: fix "perhaps" is not one'),
        (
            "meta/sample-rule.md",
            "inputs: [python]",
            "inputs: python",
            "rules/meta/sample-rule.md:9: inputs has to be a",
        ),
        ("meta/sample-rule.md", "default: 8", "start: 8", 'rules/meta/sample-rule.md:10: option "limit" needs exactly'),
        ("meta/sample-rule.md", "since:", "sinc:", 'rules/meta/sample-rule.md:7: unknown key "sinc"'),
        ("meta/sample-rule.md", "[python]", "[python", "rules/meta/sample-rule.md:10: the front matter is not YAML"),
        ("meta/sample-rule.md", "# sample-rule", "sample-rule", "rules/meta/sample-rule.md:15: the page has no title"),
        ("models/cohere.toml", "[[model]]", "[[model]", "rules/models/cohere.toml:23: not TOML: "),
        ("models/cohere.toml", "max_output", "max_outptu", "unknown key 'max_outptu'; did you mean 'max_output'?"),
        ("models/cohere.toml", "input = 0.3", 'input = "0.3"', "input has to be a price of zero or more, not '0.3'"),
        ("thresholds.toml", "reason =", "why =", "rules/thresholds.toml:4: [read_timeout_seconds] needs value, reason"),
        ("sdks/dspy.toml", "package =", "package", "rules/sdks/dspy.toml:"),
        ("phrases.toml", "pattern = '''", "pattern = '''(", "rules/phrases.toml:"),
        ("model_ids.toml", "geos", "goes", "rules/model_ids.toml: cannot be used: KeyError 'geos'"),
    ],
)
def test_a_broken_file_is_one_line_with_its_place(rules, cache, file, old, new, message):
    path = rules / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(CatalogError) as caught:
        compiled_text(str(rules))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not cache.exists()


def test_two_pages_cannot_share_a_code(rules, cache):
    (rules / "meta" / "twin-rule.md").write_text(PAGE.replace("sample-rule", "twin-rule"), "utf-8")
    with pytest.raises(CatalogError, match=r"twin-rule\.md:1: .*already taken by rules/meta/sample-rule\.md"):
        compiled_text(str(rules))


def test_rules_are_found_by_code_and_by_name():
    catalog = load()
    for rule in catalog.rules:
        assert catalog.rule(rule.code) is rule
        assert catalog.rule(rule.name) is rule
        assert catalog.rule_page(rule.code).startswith("---")
    assert catalog.rule("PS000") is None
    assert load() is catalog


def test_thresholds_and_phrases_are_there():
    catalog = load()
    assert catalog.thresholds["read_timeout_seconds"] == 60
    assert catalog.phrases
    assert catalog.as_of.year >= 2026


def test_the_generated_tables_are_up_to_date():
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "generate_models.py"), "--check"], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_the_generator_says_what_differs(tmp_path):
    shutil.copytree(ROOT / "scripts" / "facts", tmp_path / "facts")
    prices = tmp_path / "facts" / "prices_snapshot.json"
    text = prices.read_text("utf-8")
    prices.write_text(text.replace('"in": 1.1,', '"in": 1.2,'), "utf-8")
    command = [
        sys.executable,
        str(ROOT / "scripts" / "generate_models.py"),
        "--check",
        "--facts",
        str(tmp_path / "facts"),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert "rules/models/anthropic.toml differs" in done.stdout
