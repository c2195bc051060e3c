"""A small project with a proof, on disk."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import promptslim
from promptslim.check.data_meaning import data_meaning
from promptslim.core.result import CheckResult
from promptslim.extract.definitions import definitions
from promptslim.pipeline import run as pipeline
from promptslim.proof.canonical import data_hash
from promptslim.proof.code_inputs import CodeInputs, code_inputs
from promptslim.proof.evidence import Row
from promptslim.proof.lock import Claim, Entry, Grader, Lock, made_entry, read_lock, render_lock
from promptslim.proof.recompute import source_of
from promptslim.proof.verdict import Pair, Terms

TODAY = date(2026, 11, 23)
MODEL = "amazon.nova-lite-v1:0"
APP = """import boto3

SYSTEM = "Name the sentiment of the review in one word."

client = boto3.client("bedrock-runtime")


def ask(review):
    return client.converse(
        modelId="amazon.nova-lite-v1:0",
        system=[{"text": SYSTEM}],
        messages=[{"role": "user", "content": [{"text": f"Review: {review}"}]}],
        inferenceConfig={"maxTokens": 20, "temperature": 0.3, "stopSequences": ["END"]},
        toolConfig={"tools": [{"toolSpec": {"name": "rate", "inputSchema": {"json": {"type": "object"}}}}]},
    )
"""
SUITE = """# Reviews.
prompts: [app.py::SYSTEM]
tests:
  - vars: {review: "Loved it."}
    assert: [{type: equals, value: positive}]
"""
GRADER = '''"""Blank space does not count."""


def grade(output, context):
    return output.strip() == "positive"  # exactly
'''
FILES = {"app.py": APP, "suite.yaml": SUITE, "grade.py": GRADER}
EVIDENCE = "evidence/sentiment.jsonl"


def lay_out(folder: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8", newline="")


def inputs(folder: Path, role: str = "system") -> tuple[str, CodeInputs]:
    """Id and inputs of the only prompt of a role, as the pipeline sees it."""
    run = pipeline.analyse(["."], pipeline.place_of(folder, True, {"cache": False}), TODAY)
    (prompt,) = [prompt for prompt in definitions(run.facts) if prompt.role == role]
    calls = {call.id: call for file in run.facts for call in file.calls}
    return prompt.id, code_inputs(prompt, [calls[user] for user in prompt.used_by])


def rows(count: int = 40, worse: int = 0) -> list[Row]:
    return [
        Row(Pair(f"{n:03}", (1,), (0 if n < worse else 1,)), 1, (90, 2), (60, 2), "yes", "yes") for n in range(count)
    ]


def claim_of(code: CodeInputs, files: dict[str, str], **terms: object) -> Claim:
    settings = {"margin": 0.1, "items": 40, **terms}
    return Claim(
        before="0" * 64,
        after=code.prompt,
        model=MODEL,
        resolved=MODEL,
        terms=Terms(**settings),  # type: ignore[arg-type]
        parameters={"max_tokens": 20},
        code=code.recorded,
        eval_set=(source_of("suite.yaml", files["suite.yaml"].encode(), data_meaning),),
        graders=(
            Grader(
                "python",
                data_hash({"type": "python", "value": "grade.py"}),
                source_of("grade.py", files["grade.py"].encode(), data_meaning),
            ),
        ),
    )


def prove(folder: Path, count: int = 40, worse: int = 0, texts: bool = True, **terms: object) -> Entry:
    """Lay out ``FILES`` with a lock and evidence."""
    lay_out(folder, FILES)
    label, code = inputs(folder)
    claim = claim_of(code, FILES, **{"items": count, **terms})
    entry, evidence, _ = made_entry(label, "app.py", claim, rows(count, worse), TODAY, EVIDENCE, texts=texts)
    (folder / EVIDENCE).parent.mkdir(exist_ok=True)
    (folder / EVIDENCE).write_bytes(evidence)
    write(folder, entry)
    return entry


def write(folder: Path, entry: Entry) -> None:
    (folder / "promptslim.lock").write_text(render_lock(Lock((entry,))), "utf-8")


def forged(entry: Entry, **changes: object) -> Entry:
    """The entry with changes, and the digest that goes with them."""
    made = replace(entry, **changes)
    return replace(made, recorded=made.digest)


def stored(folder: Path) -> Entry:
    (entry,) = read_lock((folder / "promptslim.lock").read_text("utf-8")).entries
    return entry


def checked(folder: Path, *paths: str, **options: object) -> CheckResult:
    return promptslim.check(
        paths or ["."], cwd=folder, today=TODAY, select=["PS7"], cache=False, isolated=True, **options
    )


def said(folder: Path, *paths: str, **options: object) -> list[tuple[str, str]]:
    """Code and message of each finding."""
    return [(finding.code, finding.message) for finding in checked(folder, *paths, **options).findings]
