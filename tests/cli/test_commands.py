"""The commands end to end, in this process, on small projects."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from promptslim.cli import main as entry

FORMATS = Path(__file__).parents[2] / "fixtures" / "formats"
CHECK = Draft202012Validator(json.loads((FORMATS / "check-v1.schema.json").read_text("utf-8")))
INVENTORY = Draft202012Validator(json.loads((FORMATS / "inventory-v1.schema.json").read_text("utf-8")))

CLIENT = 'import boto3\n\nclient = boto3.client("bedrock-runtime")\n'
UNCAPPED = 'client.converse(modelId="amazon.nova-lite-v1:0", messages=[])\n'
CAPPED = 'client.converse(modelId="amazon.nova-lite-v1:0", messages=[], inferenceConfig={"maxTokens": 300})\n'

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command line in an empty folder: exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)

    def command(*words: str) -> tuple[int, str, str]:
        code = entry.main(words)
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return command


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], None]:
    def file(path: str, text: str) -> None:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(text.encode() if isinstance(text, str) else text)

    return file


def findings(out: str) -> list[tuple[str, str, int]]:
    answer = json.loads(out)
    CHECK.validate(answer)
    return [(one["code"], one["path"], one["line"]) for one in answer["findings"]]


def notebook(*cells: str) -> str:
    return json.dumps(
        {
            "cells": [
                {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": cell}
                for cell in cells
            ],
            "metadata": {},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
    )


JSON = ("--output-format", "json")
ONLY = ("--select", "PS101")


def test_json_keeps_to_the_contract_and_is_the_same_again(run: Run, write: Callable[[str, str], None]) -> None:
    write("src/b.py", CLIENT + UNCAPPED)
    write("src/a.py", CLIENT + CAPPED + UNCAPPED)
    write("nb.ipynb", notebook(CLIENT, "x = 1", UNCAPPED))
    write("broken.py", CLIENT + "client.converse(")
    code, out, err = run("check", *JSON)
    assert (code, err) == (1, "")
    CHECK.validate(json.loads(out))
    assert [place for place in findings(out) if place[0] in ("PS101", "PS902")] == [
        ("PS902", "broken.py", 4),
        ("PS101", "nb.ipynb", 1),
        ("PS101", "src/a.py", 5),
        ("PS101", "src/b.py", 4),
    ]
    assert json.loads(out)["errors"][0]["path"] == "broken.py"
    assert run("check", *JSON) == (code, out, err)
    assert run("check", *JSON, ".", "src", "nb.ipynb") == (code, out, err)
    assert run("check", *JSON, "--no-cache")[1] == out


def test_notebook_cell_in_json_and_text(run: Run, write: Callable[[str, str], None]) -> None:
    write("nb.ipynb", notebook(CLIENT, "x = 1", UNCAPPED))
    assert json.loads(run("check", *JSON, *ONLY)[1])["findings"][0]["cell"] == 2
    assert run("check", *ONLY)[1].startswith("nb.ipynb:cell 2:1:1: PS101 missing-max-tokens ")


def test_text_output(run: Run, write: Callable[[str, str], None]) -> None:
    write("app.py", CLIENT + UNCAPPED)
    code, out, err = run("check", *ONLY)
    assert (code, err) == (1, "")
    assert out.startswith("app.py:4:1: PS101 missing-max-tokens ")
    assert "4 | client.converse(modelId=" in out
    assert out.endswith("1 finding in 1 file with 1 LLM call\n1 fixable with --fix --unsafe-fixes\n")
    assert not run("check", *ONLY, "-q")[1].endswith("LLM call\n")
    assert run("check", *ONLY, "-qq") == (1, "", "")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), 1),
        (("--exit-zero",), 0),
        (("--fail-on", "error"), 0),
        (("--fail-on", "warning"), 1),
        (("--select", "PS602"), 0),
        (("--ignore", "missing-max-tokens", "--ignore", "PS6"), 0),
        (("--per-file-ignores", "*.py:ALL"), 0),
        (("--per-file-ignores", "other.py:ALL"), 1),
        (("--select", "ALL", "--min-confidence", "high"), 1),
    ],
)
def test_exit_codes(words: tuple[str, ...], expected: int, run: Run, write: Callable[[str, str], None]) -> None:
    write("app.py", CLIENT + UNCAPPED)
    assert run("check", *words)[0] == expected


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("check", "missing.py"), "no such file or folder: missing.py"),
        (("check", "--select", "missing-max-token"), "did you mean 'missing-max-tokens'?"),
        (("check", "--config", "nope.toml"), "nope.toml"),
        (("check", "--config", "selct=1"), "selct"),
        (("check", "--per-file-ignores", "PS101"), "'PS101' is not PATTERN:RULE"),
        (("check", "--statistics", *JSON), "--statistics is text"),
        (("check", "--config", 'output-format="jsn"'), "unknown output format 'jsn'; did you mean 'json'?"),
        (("check", "--prune-baseline"), "no baseline file promptslim-baseline.json; make it with --write-baseline"),
        (("check", "--baseline", "known.json"), "no baseline file known.json; make it with --write-baseline"),
        (("check", "--baseline", "damaged.json"), "damaged.json is not JSON"),
        (("check", "--config", "rules.missing-max-tokens.bogus=1"), "missing-max-tokens has no option 'bogus'"),
        (("check", "--config", 'rules.stale-prices.max-age-days="1"'), "'max-age-days' must be an integer, not '1'"),
        (("check", "--config", "rules.bogus.x=1"), "there is no rule 'bogus'"),
        (("check", "--config", 'prices="none.json"'), "none.json: cannot be read"),
        (("check", "--config", 'catalog=["none.toml"]'), "none.toml: cannot be read"),
        (("explain", "PS999"), "there is no rule 'PS999'"),
        (("models", "no-such-model"), "nothing is known of the model 'no-such-model'"),
        (("count", "none.txt"), "none.txt: cannot be read"),
        (("count", "--model", "no-such-model", "app.py"), "nothing is known of the model"),
        (("count", "binary.bin"), "binary.bin: null byte"),
        (("count", "app.py", "--tokenizer", "none.json"), "none.json"),
        (("prices", "update"), "name the file to read"),
        (("prices", "update", "--from", "none.json"), "none.json: cannot be read"),
        (("chek",), "no such command 'chek', did you mean 'check'?"),
    ],
)
def test_expected_errors_are_one_line_and_exit_code_2(
    words: tuple[str, ...], message: str, run: Run, write: Callable[[str, str], None]
) -> None:
    write("app.py", CLIENT + UNCAPPED)
    write("damaged.json", "{")
    write("binary.bin", "a\0b")
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert err.startswith("promptslim: error: ")
    assert message in err
    assert err.count("\n") == 1


def test_standard_input(run: Run, write: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    write("src/settings.py", "CAP = 300\n")
    text = CLIENT + "from settings import CAP\n" + CAPPED.replace("300", "CAP") + UNCAPPED

    class Stdin:
        class buffer:  # noqa: N801
            read = staticmethod(lambda: text.encode())

    monkeypatch.setattr(sys, "stdin", Stdin)
    code, out, _ = run("check", "-", "--stdin-filename", "src/app.py", *JSON, *ONLY)
    assert (code, findings(out)) == (1, [("PS101", "src/app.py", 6)])
    assert findings(run("check", "-", *JSON, *ONLY)[1])[-1][1] == "stdin.py"
    assert "no Python file, notebook or prompt file" in run("check", "-", "--stdin-filename", "a.css")[2]
    assert run("check", "-", "--stdin-filename", "tests/test_a.py", "--force-exclude", *ONLY)[0] == 0


def test_baseline(run: Run, write: Callable[[str, str], None], tmp_path: Path) -> None:
    known = ("--baseline", "known.json")
    write("a.py", CLIENT + UNCAPPED)
    write("b.py", CLIENT + UNCAPPED)
    code, out, _ = run("check", *ONLY, *known, "--write-baseline")
    assert (code, out) == (0, "No findings in 2 files with 2 LLM calls; 2 in the baseline\n")
    recorded = (tmp_path / "known.json").read_bytes()
    assert run("check", *ONLY, *known)[0] == 0
    write("a.py", "# moved\n" * 10 + CLIENT + UNCAPPED)
    assert run("check", *ONLY, *known)[0] == 0
    assert run("check", *ONLY, *known, "--write-baseline")[0] == 0
    assert (tmp_path / "known.json").read_bytes() == recorded
    write("a.py", CLIENT + UNCAPPED + UNCAPPED)
    assert findings(run("check", *ONLY, *known, *JSON)[1]) == [("PS101", "a.py", 5)]
    write("a.py", CLIENT + CAPPED)
    code, out, err = run("check", *ONLY, *known)
    assert code == 1
    assert out.startswith("No findings in 2 files with 2 LLM calls; 1 in the baseline, 1 of the baseline fixed")
    assert err == (
        "promptslim: 1 finding is fixed but still in known.json; "
        "run with --prune-baseline, so that none comes back unseen\n"
    )
    assert run("check", *ONLY, *known, "--exit-zero")[0] == 0
    assert run("check", "b.py", *ONLY, *known)[0] == 0
    assert run("check", "b.py", *ONLY, *known, "--prune-baseline")[0] == 0
    assert (tmp_path / "known.json").read_bytes() == recorded
    assert run("check", *ONLY, *known, "--prune-baseline")[1].endswith("1 in the baseline\n")
    assert [row["path"] for row in json.loads((tmp_path / "known.json").read_text())["findings"]] == ["b.py"]
    (tmp_path / "b.py").unlink()
    assert run("check", *ONLY, *known, "--prune-baseline")[0] == 0
    assert json.loads((tmp_path / "known.json").read_text())["findings"] == []


def test_what_was_fixed_cannot_come_back(run: Run, write: Callable[[str, str], None]) -> None:
    write("a.py", CLIENT + UNCAPPED)
    assert run("check", *ONLY, "--write-baseline")[0] == 0
    assert run("check", *ONLY)[0] == 0
    write("a.py", CLIENT + CAPPED)
    assert run("check", *ONLY)[0] == 1
    assert run("check", *ONLY, "--prune-baseline")[0] == 0
    assert run("check", *ONLY)[0] == 0
    write("a.py", CLIENT + UNCAPPED)
    assert run("check", *ONLY, *JSON)[0] == 1


def test_baseline_that_cannot_be_written_leaves_nothing_behind(run: Run, write: Callable[[str, str], None]) -> None:
    write("a.py", CLIENT + UNCAPPED)
    code, _, err = run("check", *ONLY, "--baseline", "no/such/folder.json", "--write-baseline")
    assert code == 2
    assert "cannot write" in err
    assert [path.name for path in Path().iterdir()] == ["a.py"]


def test_show_files_and_statistics(run: Run, write: Callable[[str, str], None]) -> None:
    write("a.py", CLIENT + UNCAPPED * 2)
    write("tests/test_a.py", CLIENT + UNCAPPED)
    write("b.txt", "x")
    assert run("check", "--show-files") == (0, "a.py\n", "")
    assert run("check", "--show-files", "--include-tests")[1] == "a.py\ntests/test_a.py\n"
    assert run("check", "--statistics", *ONLY) == (1, "2  PS101  missing-max-tokens\n", "")


def test_copies_are_folded_in_text_only(run: Run, write: Callable[[str, str], None]) -> None:
    for path in ("a.py", "b.py", "c.py"):
        write(path, CLIENT + UNCAPPED)
    out = run("check", *ONLY)[1]
    assert out.count("PS101") == 1
    assert "= note: the same in the identical b.py, c.py" in out
    assert "3 findings" in out
    assert len(findings(run("check", *ONLY, *JSON)[1])) == 3
    assert run("check", *ONLY, ".", "c.py")[1].count("PS101") == 2


def test_files_that_are_not_read_are_counted(run: Run, write: Callable[[str, str], None]) -> None:
    write("a.ts", 'import OpenAI from "openai";\n')
    write("b.ts", "const x = 1;\n")
    assert run("check") == (0, "No findings in 0 files with 0 LLM calls\nNot read: 1 .ts file with LLM markers\n", "")


def test_empty_folder_is_said(run: Run) -> None:
    code, _, err = run("check")
    assert code == 0
    assert err == "promptslim: warning: no Python files, notebooks or prompt files found under the given paths\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"import boto3\nx = 'a\0b'\n", "null byte"),
        (b"import boto3\nx = '\xff'\n", "0xff"),
        (b"# -*- coding: nonsense -*-\nimport boto3\n", "nonsense"),
        ("import boto3\nclient.converse(".encode("utf-16"), "UTF-16"),
        (b"import boto3\nclient.converse(\n", ""),
        (b"def f(:\n", ""),
    ],
)
def test_a_bad_file_is_one_finding_and_the_rest_goes_on(
    content: bytes, message: str, run: Run, write: Callable[[str, str], None], tmp_path: Path
) -> None:
    (tmp_path / "bad.py").write_bytes(content)
    write("good.py", CLIENT + UNCAPPED)
    code, out, err = run("check", "bad.py", "good.py", "--select", "PS101,PS902", *JSON)
    assert (code, err) == (1, "")
    answer = json.loads(out)
    assert [one["code"] for one in answer["findings"]] == ["PS902", "PS101"]
    assert message in answer["errors"][0]["message"]
    code, _, err = run("check", "bad.py", "--select", "PS101")
    assert code == 0
    assert err.startswith("promptslim: warning: bad.py")
    assert err.count("\n") == 1


def test_hostile_names_and_text_are_escaped(run: Run, write: Callable[[str, str], None]) -> None:
    write("a\x1b[2Jb\u202e.py", CLIENT + UNCAPPED.replace("messages", "# \x1b]0;title\x07\n    messages"))
    code, out, err = run("check", *ONLY)
    assert code == 1
    assert "\x1b" not in out + err
    assert "\u202e" not in out + err


def test_colour(run: Run, write: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    write("a.py", CLIENT + UNCAPPED)
    assert "\x1b[" not in run("check")[1]
    assert "\x1b[" in run("check", "--color", "always")[1]
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" in run("check")[1]
    assert "\x1b[" not in run("check", "--color", "never")[1]
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in run("check")[1]
    assert "\x1b[" in run("check", "--color", "always")[1]


def test_inventory(run: Run, write: Callable[[str, str], None]) -> None:
    write(
        "a.py",
        CLIENT
        + 'SYSTEM = "You are a helpful assistant."\n'
        + CAPPED.replace("messages=", 'system=[{"text": SYSTEM}], messages='),
    )
    code, out, err = run("inventory", *JSON)
    assert (code, err) == (0, "")
    answer = json.loads(out)
    INVENTORY.validate(answer)
    (call,) = answer["calls"]
    assert call["max_tokens"] == {"state": "known", "value": 300}
    assert call["model"] == {"state": "known", "value": "amazon.nova-lite-v1:0"}
    assert call["system"]["state"] == "known"
    assert call["system"]["tokens"] > 0
    (prompt,) = answer["prompts"]
    assert prompt["used_by"] == [call["id"]]
    assert run("inventory", *JSON) == (code, out, err)
    text = run("inventory")[1]
    assert "boto3.converse" in text
    assert text.endswith("1 LLM call, 1 prompt\n")


def test_count(run: Run, write: Callable[[str, str], None]) -> None:
    write("a.txt", "Hello, world")
    code, out, _ = run("count", "a.txt", "--model", "anthropic.claude-haiku-4-5-20251001-v1:0", *JSON)
    (row,) = json.loads(out)["counts"]
    assert code == 0
    assert (row["tokens"], row["low"], row["high"], row["method"]) == (3, 3, 3, "reconstructed")
    assert "tokens (" in run("count", "a.txt")[1]
    vocabulary = {
        "version": "1.0",
        "added_tokens": [],
        "model": {"type": "WordLevel", "vocab": {"Hello": 0, ",": 1, "world": 2, "?": 3}, "unk_token": "?"},
        "pre_tokenizer": {"type": "Whitespace"},
    }
    write("tokenizer.json", json.dumps(vocabulary))
    assert run("count", "a.txt", "--tokenizer", "tokenizer.json")[1] == "a.txt: 3 tokens (vocabulary)\n"


def test_explain_leaves_the_tests_out(run: Run) -> None:
    code, out, _ = run("explain", "PS101")
    assert code == 0
    assert out.startswith("# missing-max-tokens (PS101)\n")
    for word in ("## Cases", "# error:", "# ok:", "```expect", "severity:"):
        assert word not in out
    assert run("explain", "missing-max-tokens")[1] == out
    assert run("explain", "ps101")[1] == out


def test_rules_and_models(run: Run) -> None:
    assert "PS101  missing-max-tokens" in run("rules")[1]
    rules = json.loads(run("rules", *JSON)[1])["rules"]
    assert [rule["code"] for rule in rules] == sorted(rule["code"] for rule in rules)
    assert "us.amazon.nova-lite-v1:0" in run("models")[1]
    (model,) = json.loads(run("models", "us.amazon.nova-lite-v1:0", *JSON)[1])["models"]
    assert model["max_output"] == 10000
    shown = run("models", "us.amazon.nova-lite-v1:0")[1]
    assert "per million tokens (" in shown
    assert model["rates"]["source"] in shown


def test_prices_update(run: Run, write: Callable[[str, str], None], tmp_path: Path) -> None:
    price = {"input_cost_per_token": 7e-6, "output_cost_per_token": 9e-6}
    row = {"litellm_provider": "bedrock", "mode": "chat", **price}
    write("map.json", json.dumps({"amazon.nova-lite-v1:0": row}))
    code, out, err = run("prices", "update", "--from", "map.json")
    assert (code, err) == (0, "")
    assert "1 changed: amazon.nova-lite-v1:0" in out
    assert "$7 in, $9 out" in run("models", "amazon.nova-lite-v1:0")[1]
    Path(out.partition(": ")[0]).unlink()
    assert "$7 in, $9 out" not in run("models", "amazon.nova-lite-v1:0")[1]
    write("promptslim.toml", 'prices = "mine.json"\n')
    assert run("prices", "update", "--from", "map.json")[1].startswith(f"{tmp_path / 'mine.json'}: prices of ")
    assert "$7 in, $9 out" in run("models", "amazon.nova-lite-v1:0")[1]


def test_config_shows_where_settings_come_from(run: Run, write: Callable[[str, str], None]) -> None:
    write("promptslim.toml", 'select = ["PS1"]\n')
    assert 'select = ["PS1"]  # promptslim.toml:1' in run("config")[1]
    assert "# select: not set" in run("config", "--isolated")[1]


def test_an_unexpected_failure_is_one_line_with_what_to_report(
    run: Run, write: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    from promptslim.check import loader

    def broken(metas: object) -> None:
        raise KeyError("nobody\x1bexpects")

    monkeypatch.setattr(loader, "load", broken)
    write("a.py", CLIENT + UNCAPPED)
    code, out, err = run("check")
    assert (code, out) == (2, "")
    assert err.startswith("promptslim: error: internal error, please report it: KeyError: ")
    assert err.count("\n") == 1
    assert "\x1b" not in err
    assert "Traceback" in run("check", "-vv")[2]
    monkeypatch.setenv("PROMPTSLIM_DEBUG", "1")
    assert "Traceback" in run("check")[2]


def test_interrupt(run: Run, write: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    from promptslim.pipeline import run as pipeline

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "analyse", interrupted)
    assert run("check") == (130, "", "")


def test_a_reader_that_goes_away_is_no_error(write: Callable[[str, str], None], tmp_path: Path) -> None:
    for number in range(300):
        write(f"a{number}.py", f"# {number}\n" + CLIENT + UNCAPPED * 5)
    command = f"{sys.executable} -m promptslim check | head -n 1"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(command, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.stdout.startswith("a0.py:5:1: ")
    assert done.stderr == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_one_line(write: Callable[[str, str], None], tmp_path: Path) -> None:
    write("a.py", CLIENT + UNCAPPED)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "promptslim", "check"],
            cwd=tmp_path,
            env=environment,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 2
    assert done.stderr == "promptslim: error: cannot write the output: No space left on device\n"


def test_long_runs_show_progress_on_a_terminal_and_take_it_away(
    run: Run, write: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    from promptslim.cli import session

    write("a.py", CLIENT + UNCAPPED)
    write("b.py", CLIENT + CAPPED)
    monkeypatch.setattr(session, "SLOW", 0)
    monkeypatch.setattr(session, "STEP", 0)
    assert run("check", *ONLY)[2] == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    shown = run("check", *ONLY)[2]
    assert shown == "\rpromptslim: 1 of 2 files\rpromptslim: 2 of 2 files\r\x1b[K"
    assert run("check", *ONLY, "-q")[2] == ""


def test_verbose_says_what_was_done(run: Run, write: Callable[[str, str], None]) -> None:
    write("promptslim.toml", 'select = ["PS101"]\n')
    write("a.py", CLIENT + CAPPED)
    write("tests/test_a.py", CLIENT + UNCAPPED)
    assert run("check", "-v")[2] == (
        "promptslim: settings: promptslim.toml\npromptslim: 1 of 1 files analysed; left out: 1 test\n"
    )


def test_python_api(write: Callable[[str, str], None], tmp_path: Path) -> None:
    import promptslim
    from promptslim.config.error import ConfigError
    from promptslim.discover.paths import PathError

    write("app.py", CLIENT + UNCAPPED)
    result = promptslim.check(cwd=tmp_path, select=["PS101"])
    assert [(one.code, one.primary.path) for one in result.findings] == [("PS101", "app.py")]
    assert promptslim.check([tmp_path / "app.py"], cwd=tmp_path, select=("PS602",)).findings == ()
    assert [call.sdk for call in promptslim.inventory(cwd=tmp_path).calls] == ["boto3.converse"]
    assert promptslim.count("Hello, world", "anthropic.claude-haiku-4-5-20251001-v1:0").n == 3
    with pytest.raises(ConfigError, match="did you mean 'select'"):
        promptslim.check(cwd=tmp_path, selct=["PS101"])
    with pytest.raises(PathError):
        promptslim.check(["none.py"], cwd=tmp_path)


def test_github_writes_the_whole_table_to_the_job_summary(
    run: Run, write: Callable[[str, str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("app.py", CLIENT + UNCAPPED * 12)
    summary = tmp_path / "summary.md"
    summary.write_text("earlier\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    code, out, err = run("check", *ONLY, "--output-format", "github")
    assert (code, err) == (1, "")
    assert out.count("::warning ") == 10
    assert out.endswith("::notice title=promptslim::2 more findings; the job summary lists all\n")
    text = summary.read_text("utf-8")
    assert text.startswith("earlier\n### promptslim: 12 findings\n")
    assert text.count("| warning | PS101 ") == 12
    run("check", *ONLY, "--output-format", "json")
    assert summary.read_text("utf-8") == text
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "none" / "summary.md"))
    code, out, err = run("check", *ONLY, "--output-format", "github")
    assert code == 1
    assert "--output-format markdown lists all" in out
    assert err.count("\n") == 1
    assert "cannot write the job summary" in err


def test_a_template_of_the_user(run: Run, write: Callable[[str, str], None]) -> None:
    write("app.py", CLIENT + UNCAPPED)
    write("t.txt", "{% for f in findings %}\n{{ f.path }}|{{ f.line }}|{{ f.name }}\n{% endfor %}\n")
    shape = ("--output-format", "template")
    assert run("check", *ONLY, *shape, "--template", "t.txt") == (1, "app.py|4|missing-max-tokens\n", "")
    write("bad.txt", "x\n{{ nothing }}")
    for words, said in (
        (shape, "add --template FILE"),
        (("--template", "t.txt"), "add --output-format template"),
        ((*shape, "--template", "gone.txt"), "cannot read the template gone.txt: No such file or directory"),
        ((*shape, "--template", "bad.txt"), "bad.txt:2: UndefinedError: 'nothing' is undefined; correct it"),
    ):
        code, out, err = run("check", *ONLY, *words)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert said in err
