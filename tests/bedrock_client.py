"""Real boto3 clients that talk to the local server."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.config import Config

MODEL = "us.anthropic.claude-sonnet-4-6"
HELLO = [{"role": "user", "content": [{"text": "hello there, how are you today"}]}]


def client(url: str, service: str = "bedrock-runtime", attempts: int = 1, read_timeout: float = 10) -> Any:
    return boto3.client(
        service,
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="y",
        config=Config(
            retries={"mode": "standard", "total_max_attempts": attempts},
            read_timeout=read_timeout,
            s3={"addressing_style": "path"},
        ),
    )
