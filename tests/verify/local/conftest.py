"""A server that repeats what it is told, and real boto3 in front of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from promptslim.verify.local.answers import echo
from promptslim.verify.local.server import LocalServer
from promptslim.verify.local.service import Service


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    with LocalServer(Service(echo)) as running:
        yield running


@pytest.fixture(scope="module")
def bedrock(server: LocalServer) -> Any:
    from bedrock_client import client

    return client(server.url)
