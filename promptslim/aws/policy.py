"""``python -m promptslim.aws.policy``: print the least rights that an evaluation needs on AWS.

The capitals and the model stand for the reader's own values. Without batch inference the statements named so can be
left out. A profile needs rights to itself and to the model in every region that it routes to; the condition keeps the
model from being called otherwise; a global profile also needs the model's ARN without a region. ``--batch-role``
prints what the role needs that Bedrock takes for batch inference (ROLE in the policy): whom it trusts, and its rights.
Source: AWS user guide, inference profiles and batch inference, 2026.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def policy() -> str:
    """The IAM policy of who runs the evaluation, as JSON."""
    return Path(__file__).with_name("eval-policy.json").read_text("utf-8")


def batch_role() -> str:
    """The trust and the rights of the role that batch inference takes, as JSON."""
    return Path(__file__).with_name("batch-role.json").read_text("utf-8")


def main() -> int:
    """Print one of them."""
    parser = argparse.ArgumentParser(
        prog="python -m promptslim.aws.policy",
        description="Print the least rights on AWS that promptslim verify and promptslim count --exact need, as an IAM "
        "policy. Put your own values in the place of REGION, ACCOUNT, ROLE, BUCKET, PREFIX and the model; leave out "
        "the statements of what you do not use.",
    )
    parser.add_argument(
        "--batch-role",
        action="store_true",
        help="print trust and rights of the role that batch inference takes instead",
    )
    sys.stdout.write(batch_role() if parser.parse_args().batch_role else policy())
    return 0


if __name__ == "__main__":
    sys.exit(main())
