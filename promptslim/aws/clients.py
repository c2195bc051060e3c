"""Clients of boto3, and what stands in the way of them in one line."""

from __future__ import annotations

import os
from typing import Any

from promptslim.aws.failures import translated
from promptslim.core.call_fault import CannotCallError
from promptslim.core.record import record

LEAST_READ_TIMEOUT = 300.0
"""Seconds. boto3 waits 60 and sends the request again, so that a long answer is generated and paid for three times."""

MOST_READ_TIMEOUT = 3600.0
_SLOWEST_TOKENS_PER_SECOND = 15


@record
class Account:
    """Where calls go: None is what the environment and the AWS configuration say. Endpoints of services are read by
    boto3 from ``AWS_ENDPOINT_URL_BEDROCK_RUNTIME``, ``..._BEDROCK`` and ``..._S3``."""

    region: str | None = None
    profile: str | None = None


def read_timeout(longest_output: int | None) -> float:
    """Seconds to wait for an answer of ``longest_output`` tokens that comes in one piece."""
    if longest_output is None:
        return MOST_READ_TIMEOUT
    return min(MOST_READ_TIMEOUT, max(LEAST_READ_TIMEOUT, longest_output / _SLOWEST_TOKENS_PER_SECOND))


def client(
    service: str, account: Account, *, timeout: float = LEAST_READ_TIMEOUT, connections: int = 10, attempts: int = 1
) -> Any:  # noqa: ANN401 (boto3 has no types)
    """A client of ``service``. ``attempts`` that boto3 makes on its own: 1 where the caller counts and pays for each.

    Raises CannotCallError.
    """
    try:
        import boto3
        from botocore.config import Config
    except ImportError:
        raise CannotCallError("Amazon Bedrock needs boto3: pip install 'promptslim-lint[bedrock]'") from None
    config = Config(
        retries={"mode": "standard", "total_max_attempts": attempts},
        read_timeout=timeout,
        connect_timeout=10,
        tcp_keepalive=True,  # routers forget a connection that is silent while a long answer is made
        max_pool_connections=connections,
        user_agent_extra="promptslim",
    )
    region = account.region or os.environ.get("AWS_REGION") or None
    try:
        session = boto3.Session(profile_name=account.profile, region_name=region)
        return session.client(service, config=config)
    except Exception as error:  # noqa: BLE001 (what is not of AWS is raised again)
        raise translated(error, service) from None
