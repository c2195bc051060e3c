"""A smoke test on a real account: PROMPTSLIM_TEST_AWS=1, AWS credentials, and a region. It costs less than a cent.

PROMPTSLIM_TEST_AWS_MODEL names another model than Nova Micro; PROMPTSLIM_TEST_AWS_COUNT one that CountTokens takes.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from aws_by_hand import CHOSEN, ENVIRONMENT

from promptslim.aws.clients import Account
from promptslim.aws.runtime import count_text
from promptslim.catalog import load
from promptslim.tokens.counter import Counter
from promptslim.verify.asking import Asking
from promptslim.verify.backend import Options, open_backend
from promptslim.verify.budget import Budget
from promptslim.verify.journal import Journal
from promptslim.verify.request import Message, Request, most_input_tokens
from promptslim.verify.tariff import Tariff

pytestmark = pytest.mark.skipif(not CHOSEN, reason="runs only where PROMPTSLIM_TEST_AWS is set")
MODEL = ENVIRONMENT.get("PROMPTSLIM_TEST_AWS_MODEL", "us.amazon.nova-micro-v1:0")


@pytest.fixture(autouse=True)
def _account(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(("name", "stream"), [("converse", False), ("converse", True), ("invoke_model", False)])
def test_one_answer(tmp_path: Path, name: str, stream: bool) -> None:
    facts = load().model(MODEL)
    assert facts is not None
    asked = Request(
        id="one",
        model=MODEL,
        messages=(Message("user", "Say the word blue and nothing else."),),
        max_tokens=10,
        temperature=0.0,
        metadata={"promptslim": "smoke-test"},
    )
    with Journal(str(tmp_path / "journal"), "smoke") as journal:
        run = Asking(
            open_backend(name, Options(stream=stream)),
            journal,
            Budget(Decimal("0.01")),
            Tariff(facts.rates),
            lambda one: most_input_tokens(one, Counter("estimate"), facts.tokenizer),
        )
        found = run.ask([asked])
    answer = found.answers["one"]
    assert "blue" in answer.text.lower()
    assert answer.stop == "end_turn"
    assert Decimal(0) < found.usd < Decimal("0.01")


def test_count_tokens() -> None:
    model = ENVIRONMENT.get("PROMPTSLIM_TEST_AWS_COUNT", "us.anthropic.claude-haiku-4-5-20251001-v1:0")
    assert 5 < count_text(["Hello, Claude"], model, Account(), load().base_of(model))[0] < 30
