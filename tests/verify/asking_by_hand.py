"""Requests and runs for the tests of asking."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from promptslim.catalog import load
from promptslim.tokens.counter import Counter
from promptslim.verify.asking import Asking
from promptslim.verify.backend import Backend
from promptslim.verify.budget import Budget
from promptslim.verify.journal import Journal
from promptslim.verify.request import Message, Request, most_input_tokens
from promptslim.verify.tariff import Tariff

MODEL = "us.amazon.nova-micro-v1:0"


def request(name: str = "one", text: str = "hello", **more: Any) -> Request:
    given = {"model": MODEL, "max_tokens": 20, "temperature": 0.0, **more}
    return Request(id=name, messages=(Message("user", text),), **given)


def requests(count: int, **more: Any) -> list[Request]:
    return [request(f"item-{number}", f"say number {number}", **more) for number in range(count)]


def tariff(model: str = MODEL, **more: Any) -> Tariff:
    facts = load().model(model)
    assert facts is not None
    return Tariff(facts.rates, **more)


def size(asked: Request) -> int:
    return most_input_tokens(asked, Counter("estimate"), "unknown")


@contextmanager
def asking(path: Path, backend: Backend, budget: Budget | None = None, **more: Any) -> Iterator[Asking]:
    more.setdefault("sleep", lambda _: None)
    prices = more.pop("prices", None) or tariff()
    with Journal(str(path), "run-1") as journal:
        yield Asking(backend, journal, budget or Budget(), prices, size, **more)


def lead_to(url: str, patch: pytest.MonkeyPatch) -> None:
    """Lead boto3 to the local server."""
    for service in ("BEDROCK_RUNTIME", "BEDROCK", "S3"):
        patch.setenv(f"AWS_ENDPOINT_URL_{service}", url)
    patch.setenv("AWS_ACCESS_KEY_ID", "x")
    patch.setenv("AWS_SECRET_ACCESS_KEY", "y")
    patch.setenv("AWS_REGION", "us-east-1")
    patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
