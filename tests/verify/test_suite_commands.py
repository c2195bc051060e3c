"""``promptslim verify plan``, ``init``, ``coverage`` and ``export``."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from sentiment_project import GOOD, PROMPT, lay_out, recorded, suite

from promptslim.cli import main as entry
from promptslim.proof.power import items_needed_exact, smallest_margin
from promptslim.verify.suite import read_suite

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setenv("PROMPTSLIM_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")

    def command(*words: str) -> tuple[int, str, str]:
        code = entry.main(words)
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return command


def test_a_plan_says_what_can_be_shown_and_what_it_costs(run: Run) -> None:
    lay_out(Path())
    code, out, _ = run("verify", "plan", "suite.yaml", "--json")
    plan = json.loads(out)
    assert code == 0
    assert (plan["tests"], plan["calls"], plan["noise_calls"]) == (70, 160, 20)
    assert plan["smallest_margin"] == smallest_margin(70)
    assert plan["tests_needed"] == items_needed_exact(0.05, 0.1)
    assert plan["prompt_tokens"]["after"] < plan["prompt_tokens"]["before"]
    most = 160 * 20 * 0.24e-6 + plan["input_tokens_at_most"] * 0.06e-6
    assert float(plan["usd"]["at_most"]) == pytest.approx(most), "Nova Lite: 0.06 and 0.24 dollars a million"
    assert not Path("promptslim.lock").exists()
    text = run("verify", "plan", "suite.yaml")[1]
    assert "2026" in text, "the price says its date"
    assert "(assumed)" in text


JUDGED = """defaultTest: {assert: [{type: llm-rubric, value: polite}]}
judge:
  model: amazon.nova-pro-v1:0
  parameters: {max_tokens: 50}
  labels: [{test: t0, output: positive, pass: true}, {test: t1, output: rude, pass: false}]
