"""``promptslim verify run``, end to end with recorded answers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from sentiment_project import APP, GOOD, PROMPT, lay_out, recorded, suite

import promptslim
from promptslim.cli import main as entry
from promptslim.proof.lock import Lock, read_lock
from promptslim.proof.power import smallest_margin
from promptslim.verify.suite import SuiteError

FORMATS = Path(__file__).parents[2] / "fixtures" / "formats"
REPORT = Draft202012Validator(json.loads((FORMATS / "verify-v1.schema.json").read_text("utf-8")))
Run = Callable[..., tuple[int, str, str]]
REPLAY = ("--backend", "replay", "--recording", "answers.jsonl")
VERIFY = ("verify", "run", "suite.yaml", *REPLAY)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setenv("PROMPTSLIM_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")

    def command(*words: str) -> tuple[int, str, str]:
        code = entry.main(words)
        shown = capsys.readouterr()
        if "--json" in words and shown.out:
            REPORT.validate(json.loads(shown.out))
        return code, shown.out, shown.err

    return command


def lock() -> Lock:
    return read_lock(Path("promptslim.lock").read_text())


def written() -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in (Path("promptslim.lock"), *Path("promptslim-evidence").iterdir())}


def proof_findings() -> list[str]:
    return [one.message for one in promptslim.check(["."], select=["PS7"], cache=False).findings]


def worse(*tests: int) -> Callable[[str, str], str]:
    names = {f"t{n}" for n in tests}
    return lambda test, side: "negative" if side == "new" and test in names else GOOD


def test_from_a_trim_to_its_proof_and_back_into_the_code(run: Run) -> None:
    lay_out(Path())
    code, out, err = run(*VERIFY)
    assert (code, err) == (0, "")
    assert out.startswith(f"PASS {PROMPT}")
    assert re.search(r"input tokens per call +100\.0 +70\.0 +-30\.0 %", out)
    assert "$0.00648" in out, "100 input and 2 output tokens of Nova Lite at list price, 1,000 times"
    first = written()
    assert run(*VERIFY)[0] == 0
    assert written() == first, "the same inputs give the same bytes"
    assert run(*VERIFY, "--fresh")[0] == 0
    assert written() == first
    assert proof_findings() == []
    assert "Please note" in Path("app.py").read_text()
    assert run("trim", ".", "--level", "proof", "--write")[0] == 0
    assert "Please note" not in Path("app.py").read_text(), "the proof unlocks the very edit that was proved"
    assert proof_findings() == []
    Path("app.py").write_text(Path("app.py").read_text().replace("one word", "a word"))
    assert len(proof_findings()) == 1


def test_a_broken_prompt_fails_early_and_keeps_out_of_the_code(run: Run) -> None:
    lay_out(Path(), 200, worse(*range(200)))
    code, out, _ = run(*VERIFY, "--json")
    report = json.loads(out)
    assert (code, report["verdict"]) == (1, "FAIL")
    assert report["tests"]["stopped_early"]
    assert report["tests"]["run"] < 30
    assert report["spent"]["calls"] < 100
    assert len(report["changed"]) == report["tests"]["run"]
    assert proof_findings() == [], "the original is still in the code"
    run("trim", ".", "--level", "proof", "--write")
    assert Path("app.py").read_text() == APP


def test_too_few_tests_are_inconclusive_and_say_how_many_are_missing(run: Run) -> None:
    lay_out(Path(), 20)
    code, out, _ = run(*VERIFY, "--json")
    report = json.loads(out)
    assert (code, report["verdict"]) == (3, "INCONCLUSIVE")
    assert report["tests"]["more_needed"] > 5
    assert [look.decision for look in lock().entries[0].looks] == ["INCONCLUSIVE"]


def test_one_regression_in_a_critical_slice_fails_at_once(run: Run) -> None:
    text = suite(100, "critical: [angry]\n", lambda n: ", slices: [angry]" if n % 2 else "")
    lay_out(Path(), 100, worse(*range(1, 100, 2)), text)
    code, out, _ = run(*VERIFY)
    assert code == 1
    assert "critical slice 'angry'" in out
    assert "10 of 100 tests" in out


def test_a_noisy_grader_is_named_before_the_new_prompt_is_looked_at(run: Run) -> None:
    lay_out(Path(), 70, lambda test, side: "other" if side == "again" and int(test[1:]) % 2 else GOOD)
    code, out, _ = run(*VERIFY)
    assert code == 3
    assert "equals grades two answers of the original prompt differently" in out
    assert not Path("promptslim.lock").exists()


def test_a_weak_original_is_called_so(run: Run) -> None:
    lay_out(Path(), 70, lambda test, side: GOOD if int(test[1:]) % 3 == 0 else "?")
    code, out, _ = run(*VERIFY)
    assert code == 3
    assert "the original prompt is too weak to compare with" in out


EVIL = 'neg\x1b[31m\u202e</pre><script>alert(1)</script>"&\x00\nGitHub: ::error::x'


def test_untrusted_text_is_harmless_in_every_output(run: Run) -> None:
    lay_out(Path(), 70, lambda test, side: EVIL if side == "new" and test == "t3" else GOOD)
    text = suite(70).replace("id: t3,", 'id: "t3\\e[1m<b>",')
    Path("suite.yaml").write_text(text)
    Path("answers.jsonl").write_text(
        recorded(
            [f"t{n}" if n != 3 else "t3\x1b[1m<b>" for n in range(70)],
            lambda t, s: EVIL if s == "new" and "<b>" in t else GOOD,
        )
    )
    code, out, _ = run(*VERIFY, "--html", "report.html")
    assert code == 0
    page = Path("report.html").read_text()
    report = run(*VERIFY, "--json")[1]
    evidence = next(Path("promptslim-evidence").iterdir()).read_text()
    for shown in (out, page, report, evidence):
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", shown)
    for shown in (out, page, report):
        assert "\u202e" not in shown
    assert "<script" not in page
    assert "<b>" not in page
    assert "&lt;script&gt;" in page
    assert "<svg" in page
    assert "default-src 'none'" in page
    assert not re.search(r"^::", out, re.MULTILINE)
    assert json.loads(report)["changed"][0]["texts"][1] == EVIL


def test_without_texts_no_answer_is_kept(run: Run) -> None:
    lay_out(Path(), 70, lambda test, side: "a secret" if side == "new" and test == "t3" else GOOD)
    code, out, _ = run(*VERIFY, "--no-texts", "--html", "report.html")
    assert code == 0
    assert "a secret" not in out + Path("report.html").read_text()
    assert "a secret" not in next(Path("promptslim-evidence").iterdir()).read_text()
    assert proof_findings() == []


def test_a_second_look_keeps_the_grades_and_spends_less_alpha(run: Run) -> None:
    lay_out(Path(), 30, text=suite(30, "looks: 2\n"))
    assert run(*VERIFY)[0] == 3
    Path("suite.yaml").write_text(suite(120, "looks: 2\n"))
    Path("answers.jsonl").write_text(recorded([f"t{n}" for n in range(30, 120)]))
    code, out, _ = run(*VERIFY, "--json")
    report = json.loads(out)
    assert (code, report["look"], report["level"]) == (0, 2, 0.025)
    assert report["spent"]["calls"] == 90 * 2 + 20, "the first thirty tests are not asked again"
    assert [look.items for look in lock().entries[0].looks] == [30, 120]
    assert proof_findings() == []
    assert len(list(Path("promptslim-evidence").iterdir())) == 1, (
        "the evidence of the first look is in that of the second"
    )
    first = written()
    assert run(*VERIFY)[0] == 0
    assert written() == first


def test_other_candidates_on_the_same_tests_count_as_looks(run: Run) -> None:
    lay_out(Path(), 70, worse(*range(70)))
    assert run(*VERIFY)[0] == 1
    Path("answers.jsonl").write_text(recorded([f"t{n}" for n in range(70)]))
    code, out, _ = run(*VERIFY, "--after", "Is the review positive or negative?", "--fresh")
    assert code == 3
    assert "the one declared look at these tests is spent; prove it on new tests" in out
    assert lock().entries[0].claim.spent == 1
    assert lock().entries[0].claim.candidates == 2


def test_a_recording_that_lacks_many_answers_is_no_look(run: Run) -> None:
    lay_out(Path(), 70)
    Path("answers.jsonl").write_text(recorded([f"t{n}" for n in range(60)]))
    code, out, err = run(*VERIFY)
    assert (code, out) == (2, "")
    assert re.fullmatch(
        r"promptslim: error: the recording has no answer to 20 of 140 requests, the first 't6\d/(old|new)/0' .+\n", err
    )
    assert not Path("promptslim.lock").exists()
    Path("answers.jsonl").write_text(recorded([f"t{n}" for n in range(66)]))
    code, out, _ = run(*VERIFY)
    assert (code, lock().entries[0].looks[0].items) == (0, 70)
    assert "4 are left out" in out


def test_asking_again_for_another_outcome_is_a_look(run: Run) -> None:
    lay_out(Path(), 70, worse(*range(5)))
    assert run(*VERIFY)[0] == 3
    Path("answers.jsonl").write_text(recorded([f"t{n}" for n in range(70)]))
    code, out, _ = run(*VERIFY, "--fresh")
    assert code == 3
    assert "spent" in out


def test_a_failed_attempt_does_not_replace_a_proof(run: Run) -> None:
    lay_out(Path())
    assert run(*VERIFY)[0] == 0
    run("trim", ".", "--level", "proof", "--write")
    Path("answers.jsonl").write_text(recorded([f"t{n}" for n in range(70)], worse(*range(70))))
    assert run(*VERIFY, "--after", "Sentiment?", "--fresh")[0] == 1
    assert [entry.looks[-1].decision for entry in lock().entries] == ["PASS", "FAIL"]
    assert proof_findings() == []


def test_a_limit_stops_the_run_and_it_goes_on_later(run: Run) -> None:
    lay_out(Path())
    code, _, err = run(*VERIFY, "--max-calls", "50")
    assert code == 3
    assert "--max-calls 50: 50 calls are made; what was answered is kept" in err
    assert not Path("promptslim.lock").exists()
    code, out, _ = run(*VERIFY, "--json")
    assert (code, json.loads(out)["spent"]["calls"]) == (0, 160)


def test_prompts_in_files_and_texts(run: Run) -> None:
    lay_out(Path())
    Path("old.txt").write_text("Please tell me the sentiment of this review, thank you: {{review}}")
    Path("new.txt").write_text("Sentiment of this review: {{review}}")
    for prompts in ("[file://old.txt, file://new.txt]", "['Please judge: {{review}}', 'Judge: {{review}}']"):
        text = suite(70, "model: amazon.nova-lite-v1:0\nparameters: {max_tokens: 20}\n")
        Path("suite.yaml").write_text(text.replace(f"[{PROMPT}]", prompts))
        Path("promptslim.lock").unlink(missing_ok=True)
        assert run(*VERIFY)[0] == 0
        assert proof_findings() == []
    Path("suite.yaml").write_text(Path("suite.yaml").read_text() + "# a comment\n")
    assert proof_findings() == [], "what the eval set says is the same"
    Path("suite.yaml").write_text(Path("suite.yaml").read_text().replace("Review 7.", "Review seven."))
    assert len(proof_findings()) >= 1


def test_the_original_from_an_earlier_commit(run: Run) -> None:
    import subprocess

    lay_out(Path())
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "x"]):
        subprocess.run([*git, *words], check=True)
    Path("app.py").write_text(APP.replace("Please note that you should n", "N"))
    assert run(*VERIFY, "--base", "HEAD")[0] == 0
    assert proof_findings() == []


@pytest.mark.parametrize(
    ("change", "words", "said"),
    [
        ("", ("verify", "run", "none.yaml"), "none.yaml: there is no such file"),
        ("", ("verify", "run", "../suite.yaml"), "lies outside of"),
        ("", (*VERIFY, "--max-usd", "much"), "--max-usd 'much' is not a number of dollars"),
        ("", (*VERIFY, "--workers", "0"), "--workers '0' is not a whole number"),
        ("", ("verify", "run", "suite.yaml", "--backend", "reply"), "unknown backend 'reply'; did you mean 'replay'"),
        ("", ("verify", "run", "suite.yaml", "--backend", "replay"), "replay needs a file of recorded answers"),
        ("", (*VERIFY, "--batch"), "ask replay without batch"),
        ("", (*VERIFY, "--after", PROMPT), "both prompts are the same"),
        ("", (*VERIFY, "--after", "file://none.txt"), "there is no file 'file://none.txt'"),
        ("", (*VERIFY, "--sign", "none.pem"), "cannot be read"),
        ("SYSTEM", VERIFY, "there is no prompt 'app.py::SYSTEMX' in the project; did you mean 'app.py::SYSTEM'?"),
        ("vars", VERIFY, "suite.yaml:4: app.py::ask:converse:messages[0] has the hole 'review'"),
        ("lock", VERIFY, "promptslim.lock:1: not JSON"),
    ],
)  # fmt: skip
def test_what_cannot_be_run_is_said_in_one_line(run: Run, change: str, words: tuple[str, ...], said: str) -> None:
    lay_out(Path())
    match change:
        case "SYSTEM":
            Path("suite.yaml").write_text(suite().replace(PROMPT, PROMPT + "X"))
        case "vars":
            Path("suite.yaml").write_text(suite().replace("{review:", "{text:", 1))
        case "lock":
            Path("promptslim.lock").write_text("{")
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1
    assert not Path("promptslim-evidence").exists()


def test_scores_repeats_and_clusters(run: Run) -> None:
    text = suite(90, "repeat: 2\nmodel: amazon.nova-lite-v1:0\n", lambda n: f", cluster: {n // 2}")
    lay_out(Path(), 90, text=text.replace("type: equals", "type: similarity"))
    Path("answers.jsonl").write_text(recorded([f"t{n}" for n in range(90)], repeats=2))
    code, out, err = run(*VERIFY, "--json")
    assert err == ""
    report = json.loads(out)
    assert (code, report["method"]) == (0, "graded")
    assert (report["tests"]["run"], report["tests"]["units"]) == (90, 45)
    assert report["original"]["input_tokens_per_call"] == 100
    assert report["original"]["interval_95"] is None
    assert report["spent"]["calls"] == 90 * 2 * 2
    assert proof_findings() == []


def test_a_signed_proof(run: Run) -> None:
    pytest.importorskip("cryptography")
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    form, none = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    Path("key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, form, none))
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    Path("public.pem").write_bytes(public)
    lay_out(Path())
    Path("promptslim.toml").write_text('[rules.invalid-proof]\nsigning-keys = ["public.pem"]\n')
    assert run(*VERIFY)[0] == 0
    assert len(proof_findings()) == 1
    assert run(*VERIFY, "--sign", "key.pem", "--signer", "ci")[0] == 0
    assert proof_findings() == []
    assert lock().entries[0].signer == "ci"


def test_a_promptfoo_config(run: Run) -> None:
    Path("promptfooconfig.yaml").write_text(
        """prompts:
  - "Please could you name the sentiment of this review: {{review}}"
  - "Sentiment of this review: {{review}}"
