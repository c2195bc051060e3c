"""``python -m promptslim.aws.policy``: print the least rights that an evaluation needs on AWS.

The capitals stand for the reader's own values. Without batch inference the statements named so can be left out. A
profile needs rights to itself and to the model in every region that it routes to; the condition keeps the model from
being called otherwise. Source: AWS user guide, inference profiles and batch inference, 2026.
"""

from __future__ import annotations

import sys
from pathlib import Path


def policy() -> str:
    """The IAM policy, as JSON."""
    return Path(__file__).with_name("eval-policy.json").read_text("utf-8")


if __name__ == "__main__":
    sys.stdout.write(policy())
