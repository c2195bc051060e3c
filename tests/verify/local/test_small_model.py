"""A real small model behind the local server, through real boto3."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from bedrock_client import client

from promptslim.verify.local.server import LocalServer
from promptslim.verify.local.service import Service
from promptslim.verify.local.small_model import NoModelError, SmallModel, packaged_weights

MODEL = "us.amazon.nova-micro-v1:0"
REVIEWS = [
    ("I loved every minute of this film, what a joy.", "positive"),
    ("Terrible service, I will never come back.", "negative"),
    ("The cake was moist and full of flavour.", "positive"),
    ("Battery life is horrible, it dies in an hour.", "negative"),
]
EXAMPLES = """Classify the sentiment of the review as positive or negative.

Review: The staff were kind and the food was great.
Sentiment: positive

Review: It broke after one day and nobody helped me.
Sentiment: negative
"""


def test_a_model_that_is_not_there_is_told_in_one_line(tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp")
    with pytest.raises(NoModelError, match=r"none\.gguf: there is no such file"):
        SmallModel(tmp_path / "none.gguf")


@pytest.fixture(scope="module")
def bedrock() -> Any:
    pytest.importorskip("xllamacpp")
    try:
        packaged_weights()
    except NoModelError as error:
        pytest.skip(str(error))
    with LocalServer(Service(SmallModel())) as running:
        yield client(running.url, read_timeout=120)


def classify(bedrock: Any, review: str) -> dict[str, Any]:
    answer: dict[str, Any] = bedrock.converse(
        modelId=MODEL,
        system=[{"text": EXAMPLES}],
        messages=[{"role": "user", "content": [{"text": f"Review: {review}\nSentiment:"}]}],
        inferenceConfig={"maxTokens": 4, "temperature": 0, "stopSequences": ["\n"]},
    )
    return answer


@pytest.mark.slow
def test_the_model_classifies_and_repeats_itself(bedrock: Any) -> None:
    runs = []
    for _ in range(2):
        answers = [classify(bedrock, review) for review, _ in REVIEWS]
        texts = [answer["output"]["message"]["content"][0]["text"].strip() for answer in answers]
        assert texts == [label for _, label in REVIEWS]
        assert all(answer["usage"]["inputTokens"] > 50 for answer in answers)
        runs.append(hashlib.sha256(repr(texts).encode()).hexdigest())
    assert runs[0] == runs[1]


@pytest.mark.slow
def test_a_prompt_too_long_for_the_model_is_refused(bedrock: Any) -> None:
    with pytest.raises(Exception, match="ValidationException"):
        classify(bedrock, "word " * 8000)