"""


def test_a_plan_prices_the_judge(run: Run) -> None:
    lay_out(Path(), text=suite(70, JUDGED))
    plan = json.loads(run("verify", "plan", "suite.yaml", "--json")[1])
    assert (plan["judge"], plan["judge_calls"]) == ("amazon.nova-pro-v1:0", 70 * 2 + 20 * 2 + 2)
    least, most = (float(plan["judge_usd"][end]) for end in ("input_alone", "at_most"))
    assert most - least == pytest.approx(180 * 20 * 0.8e-6 + 182 * 50 * 3.2e-6), "answers at 20 tokens, replies at 50"
    assert least >= 182 * 60 * 0.8e-6, "the rubric itself; Nova Pro: 0.80 and 3.20 dollars a million"
    text = run("verify", "plan", "suite.yaml")[1]
    assert re.search(r"  judge +\$.* at most \$.*2026.*amazon\.nova-pro-v1:0", text)
    shown = re.search(r"  sum +\$(\S+) for the input alone, at most \$(\S+)\n", text)
    assert shown is not None
    assert float(shown[2]) == pytest.approx(float(plan["usd"]["at_most"]) + most, rel=0.01)


def test_a_judge_without_a_price_or_a_cap_is_said(run: Run) -> None:
    unknown = JUDGED.replace("amazon.nova-pro-v1:0", "someone.own-judge")
    lay_out(Path(), text=suite(70, unknown))
    plan = json.loads(run("verify", "plan", "suite.yaml", "--json")[1])
    assert plan["judge_usd"] is None
    assert plan["usd"]["at_most"], "what the model itself costs is still known"
    assert "judge    not known: no price is known" in run("verify", "plan", "suite.yaml")[1]
    lay_out(Path(), text=suite(70, JUDGED.replace("max_tokens: 50", "temperature: 0")))
    assert json.loads(run("verify", "plan", "suite.yaml", "--json")[1])["judge_usd"]["at_most"] is None


def test_a_plan_of_scores_and_groups(run: Run) -> None:
    text = suite(80, "repeat: 2\n", lambda n: f", cluster: {n // 2}")
    lay_out(Path(), 80, text=text)
    plan = json.loads(run("verify", "plan", "suite.yaml", "--json")[1])
    assert (plan["method"], plan["tests"], plan["units"], plan["power"]) == ("graded", 80, 40, None)
    assert plan["calls"] == 80 * 2 * 2


def test_coverage_names_each_prompt_with_its_proof(run: Run) -> None:
    lay_out(Path())
    replay = ("--backend", "replay", "--recording", "answers.jsonl")
    assert [one["proof"] for one in json.loads(run("verify", "coverage", "--json")[1])["prompts"]] == [None, None]
    run("verify", "run", "suite.yaml", *replay)
    (first, _) = json.loads(run("verify", "coverage", "--json")[1])["prompts"]
    assert (first["prompt"], first["proof"], first["margin"], first["age_days"]) == (PROMPT, "VALID", 0.1, 0)
    Path("suite.yaml").write_text(suite(71))
    code, out, _ = run("verify", "coverage")
    assert code == 0
    assert "STALE" in out
    assert "the eval set suite.yaml changed" in out
    assert "0 of 2 prompts have a valid proof" in out


def test_a_draft_from_the_variables_is_a_suite(run: Run) -> None:
    lay_out(Path())
    code, out, err = run("verify", "init", PROMPT)
    assert code == 0
    assert "can prove nothing yet" in err
    drafted = yaml.safe_load(out)
    assert drafted["prompts"] == [PROMPT]
    assert drafted["tests"][0]["vars"] == {"review": "..."}
    Path("draft.yaml").write_text(out)
    code, out, _ = run("verify", "plan", "draft.yaml")
    assert code == 0
    assert "10.0 points (as an example: so few tests can prove no margin of sense" in out
    assert "shows    nothing of sense" in out
    assert re.search(r"needs    \d+ independent tests for 10.0 points", out)
    assert json.loads(run("verify", "plan", "draft.yaml", "--json")[1])["margin_from"] == "example"
    code, _, err = run("verify", "run", "draft.yaml", "--backend", "replay", "--recording", "answers.jsonl")
    assert code == 2
    assert "1 independent test can prove nothing; a margin of 10 points takes about" in err


def test_a_file_of_code_stands_for_its_only_prompt(run: Run) -> None:
    lay_out(Path())
    code, out, err = run("verify", "init", "app.py")
    assert (code, out) == (2, "")
    assert re.search(r"'app\.py' is a program with the prompts app\.py::SYSTEM, .+: name one of them\n$", err)
    Path("app.py").write_text(Path("app.py").read_text().replace('f"Review: {review}"', "review"))
    for name in ("app.py", "./app.py"):
        code, out, _ = run("verify", "init", name)
        assert (code, yaml.safe_load(out)["prompts"]) == (0, [PROMPT])
    Path("empty.py").write_text("x = 1\n")
    assert "'empty.py' is a program with no prompt that can be read" in run("verify", "init", "empty.py")[2]


def test_a_draft_of_a_template_has_what_the_template_reads(run: Run) -> None:
    lay_out(Path())
    Path("prompts").mkdir()
    text = "Judge {{ case }} of {{ user.name }}.{% if strict %} Be strict.{% endif %}"
    text += "{% for d in docs %} {{ d.title }}{% endfor %}"
    Path("prompts/a.j2").write_text(text)
    code, out, _ = run("verify", "init", "prompts/a.j2", "--model", "amazon.nova-lite-v1:0")
    drafted = yaml.safe_load(out)
    assert code == 0
    assert drafted["tests"][0]["vars"] == {
        "case": "...", "user": {"name": "..."}, "strict": "...", "docs": [{"title": "..."}]
    }  # fmt: skip
    Path("draft.yaml").write_text(out)
    code, out, _ = run("verify", "plan", "draft.yaml")
    assert code == 0
    assert "tests    1," in out, "a list that a template loops over is one value"
    assert "there is no shorter prompt yet" in out


def test_drafts_of_conversations_and_of_answers_with_braces(run: Run) -> None:
    lay_out(Path())
    Path("chat.py").write_text(
        "import boto3\nclient = boto3.client('bedrock-runtime')\ndef chat(history):\n"
        "    return client.converse(modelId='amazon.nova-lite-v1:0', messages=history,\n"
        "        system=[{'text': 'You are a travel agent. Answer in English.'}])\n"
    )
    record = {
        "operation": "ConverseStream",
        "input": {"inputBodyJson": {
            "system": [{"text": "You are a travel agent. Answer in English."}],
            "messages": [
                {"role": "user", "content": [{"text": "To Rome"}]},
                {"role": "assistant", "content": [{"text": "When?"}]},
                {"role": "user", "content": [{"text": "In May"}]},
            ],
        }},
        "output": {"outputBodyJson": [
            {"messageStart": {}},
            {"contentBlockDelta": {"delta": {"text": "In {{may}} the city is warm, "}}},
            {"contentBlockDelta": {"delta": {"text": "and {% not %} yet full of people."}}},
        ]},
    }  # fmt: skip
    Path("log.jsonl").write_text(json.dumps(record) + "\n")
    code, out, _ = run("verify", "init", "chat.py::chat:converse:system", "--from-logs", "log.jsonl")
    (test,) = yaml.safe_load(out)["tests"]
    assert code == 0
    assert [turn["content"] for turn in test["vars"]["history"]] == ["To Rome", "When?", "In May"]
    Path("draft.yaml").write_text(out)
    suite = read_suite("draft.yaml", lambda path: Path(path).read_bytes())
    assert suite.items[0].checks[0].value == "In {{may}} the city is warm, and {% not %} yet full of people."
    assert len(suite.items) == 1
    Path("empty.jsonl").write_text("")
    code, out, err = run("verify", "init", PROMPT, "--from-logs", "empty.jsonl")
    assert (code, out) == (2, "")
    assert "there is no request in it" in err


CONFIGURATION = """
prompts: [file://long.json, file://short.json]
providers: [{id: 'bedrock:converse:amazon.nova-lite-v1:0', config: {inferenceConfig: {maxTokens: 20}}}]
defaultTest: {assert: [{type: equals, value: "{{label}}"}]}
tests: file://tests.csv
"""


def test_a_configuration_of_promptfoo_from_plan_to_proof(run: Run) -> None:
    system = "You are a support triage assistant. Please name the team for the ticket: billing or tech."
    turns = [{"role": "system", "content": system}, {"role": "user", "content": "{{ticket}}"}]
    Path("promptfooconfig.yaml").write_text(CONFIGURATION)
    Path("long.json").write_text(json.dumps(turns))
    Path("short.json").write_text(json.dumps([{**turns[0], "content": "Name the team: billing or tech."}, turns[1]]))
    Path("tests.csv").write_text("__id,ticket,label\n" + "".join(f't{n},"a ""bill"" {n}",billing\n' for n in range(80)))
    Path("answers.jsonl").write_text(recorded([f"t{n}" for n in range(80)], lambda test, side: "billing"))
    plan = json.loads(run("verify", "plan", "promptfooconfig.yaml", "--json")[1])
    assert (plan["tests"], plan["model"], plan["margin_from"]) == (80, "amazon.nova-lite-v1:0", "smallest")
    assert plan["usd"]["at_most"]
    replay = ("--backend", "replay", "--recording", "answers.jsonl")
    assert run("verify", "run", "promptfooconfig.yaml", *replay)[1].startswith("PASS promptfooconfig.yaml")
    assert run("check", ".", "--select", "PS7")[0] == 0
    Path("short.json").write_text(Path("short.json").read_text().replace("Name", "Tell"))
    assert "short.json changed" in run("check", ".", "--select", "PS7")[1]


def test_the_schema_of_suites_is_shown_for_editors(run: Run) -> None:
    code, out, _ = run("verify", "init", "--schema")
    assert code == 0
    assert out == (Path(__file__).parents[2] / "schemas" / "promptslim-suite.schema.json").read_text("utf-8")
    assert "which prompt is not said" in run("verify", "init")[2]


def test_what_is_passed_over_is_said(run: Run) -> None:
    lay_out(Path(), text=suite(70, "outputPath: out.json\n"))
    assert "note     outputPath is promptfoo's own, and passed over" in run("verify", "plan", "suite.yaml")[1]
    replay = ("--backend", "replay", "--recording", "answers.jsonl")
    assert "note      outputPath is promptfoo's own" in run("verify", "run", "suite.yaml", *replay)[1]
    lay_out(Path(), text=suite(70, extra=lambda n: f", metadata: {{cluster: c{n}}}"))
    assert "note     cluster under metadata is not read" in run("verify", "plan", "suite.yaml")[1]


def invocation(review: str, answer: str) -> dict[str, object]:
    text = Path("app.py").read_text().split('"""')[1]
    return {
        "schemaType": "ModelInvocationLog",
        "operation": "Converse",
        "input": {
            "inputBodyJson": {
                "system": [{"text": text}],
                "messages": [{"role": "user", "content": [{"text": f"Review: {review}"}]}],
            }
        },
        "output": {"outputBodyJson": {"output": {"message": {"content": [{"text": answer}]}}}},
    }


def test_a_draft_from_invocation_logs(run: Run) -> None:
    lay_out(Path())
    records = [invocation(f"It was {n}.", GOOD if n % 2 else "negative") for n in range(90)]
    records += [invocation("It was 3.", GOOD), invocation("no answer", " ")]
    other = invocation("x", GOOD)
    other["input"] = {"inputBodyJson": {"system": "Another prompt", "messages": []}}
    records += [other, {"schemaType": "ModelInvocationLog", "operation": "CountTokens"}]
    Path("log.jsonl.gz").write_bytes(gzip.compress("".join(json.dumps(one) + "\n" for one in records).encode()))
    code, _, err = run("verify", "init", PROMPT, "--from-logs", "log.jsonl.gz", "--output", "draft.yaml")
    assert code == 0
    assert "90 tests" in err
    assert "1 requests were not made from this prompt" in err
    assert "1 requests came more than once" in err
    assert "1 requests have no answer" in err
    drafted = yaml.safe_load(Path("draft.yaml").read_text())
    assert drafted["margin"] == smallest_margin(90, level=0.025)
    assert drafted["tests"][1] == {"vars": {"review": "It was 1."}, "assert": [{"type": "equals", "value": GOOD}]}
    plan = json.loads(run("verify", "plan", "draft.yaml", "--json")[1])
    assert (plan["tests"], plan["method"]) == (90, "pass-fail")
    assert plan["power"] >= 0.8
    assert "is there already" in run("verify", "init", PROMPT, "--output", "draft.yaml")[2]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [('{"a": 1, "b": [2]}', "f-score"), ("a long answer that says many things about item %d", "rouge-l")],
)
def test_what_a_draft_asserts_follows_from_the_answers(run: Run, answer: str, kind: str) -> None:
    lay_out(Path())
    lines = [{"vars": {"review": str(n)}, "output": answer.replace("%d", str(n))} for n in range(30)]
    Path("log.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines))
    drafted = yaml.safe_load(run("verify", "init", PROMPT, "--from-logs", "log.jsonl", "-q")[1])
    assert {one["assert"][0]["type"] for one in drafted["tests"]} == {kind}
    Path("draft.yaml").write_text(yaml.safe_dump(drafted))
    assert run("verify", "plan", "draft.yaml")[0] == 0


def test_export_for_prompt_optimization(run: Run) -> None:
    lay_out(Path(), 120)
    code, out, err = run("verify", "export", "suite.yaml")
    (line,) = map(json.loads, out.splitlines())
    assert code == 0
    assert line["version"] == "bedrock-2026-05-14"
    assert line["promptTemplate"].endswith("Review: {{review}}")
    assert line["evaluationSamples"][0] == {"inputVariables": [{"review": "Review 0."}], "referenceResponse": GOOD}
    assert len(line["evaluationSamples"]) == 100
    assert "20 tests are left out" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("verify", "init", "app.py::SYSTEMS"), "did you mean 'app.py::SYSTEM'?"),
        (("verify", "init", PROMPT, "--from-logs", "none"), "cannot be read: No such file"),
        (("verify", "init", PROMPT, "--from-logs", "app.py"), "app.py:1: the line is not JSON"),
        (("verify", "plan", "app.py"), "app.py"),
        (("verify", "export", "none.yaml"), "there is no such file"),
    ],
)
def test_errors_in_one_line(run: Run, words: tuple[str, ...], said: str) -> None:
    lay_out(Path())
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1