providers:
  - id: bedrock:converse:amazon.nova-lite-v1:0
    config: {region: us-east-1, max_tokens: 20, temperature: 0}
defaultTest: {assert: [{type: icontains, value: "{{wanted}}"}]}
tests: reviews.csv
"""
    )
    rows = "".join(f"t{n},Review {n},{GOOD}\n" for n in range(80))
    Path("reviews.csv").write_text("__id,review,wanted\n" + rows)
    Path("answers.jsonl").write_text(recorded([f"t{n}" for n in range(80)]))
    code, out, _ = run("verify", "run", "promptfooconfig.yaml", *REPLAY, "--json")
    report = json.loads(out)
    assert (code, report["model"]["given"]) == (0, "amazon.nova-lite-v1:0")
    assert report["margin"] == smallest_margin(80), "no margin is stated"
    assert lock().entries[0].claim.parameters["temperature"] == 0
    assert proof_findings() == []
    Path("reviews.csv").write_text("__id,review,wanted\n" + rows.replace("Review 7,", "Review seven,"))
    assert len(proof_findings()) == 1


def test_after_a_search_only_unseen_tests_prove(run: Run) -> None:
    lay_out(Path(), 200)
    code, out, _ = run(*VERIFY, "--searched", "7", "--json")
    report = json.loads(out)
    (found,) = lock().entries
    assert code == 0
    assert 120 < report["tests"]["run"] < 160, "30 % are the search's"
    assert (found.claim.candidates, found.claim.terms.items) == (7, report["tests"]["run"])
    assert found.claim.split.startswith("sha256 of item")
    assert proof_findings() == []


def test_another_model_is_another_question(run: Run) -> None:
    lay_out(Path(), 70, worse(*range(70)))
    assert run(*VERIFY)[0] == 1
    Path("answers.jsonl").write_text(recorded([f"t{n}" for n in range(70)]))
    assert run(*VERIFY, "--model", "amazon.nova-pro-v1:0")[0] == 0
    assert lock().entries[0].claim.spent == 0
    assert len(proof_findings()) == 1, "the code calls another model than the one of the proof"


def test_requests_have_the_settings_of_the_code(run: Run) -> None:
    """The proof is of what is really sent; what a request has no field for is said."""
    lay_out(Path())
    settings = '{"maxTokens": 20, "temperature": 0.2, "stopSequences": ["END"]},\n        '
    fields = 'additionalModelRequestFields={"top_k": 5},\n        toolConfig={"toolChoice": {"auto": {}}},'
    Path("app.py").write_text(APP.replace('{"maxTokens": 20},', settings + fields))
    code, out, _ = run(*VERIFY, "--json")
    assert code == 0
    (entry,) = lock().entries
    assert entry.claim.parameters == {
        "max_tokens": 20,
        "temperature": 0.2,
        "stop_sequences": ["END"],
        "additionalModelRequestFields": {"top_k": 5},
    }
    assert entry.claim.code["temperature"] == (0.2,)
    assert "top_p" in entry.claim.code["unset"]
    assert "the code sets tool_choice; the requests go without it" in json.loads(out)["notes"]
    assert proof_findings() == []
    trimmed = Path("app.py").read_text()
    Path("app.py").write_text(trimmed.replace("0.2", "0.9"))
    (message,) = proof_findings()
    assert "the setting temperature changed" in message
    Path("app.py").write_text(trimmed)
    Path("promptslim.lock").unlink()
    Path("suite.yaml").write_text(suite(70, "parameters: {temperature: 0}\n"))
    _, out, _ = run(*VERIFY, "--json")
    assert lock().entries[0].claim.parameters["temperature"] == 0
    assert "the code sends temperature 0.2, the suite 0" in json.loads(out)["notes"]


def test_a_proof_rests_on_what_its_grader_imports(run: Run) -> None:
    text = suite(70).replace("{type: equals, value: positive}", '{type: python, value: "file://grading/grade.py"}')
    lay_out(Path(), text=text)
    Path("grading/words").mkdir(parents=True)
    grader = "import slim_rules\n\n\ndef get_assert(output, context):\n    return slim_rules.good(output)\n"
    Path("grading/grade.py").write_text(grader)
    rules = "from words import lists\n\n\ndef good(text):\n    return text.strip() in lists.GOOD\n"
    Path("grading/slim_rules.py").write_text(rules)
    Path("grading/words/__init__.py").write_text("")
    Path("grading/words/lists.py").write_text('GOOD = {"positive"}\n')
    code, out, err = run(*VERIFY, "--json")
    assert (code, json.loads(out)["verdict"]) == (0, "PASS"), err
    (grader_of_proof,) = lock().entries[0].claim.graders
    assert [source.path for source in grader_of_proof.imports] == [
        "grading/slim_rules.py",
        "grading/words/__init__.py",
        "grading/words/lists.py",
    ]
    assert proof_findings() == []
    Path("grading/slim_rules.py").write_text(rules.replace("text.strip()", "(text.strip())"))
    assert proof_findings() == []
    Path("grading/words/lists.py").write_text('GOOD = {"positive", "negative"}\n')
    (message,) = proof_findings()
    assert "grading/words/lists.py, which a grader imports, changed" in message
    Path("grading/words/lists.py").unlink()
    assert len(proof_findings()) == 1


def test_from_python(run: Run) -> None:
    lay_out(Path())
    here = Path.cwd()
    result = promptslim.verify("suite.yaml", backend="replay", recording="answers.jsonl")
    assert (result.decision, result.lock, Path.cwd()) == ("PASS", "promptslim.lock", here)
    by_command = written()
    for path in by_command:
        Path(path).unlink()
    assert run(*VERIFY)[0] == 0
    assert written() == by_command
    with pytest.raises(SuiteError, match=r"none\.yaml: there is no such file"):
        promptslim.verify("none.yaml", cwd=here)
    assert Path.cwd() == here


def test_a_proof_that_cannot_be_written_is_one_line(run: Run) -> None:
    lay_out(Path())
    Path("promptslim-evidence").write_text("a file")
    code, out, err = run(*VERIFY)
    assert (code, out) == (2, "")
    assert err == "promptslim: error: cannot make the folder promptslim-evidence: File exists; make room for it\n"
    assert not Path("promptslim.lock").exists()
