"""``promptslim verify run`` with real boto3 against the local server, as separate processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sentiment_project import APP, GOOD, lay_out

from promptslim.verify.local.exchange import Chat, Completion
from promptslim.verify.local.server import LocalServer
from promptslim.verify.local.service import Service
from promptslim.verify.local.small_model import NoModelError, SmallModel, packaged_weights

DEMO = Path(__file__).parents[2] / "fixtures" / "suites" / "small-model"


def environment(folder: Path, url: str, journal: str = "cache") -> dict[str, str]:
    keep = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {
        **keep,
        "PROMPTSLIM_CACHE_DIR": str(folder / journal),
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": url,
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "y",
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def started(project: Path, env: dict[str, str], *words: str, full: bool = False) -> subprocess.Popen[str]:
    """The command; ``full``: as on a disk on which no file can grow beyond a few kilobytes."""
    command = [sys.executable, "-m", "promptslim", "verify", "run", "suite.yaml", "--json", *words]
    limit = small_files if full else None
    return subprocess.Popen(
        command, cwd=project, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=limit
    )


def finished(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=400)
    return process.returncode, out, err


def proof(project: Path) -> dict[str, bytes]:
    paths = (project / "promptslim.lock", *(project / "promptslim-evidence").iterdir())
    return {path.name: path.read_bytes() for path in paths}


@pytest.fixture
def slow_server() -> Iterator[LocalServer]:
    """Answers after a while, by what the system prompt asks for."""

    def answer(chat: Chat) -> Completion:
        time.sleep(0.02)
        return Completion(GOOD if "positive or negative" in chat.system else "I am not sure.")

    with LocalServer(Service(answer)) as running:
        yield running


@pytest.mark.slow
def test_a_trim_that_keeps_what_matters_passes_and_one_that_does_not_fails(
    tmp_path: Path, slow_server: LocalServer
) -> None:
    pytest.importorskip("boto3")
    lay_out(tmp_path)
    env = environment(tmp_path, slow_server.url)
    code, out, err = finished(started(tmp_path, env, "--max-usd", "1"))
    report = json.loads(out)
    assert (code, err, report["verdict"]) == (0, "", "PASS")
    assert report["original"]["input_tokens_per_call"] > report["shorter"]["input_tokens_per_call"]
    assert 0 < float(report["spent"]["usd"]) < 0.1
    assert len(slow_server.service.received) == report["spent"]["calls"] == 160
    (tmp_path / "promptslim.lock").unlink()
    code, out, _ = finished(started(tmp_path, env, "--after", "Name the sentiment.", "--max-usd", "1"))
    assert (code, json.loads(out)["verdict"]) == (1, "FAIL")


@pytest.mark.slow
def test_a_run_that_is_killed_goes_on_and_counts_what_it_repeats(tmp_path: Path, slow_server: LocalServer) -> None:
    pytest.importorskip("boto3")
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for project in (whole, killed):
        project.mkdir()
        lay_out(project)
    env = environment(tmp_path, slow_server.url, "one")
    assert finished(started(whole, env))[0] == 0
    sent = len(slow_server.service.received)
    env = environment(tmp_path, slow_server.url, "two")
    for goal in (15, 60, 110):
        process = started(killed, env)
        while len(slow_server.service.received) - sent < goal and process.poll() is None:
            time.sleep(0.002)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        assert not (killed / "promptslim.lock").exists()
    code, out, _ = finished(started(killed, env))
    report = json.loads(out)
    assert code == 0
    lost = len(slow_server.service.received) - sent - 160
    assert 0 <= lost <= 3 * 4, "at most the calls in flight are repeated, four at a time"
    assert report["spent"]["calls"] >= 160 + lost
    assert report["spent"]["calls"] <= 160 + 3 * 4
    assert proof(killed) == proof(whole)


@pytest.mark.slow
def test_a_dollar_limit_holds_and_needs_a_price(tmp_path: Path, slow_server: LocalServer) -> None:
    pytest.importorskip("boto3")
    lay_out(tmp_path)
    env = environment(tmp_path, slow_server.url)
    code, out, err = finished(started(tmp_path, env, "--max-usd", "0.0002"))
    assert (code, out) == (3, "")
    assert "--max-usd 0.0002: $0.000" in err
    assert 0 < len(slow_server.service.received) < 160
    assert not (tmp_path / "promptslim.lock").exists()
    code, out, _ = finished(started(tmp_path, env, "--max-usd", "0.01"))
    assert (code, json.loads(out)["spent"]["calls"]) == (0, 160)
    (tmp_path / "app.py").write_text(APP.replace('inferenceConfig={"maxTokens": 20},', ""))
    before = len(slow_server.service.received)
    code, _, err = finished(started(tmp_path, env, "--max-usd", "1"))
    assert code == 2
    assert "--max-usd cannot be kept: nothing limits the output; add max_tokens" in err
    assert len(slow_server.service.received) == before


@pytest.mark.slow
def test_by_batch_inference(tmp_path: Path, slow_server: LocalServer) -> None:
    pytest.importorskip("boto3")
    lay_out(tmp_path)
    env = environment(tmp_path, slow_server.url)
    env |= {"AWS_ENDPOINT_URL_BEDROCK": slow_server.url, "AWS_ENDPOINT_URL_S3": slow_server.url}
    place = ("--batch", "--role", "arn:aws:iam::123456789012:role/batch", "--folder", "s3://bucket/evals")
    code, out, err = finished(started(tmp_path, env, *place))
    assert (code, err) == (0, "")
    report = json.loads(out)
    assert (report["verdict"], report["spent"]["calls"]) == ("PASS", 160)
    calls = {"original": 70 + 20, "shorter": 70}
    listed = sum(
        count * (0.06e-6 * report[side]["input_tokens_per_call"] + 0.24e-6 * report[side]["output_tokens_per_call"])
        for side, count in calls.items()
    )
    assert float(report["spent"]["usd"]) == pytest.approx(listed / 2, rel=0.02), "half the list price of Nova Lite"


def small_files() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))


@pytest.mark.slow
def test_a_full_disk_leaves_no_half_proof_and_loses_no_answer(tmp_path: Path, slow_server: LocalServer) -> None:
    pytest.importorskip("boto3")
    lay_out(tmp_path)
    env = environment(tmp_path, slow_server.url)
    code, out, err = finished(started(tmp_path, env, full=True))
    assert (code, out) == (2, "")
    assert "cannot be written: File too large" in err
    assert err.count("\n") == 1
    assert not (tmp_path / "promptslim.lock").exists()
    assert (tmp_path / "app.py").read_text() == APP
    before = len(slow_server.service.received)
    code, out, _ = finished(started(tmp_path, env))
    assert code == 0
    assert len(slow_server.service.received) - before < 160, "what was answered before is not asked again"


@pytest.fixture(scope="module")
def small_model() -> Iterator[LocalServer]:
    pytest.importorskip("boto3")
    pytest.importorskip("xllamacpp")
    try:
        packaged_weights()
    except NoModelError as error:
        pytest.skip(str(error))
    with LocalServer(Service(SmallModel())) as running:
        yield running


@pytest.mark.slow
@pytest.mark.parametrize("task", ["sentiment", "city"])
def test_a_real_small_model_tells_a_good_trim_from_a_bad_one(
    task: str, tmp_path: Path, small_model: LocalServer
) -> None:
    import shutil

    shutil.copytree(DEMO, tmp_path / "demo")
    project = tmp_path / "demo"
    (project / f"{task}.yaml").rename(project / "suite.yaml")
    env = environment(tmp_path, small_model.url)
    model = ("--model", "us.amazon.nova-micro-v1:0", "--workers", "1")
    code, out, _ = finished(started(project, env, *model))
    report = json.loads(out)
    assert (code, report["verdict"], report["tests"]["run"]) == (0, "PASS", 64)
    assert report["loss"]["upper"] < report["margin"] == 0.1
    before = proof(project)
    assert finished(started(project, env, *model))[0] == 0
    assert proof(project) == before
    (project / "promptslim.lock").unlink()
    broken = f"file://prompts/{task}-broken.txt"
    code, out, _ = finished(started(project, env, *model, "--after", broken))
    report = json.loads(out)
    assert (code, report["verdict"]) == (1, "FAIL")
    assert report["tests"]["stopped_early"]
    if task != "sentiment":
        return
    (project / "promptslim.lock").unlink()
    shorter = f"file://prompts/{task}-shorter.txt"
    code, out, _ = finished(started(project, env, *model, "--before", broken, "--after", shorter))
    assert code == 3
    assert "too weak to compare with" in json.loads(out)["reason"]


@pytest.mark.slow
def test_an_interrupted_run_says_how_to_go_on_and_does(tmp_path: Path, slow_server: LocalServer) -> None:
    pytest.importorskip("boto3")
    lay_out(tmp_path)
    env = environment(tmp_path, slow_server.url)
    process = started(tmp_path, env, "--max-usd", "1")
    while len(slow_server.service.received) < 30 and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    code, out, err = finished(process)
    assert (code, out, err.count("\n")) == (130, "", 1)
    assert "what was answered is kept, run the same command again to go on" in err
    code, out, _ = finished(started(tmp_path, env, "--max-usd", "1"))
    report = json.loads(out)
    assert (code, report["spent"]["calls"], len(slow_server.service.received)) == (0, 160, 160)


@pytest.mark.slow
def test_the_answers_of_another_backend_are_another_run(tmp_path: Path, slow_server: LocalServer) -> None:
    pytest.importorskip("boto3")
    lay_out(tmp_path)
    env = environment(tmp_path, slow_server.url)
    journal = ("--journal", "journal.jsonl")
    assert finished(started(tmp_path, env, *journal))[0] == 0
    assert finished(started(tmp_path, env, *journal, "--backend", "converse_stream"))[0] == 0
    assert len(slow_server.service.received) == 160, "the same model on the same service"
    code, _, err = finished(started(tmp_path, env, *journal, "--backend", "replay", "--recording", "answers.jsonl"))
    assert code == 2
    assert "the journal of another run" in err


@pytest.mark.slow
def test_a_model_on_this_machine_proves_nothing_for_that_of_a_provider(tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp")
    try:
        packaged_weights()
    except NoModelError as error:
        pytest.skip(str(error))
    lay_out(tmp_path, 2)
    code, out, err = finished(started(tmp_path, environment(tmp_path, ""), "--backend", "local"))
    assert code == 3, err
    assert "smollm2-135m-instruct" in json.dumps(json.loads(out)["model"])
    assert "amazon.nova-lite-v1:0" not in (tmp_path / "promptslim.lock").read_text()
    assert "smollm2-135m-instruct on this machine answers, not amazon.nova-lite-v1:0" in err


@pytest.mark.slow
def test_calls_of_another_tier_are_asked_for_and_priced_in_it(tmp_path: Path, slow_server: LocalServer) -> None:
    pytest.importorskip("boto3")
    from sentiment_project import suite

    reports = {}
    for tier in ("default", "flex"):
        project = tmp_path / tier
        project.mkdir()
        lay_out(project, text=suite(head=f"model: us.amazon.nova-2-lite-v1:0\nparameters: {{serviceTier: {tier}}}\n"))
        code, out, err = finished(started(project, environment(project, slow_server.url), "--max-usd", "1"))
        assert code == 0, err
        reports[tier] = json.loads(out)
        assert slow_server.service.received[-1].tier == tier
    paid = {tier: float(report["spent"]["usd"]) for tier, report in reports.items()}
    assert paid["flex"] < 0.6 * paid["default"]
    shown = {tier: float(report["shorter"]["usd_per_1k_calls"]) for tier, report in reports.items()}
    assert shown["flex"] < 0.6 * shown["default"]
