"""A project with one prompt, an eval set for it, and recorded answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path

APP = '''import boto3

SYSTEM = """You are a helpful assistant. Please note that you should name the sentiment of the review in one word.

Please make sure to answer with positive or negative only.
"""

client = boto3.client("bedrock-runtime")


def ask(review):
    return client.converse(
        modelId="amazon.nova-lite-v1:0",
        system=[{"text": SYSTEM}],
        messages=[{"role": "user", "content": [{"text": f"Review: {review}"}]}],
        inferenceConfig={"maxTokens": 20},
        requestMetadata={"app": "reviews"},
    )
'''
PROMPT = "app.py::SYSTEM"
GOOD = "positive"
Says = Callable[[str, str], str]
"""Test and side (old, new, again) -> the answer."""


def good(test: str, side: str) -> str:
    return GOOD


def suite(count: int = 70, head: str = "", extra: Callable[[int], str] = lambda n: "") -> str:
    tests = "".join(
        f'  - {{id: t{n}, vars: {{review: "Review {n}."}}, assert: [{{type: equals, value: {GOOD}}}]{extra(n)}}}\n'
        for n in range(count)
    )
    return f"prompts: [{PROMPT}]\nmargin: 0.1\n{head}tests:\n{tests}"


def recorded(tests: Iterable[str], says: Says = good, repeats: int = 1) -> str:
    lines = []
    for test in tests:
        for side in ("old", "new", "again"):
            for repeat in range(repeats):
                usage = {"fresh": 70 if side == "new" else 100, "output": 2}
                lines.append({"id": f"{test}/{side}/{repeat}", "text": says(test, side), "usage": usage})
    return "".join(json.dumps(line) + "\n" for line in lines)


def lay_out(folder: Path, count: int = 70, says: Says = good, text: str | None = None) -> None:
    (folder / "promptslim.toml").write_text("")
    (folder / "app.py").write_text(APP)
    (folder / "suite.yaml").write_text(suite(count) if text is None else text)
    (folder / "answers.jsonl").write_text(recorded([f"t{n}" for n in range(count)], says))
