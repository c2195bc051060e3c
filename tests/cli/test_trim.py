"""``promptslim trim``: the diff, the files, the figures, the cache trap and proofs."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
from proof import projects

import promptslim
from promptslim.cli import main as entry

FORMATS = Path(__file__).parents[2] / "fixtures" / "formats"

APP = '''import anthropic

client = anthropic.Anthropic()
SYSTEM = """You are a support agent for a bank.
Please note that customers are busy.{blanks}
In order to help them,    read the ticket.
Use the **full** name of the product."""
OTHER = """Sort the ticket.{blanks}
Be brief."""


def answer(question):
    return client.messages.create(
        model="claude-haiku-4-5", max_tokens=400, system=SYSTEM, messages=[{"role": "user", "content": question}]
    )


def sort(question):
    return client.messages.create(
        model="claude-haiku-4-5", max_tokens=9, system=OTHER, messages=[{"role": "user", "content": question}]
    )
'''.replace("{blanks}", "   ")

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.py").write_text(APP)

    def command(*words: str) -> tuple[int, str, str]:
        code = entry.main(["trim", *words])
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return command


def test_the_default_is_a_diff_of_blank_space(run: Run, tmp_path: Path) -> None:
    code, out, err = run()
    assert code == 1
    assert "-In order to help them,    read the ticket.\n" in out
    assert "+In order to help them, read the ticket.\n" in out
    assert re.search(
        r"app\.py::SYSTEM: \d+ to \d+ tokens \(\d+\.\d% less, counted\), \$0\.0\d+ to \$0\.0\d+ per 1,000", err
    )
    assert "2026" in err  # the date of the price
    assert (tmp_path / "app.py").read_text() == APP


def test_write_keeps_mode_and_what_is_around(run: Run, tmp_path: Path) -> None:
    (tmp_path / "app.py").chmod(0o750)
    code, out, _ = run("--write", "--level", "unsafe")
    assert (code, out) == (0, "")
    text = (tmp_path / "app.py").read_text()
    assert "bank.\nCustomers are busy.\nTo help them, read the ticket.\nUse the **full** name" in text
    assert text.partition("def answer")[2] == APP.partition("def answer")[2]
    assert (tmp_path / "app.py").stat().st_mode & 0o777 == 0o750
    assert run("--level", "unsafe")[:2] == (0, "")


def test_one_prompt_by_name(run: Run, tmp_path: Path) -> None:
    assert "-OTHER" not in run("--prompt", "SYSTEM")[1]
    assert run("--prompt", "app.py::OTHER", "--write")[0] == 0
    assert "ticket.\nBe brief" in (tmp_path / "app.py").read_text()
    assert "    read the ticket" in (tmp_path / "app.py").read_text()
    assert run("--prompt", "SYSTM") == (
        2,
        "",
        "promptslim: error: --prompt 'SYSTM' is no prompt of these files; did you mean 'SYSTEM'?\n",
    )


@pytest.mark.parametrize("name", ["prompts/new.txt", "app.py"])
def test_standard_input_is_trimmed(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    before = "Sort it,    in order to see." if name.endswith(".txt") else APP.replace("Be brief", "Be very brief")
    for words, changed in ((("trim", "--level", "unsafe"), True), (("check", "--diff", "--unsafe-fixes"), False)):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(before.encode())))
        code = entry.main([*words, "-", "--stdin-filename", name, "--no-cache"])
        out, err = capsys.readouterr()
        assert (code, "cannot be read" in err) == (int(changed), False)
        assert not changed or "see." in out or "Customers are busy." in out
    assert (tmp_path / "app.py").read_text() == APP
    assert not (tmp_path / "prompts").exists()


def test_json_has_figures_with_their_basis(run: Run) -> None:
    code, out, _ = run("--json", "--level", "unsafe", "--prompt", "SYSTEM")
    (prompt,) = json.loads(out)["prompts"]
    assert code == 1
    assert prompt["tokens"]["basis"] == "counted"
    saved = prompt["tokens"]["before"] - prompt["tokens"]["after"]
    assert 0 < saved <= sum(made["saves"] for made in prompt["made"]) + 1
    assert prompt["usd_per_1k_calls"]["before"] > prompt["usd_per_1k_calls"]["after"] > 0
    assert {made["level"] for made in prompt["made"]} == {"safe", "unsafe"}
    (file,) = json.loads(out)["files"]
    assert file["before"] == APP
    assert promptslim.trim(level="unsafe", prompts=["app.py::SYSTEM"]).files[0].after == file["after"]


@pytest.mark.parametrize("words", [("--level", "proof"), ("--prompt", "OTHER"), ("--target-tokens", "3")])
def test_json_keeps_its_contract(run: Run, words: tuple[str, ...]) -> None:
    schema = json.loads((FORMATS / "trim-v1.schema.json").read_text("utf-8"))
    jsonschema.validate(json.loads(run("--json", *words)[1]), schema)


def test_json_names_what_could_not_be_read(run: Run, tmp_path: Path) -> None:
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "bad.txt").write_bytes(b"bad \xff")
    (tmp_path / "broken.py").write_text(APP + "def (:\n")
    schema = json.loads((FORMATS / "trim-v1.schema.json").read_text("utf-8"))
    out = json.loads(run("--json")[1])
    jsonschema.validate(out, schema)
    assert [(one["path"], one["line"]) for one in out["errors"]] == [("broken.py", 22), ("prompts/bad.txt", 1)]


def test_all_prompts_together(run: Run) -> None:
    err = run()[2]
    assert re.search(
        r"2 prompts: \d+ to \d+ tokens \(.*% less, counted\), \$[\d.]+ to \$[\d.]+ per 1,000 uncached calls of each",
        err,
    )


@pytest.mark.parametrize("name", ["prompts/a.txt", "a.txt", "./prompts/a.txt"])
def test_a_prompt_file_by_the_end_of_its_path(run: Run, tmp_path: Path, name: str) -> None:
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "a.txt").write_text("Sort it,    then stop.\n")
    out = run("--prompt", name)[1]
    assert "+Sort it, then stop." in out
    assert "ticket" not in out


LONG = (
    "You sort tickets for a bank. Please note that customers are busy.   \nSort the list    in order to find the date."
)
SHORT = "You sort tickets for a bank. Customers are busy.\nSort the list to find the date."


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("prompts/a.md", "# Task\n\n{}\n"),
        ("prompts/a.txt", "{}\n"),
        ("prompts/a.yaml", "user: '[ticket]'\nsystem: |\n  {}\n"),
        ("prompts/a.toml", 'system = """\n{}\n"""\n'),
        ("prompts/a.json", '{{"system": "{}"}}\n'),
        ("prompts/a.j2", "{}\n{{{{ ticket }}}}\n"),
    ],
)
def test_prompt_files_of_every_kind(run: Run, tmp_path: Path, path: str, text: str) -> None:
    def written(content: str) -> str:
        line = {".json": "\\n", ".yaml": "\n  "}.get(Path(path).suffix, "\n")
        return text.format(content.replace("\n", line))

    (tmp_path / "prompts").mkdir()
    (tmp_path / path).write_text(written(LONG))
    assert run("--write", "--level", "unsafe", path)[0] == 0
    assert (tmp_path / path).read_text() == written(SHORT)


def test_target_takes_the_mildest_edits_first(run: Run) -> None:
    before = json.loads(run("--json", "--level", "unsafe", "--prompt", "SYSTEM")[1])["prompts"][0]["tokens"]["before"]
    out = run("--json", "--level", "unsafe", "--prompt", "SYSTEM", "--target-tokens", str(before - 1))[1]
    (made,) = json.loads(out)["prompts"][0]["made"]
    assert made["level"] == "safe"
    assert json.loads(out)["over_target"] == []
    assert "still over the target" in run("--level", "unsafe", "--target-tokens", "3")[2]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--diff", "--write"), "--diff and --write do not go together"),
        (("--target-tokens", "many"), "'many' is not a number of tokens"),
        (("--target-tokens", "0"), "'0' is not a number of tokens"),
        (("--write", "-"), "name the file instead of -"),
        (("nothere.py",), "nothere.py"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(run: Run, words: tuple[str, ...], said: str) -> None:
    code, out, err = run(*words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in err


def test_proof_level_is_shown_and_not_written(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("--level", "proof")
    assert code == 1
    assert "+Use the full name of the product." in out
    code, _, err = run("--level", "proof", "--write")
    assert code == 0
    assert "Use the **full** name" in (tmp_path / "app.py").read_text()
    assert "Customers are busy." in (tmp_path / "app.py").read_text()
    assert "needs a proof" in err


def test_the_keep_setting_holds(run: Run, tmp_path: Path) -> None:
    (tmp_path / "promptslim.toml").write_text('keep = ["In order to help"]\n')
    out = run("--level", "unsafe")[1]
    assert "+Customers are busy." in out
    assert "To help them" not in out.replace("In order To help", "")


def test_untrusted_text_cannot_reach_the_terminal(run: Run, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP.replace("Be brief.", "Be\x1b[31m brief."))
    out, err = run()[1:]
    assert "\x1b" not in out + err
    assert "\\x1b[31m" in out


CACHED = '''import boto3

client = boto3.client("bedrock-runtime")
SYSTEM = """{text}"""


def answer(question):
    return client.converse(
        modelId="us.anthropic.claude-3-7-sonnet-20250219-v1:0",
        system=[{{"text": SYSTEM}}, {{"cachePoint": {{"type": "default"}}}}],
        messages=[{{"role": "user", "content": [{{"text": question}}]}}],
        inferenceConfig={{"maxTokens": 400}},
    )
'''


def cached(lines: int) -> str:
    names = ("alpha", "bravo", "charlie", "delta", "echo")
    rules = [
        f"Read the page on {names[n % 5]} number {n}    slowly, in order to find the date.  " for n in range(lines)
    ]
    return CACHED.format(text="\n".join(rules))


def test_a_prefix_that_falls_under_the_cache_minimum_is_left(run: Run, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(cached(54))
    code, _, err = run("--write", "--level", "unsafe")
    assert code == 1
    assert (tmp_path / "app.py").read_text() == cached(54)
    found = re.search(
        r"shrinks from ([\d,]+) to ([\d,]+) tokens, under the cache minimum of 1,024 .* rate of ([\d.]+)%", err
    )
    assert found, err
    before, after = (int(found[number].replace(",", "")) for number in (1, 2))
    assert before >= 1024 > after
    assert float(found[3]) / 100 == pytest.approx((1.25 - after / before) / 1.15, abs=0.001)
    assert "read from cache" in err
    (trap,) = json.loads(run("--json", "--level", "unsafe")[1])["traps"]
    assert trap["certain"]
    assert trap["prefix_tokens"] == {"before": before, "after": after, "minimum": 1024}
    assert "--accept-cache-loss" in err
    assert run("--write", "--level", "unsafe", "--accept-cache-loss")[0] == 0
    assert "to find the date.\n" in (tmp_path / "app.py").read_text()


def test_usage_shows_both_bills_and_decides(run: Run, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(cached(54))
    usage = tmp_path / "promptslim-usage.toml"
    usage.write_text("version = 1\n[default_usage]\ncache_hit_rate = 0.95\n")
    code, _, err = run("--write", "--level", "unsafe")
    assert code == 1
    assert (tmp_path / "app.py").read_text() == cached(54)
    bills = re.search(r"at 95\.0% \(usage file\) the prefix costs \$([\d.]+) per 1,000 calls today and \$([\d.]+)", err)
    assert bills, err
    assert float(bills[1]) < float(bills[2])
    (trap,) = json.loads(run("--json", "--level", "unsafe")[1])["traps"]
    assert trap["cache_hit_rate"] == 0.95
    assert trap["usd_per_1k_calls"]["now"] < trap["usd_per_1k_calls"]["after"]
    (call,) = promptslim.inventory(["."], cwd=tmp_path, cache=False).calls
    usage.write_text(f'version = 1\n[usage."{call.id}"]\ncache_hit_rate = 0.1\n')
    code, _, err = run("--write", "--level", "unsafe")
    assert code == 0
    bills = re.search(r"\$([\d.]+) per 1,000 calls today and \$([\d.]+) after the trim, which pays", err)
    assert bills, err
    assert float(bills[1]) > float(bills[2])
    assert "to find the date.\n" in (tmp_path / "app.py").read_text()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("version = ", "promptslim-usage.toml: not TOML"),
        ("version = 2", "version has to be 1; add `version = 1`"),
        ("version = 1\n[default_usage]\ncache_hitrate = 0.5", "did you mean 'cache_hit_rate'?"),
        (
            "version = 1\n[default_usage]\ncache_hit_rate = 1.5",
            "default_usage.cache_hit_rate has to be a number",
        ),
        ("version = 1\nusage = 3", "usage has to be tables"),
        ("version = 1\nusages = 3", "did you mean 'usage'?"),
    ],
)
def test_a_usage_file_that_cannot_be_used_is_one_line(run: Run, tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "app.py").write_text(cached(54))
    (tmp_path / "promptslim-usage.toml").write_text(text)
    code, out, err = run("--level", "unsafe")
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1


def test_a_prefix_that_stays_over_the_minimum_is_trimmed(run: Run, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(cached(120))
    code, _, err = run("--write", "--level", "unsafe")
    assert (code, "cache minimum" in err) == (0, False)


NOVA = ("us.anthropic.claude-3-7-sonnet-20250219-v1:0", "us.amazon.nova-lite-v1:0")


def test_an_estimated_prefix_is_left_as_well(run: Run, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(cached(90).replace(*NOVA))
    code, _, err = run("--write", "--level", "unsafe")
    assert code == 1
    assert re.search(
        r"from 1,\d\d\d to 1,\d\d\d tokens \(estimated\), under the cache minimum of 1,536 for nova-lite", err
    )
    assert (tmp_path / "app.py").read_text() == cached(90).replace(*NOVA)
    (trap,) = json.loads(run("--json", "--level", "unsafe")[1])["traps"]
    assert (trap["basis"], trap["certain"], trap["refused"]) == ("estimated", False, True)


def test_a_prefix_with_parts_of_unknown_size_is_told_and_trimmed(run: Run, tmp_path: Path) -> None:
    source = cached(54).replace('[{"text": SYSTEM}, {', '[{"text": SYSTEM}, {"text": manual()}, {')
    (tmp_path / "app.py").write_text(source)
    code, _, err = run("--write", "--level", "unsafe")
    assert code == 0
    assert "(as far as it is visible), under the cache minimum of 1,024" in err
    assert "to find the date.\n" in (tmp_path / "app.py").read_text()


def test_fixes_of_findings_keep_the_cache_too(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "app.py").write_text(cached(54))
    words = ["check", "--select", "PS204,PS205", "--no-cache"]
    assert entry.main(words) == 1
    assert "the cached prefix would shrink" in capsys.readouterr().out
    for flag in ("--fix", "--fix-only"):
        entry.main([*words, flag, "--unsafe-fixes"])
        err = capsys.readouterr().err
        assert "under the cache minimum of 1,024 for claude-3-7-sonnet: from a cache hit rate of" in err
        assert "trim --accept-cache-loss" in err
        assert (tmp_path / "app.py").read_text() == cached(54)
    (tmp_path / "promptslim-usage.toml").write_text("version = 1\n[default_usage]\ncache_hit_rate = 0.1\n")
    entry.main([*words, "--fix", "--unsafe-fixes"])
    assert "Fixed" in capsys.readouterr().err
    assert "to find the date.\n" in (tmp_path / "app.py").read_text()
    (tmp_path / "app.py").write_text(cached(120))
    (tmp_path / "promptslim-usage.toml").unlink()
    entry.main([*words, "--fix", "--unsafe-fixes"])
    assert "to find the date.\n" in (tmp_path / "app.py").read_text()


def test_without_a_marker_there_is_no_trap(run: Run, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(cached(54).replace(', {"cachePoint": {"type": "default"}}', ""))
    assert run("--write", "--level", "unsafe")[0] == 0


def test_a_proof_holds_its_prompt(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(projects.FILES, "app.py", projects.APP.replace('"Name the', '"Name    the'))
    projects.prove(tmp_path)
    before = (tmp_path / "app.py").read_text()
    code, out, err = run("--write", "app.py", "--config", "cache=false")
    assert (code, out) == (0, "")
    assert (tmp_path / "app.py").read_text() == before
    assert "has a proof in promptslim.lock" in err


def prove_step(folder: Path, old: str, new: str, model: str = projects.MODEL) -> str:
    """A project whose prompt has ``new`` for ``old``, with a proof that it may say ``old``; the source."""
    entry = projects.prove(folder)
    long = projects.APP.replace(old, new)
    (folder / "app.py").write_text(long)
    _, code = projects.inputs(folder)
    claim = projects.claim_of(code, projects.FILES)
    claim = projects.replace(claim, before=code.prompt, after=entry.claim.after, model=model, resolved=model)
    made, evidence, _ = projects.made_entry(
        entry.id, "app.py", claim, projects.rows(), projects.TODAY, projects.EVIDENCE, texts=True
    )
    (folder / projects.EVIDENCE).write_bytes(evidence)
    projects.write(folder, made)
    return long


PLAIN = ("app.py", "--config", "cache=false")


@pytest.mark.parametrize("flags", [("--proved",), ("--level", "proof")])
@pytest.mark.parametrize(
    ("old", "new"),
    [("in one word", "in **one** word"), ("Name the", "Please note that name the"), ("Name the", "Name    the")],
)
def test_a_proof_of_the_very_result_unlocks_it(
    run: Run, tmp_path: Path, flags: tuple[str, ...], old: str, new: str
) -> None:
    long = prove_step(tmp_path, old, new)
    code, out, err = run(*flags, *PLAIN)
    assert code == 1
    assert '+SYSTEM = "Name the sentiment of the review in one word."' in out
    assert "left as it is" not in err
    assert (tmp_path / "app.py").read_text() == long
    assert run(*flags, "--write", *PLAIN)[0] == 0
    assert (tmp_path / "app.py").read_text() == projects.APP
    assert run(*flags, "--write", *PLAIN) == (0, "", "promptslim: nothing to trim\n")


def test_what_is_proved_only_is_what_has_a_proof(run: Run, tmp_path: Path) -> None:
    prove_step(tmp_path, "in one word", "in **one** word")
    (tmp_path / "other.py").write_text(APP)
    assert run("--proved", "--write", ".", "--config", "cache=false")[0] == 0
    assert (tmp_path / "app.py").read_text() == projects.APP
    assert (tmp_path / "other.py").read_text() == APP


def test_a_proof_that_is_not_applied_is_told_with_the_reason(run: Run, tmp_path: Path) -> None:
    for old, new, model, reason in (
        (
            "in one word",
            "in **one** word",
            "amazon.nova-pro-v1:0",
            "for amazon.nova-pro-v1:0, and the calls send app.py",
        ),
        ("in one word", "in exactly one word", projects.MODEL, "is for another text than trimming gives now"),
    ):
        long = prove_step(tmp_path, old, new, model)
        code, out, err = run("--proved", "--write", *PLAIN)
        assert (code, out) == (0, "")
        assert reason in err
        assert (tmp_path / "app.py").read_text() == long
    (tmp_path / "app.py").write_text(long.replace("of the review", "of each review"))
    assert "the proof of app.py::SYSTEM is stale" in run("--proved", *PLAIN)[2]
    (tmp_path / "promptslim.lock").unlink()
    assert "promptslim verify run SUITE makes one" in run("--proved", *PLAIN)[2]


def test_a_proved_prompt_gets_nothing_that_the_proof_does_not_cover(run: Run, tmp_path: Path) -> None:
    long = prove_step(tmp_path, "in one word", "in exactly    one word")
    for level in ("safe", "unsafe", "proof"):
        code, out, err = run("--level", level, "--write", *PLAIN)
        assert (code, out) == (0, "")
        assert "has a proof in promptslim.lock" in err
        assert (tmp_path / "app.py").read_text() == long


@pytest.mark.parametrize("words", [("--level", "unsafe"), ("--target-tokens", "9")])
def test_a_proof_is_for_one_text(run: Run, words: tuple[str, ...]) -> None:
    code, out, err = run("--proved", *words)
    assert (code, out) == (2, "")
    assert f"--proved and {words[0]} do not go together" in err


def test_lines_that_the_source_continues_keep_their_indentation(run: Run, tmp_path: Path) -> None:
    steps = APP.replace("read the ticket.", "read the ticket \\\n   and the    notes of others.")
    (tmp_path / "app.py").write_text(steps)
    assert run("--write", *PLAIN)[0] == 0
    after = (tmp_path / "app.py").read_text()
    assert "read the ticket \\\n   and the notes of others." in after


def test_a_text_that_is_examples_as_a_whole_stays(run: Run, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP.replace("SYSTEM", "FEW_SHOTS"))
    run("--write", "--level", "unsafe", *PLAIN)
    after = (tmp_path / "app.py").read_text()
    assert "Please note that customers are busy.   \nIn order to help them,    read" in after
    assert "Sort the ticket.\n" in after


def test_what_the_other_levels_look_at_is_said(run: Run, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(projects.APP)
    assert run()[2] == (
        "promptslim: nothing to trim\n"
        "promptslim: only repeated blank space was looked at; --level unsafe looks at wording and layout too\n"
    )
    assert run("--level", "safe")[2] == "promptslim: nothing to trim\n"
