"""The IAM policy that is printed for users."""

from __future__ import annotations

import json
import subprocess
import sys

from botocore.session import get_session

KNOWN = {"bedrock": ("bedrock", "bedrock-runtime"), "s3": ("s3",), "iam": ()}
RENAMED = {"InvokeModelWithResponseStream", "ListBucket", "PassRole"}
"""Actions whose names are not those of operations, or are (AWS service authorization reference)."""


def test_the_policy_grants_only_named_actions_of_the_services_that_are_called() -> None:
    done = subprocess.run([sys.executable, "-m", "promptslim.aws.policy"], capture_output=True, text=True, timeout=60)
    policy = json.loads(done.stdout)
    session = get_session()
    operations = {
        prefix: {name for service in services for name in session.get_service_model(service).operation_names}
        for prefix, services in KNOWN.items()
    }
    granted = set()
    for statement in policy["Statement"]:
        actions = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
        for action in actions:
            prefix, _, name = action.partition(":")
            assert "*" not in action
            assert name in operations[prefix] | RENAMED
            granted.add(name)
        if statement["Resource"] == "*":
            assert actions[0] in ("bedrock:CountTokens", "bedrock:ListModelInvocationJobs"), "nothing that costs"
    assert granted == {
        "InvokeModel", "InvokeModelWithResponseStream", "CountTokens", "CreateModelInvocationJob",
        "GetModelInvocationJob", "ListModelInvocationJobs", "PassRole", "PutObject", "GetObject", "ListBucket",
    }  # fmt: skip


def test_the_role_of_batch_inference_is_trusted_to_the_service_and_reads_and_writes_the_folder() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "promptslim.aws.policy", "--batch-role"], capture_output=True, text=True, timeout=60
    )
    role = json.loads(done.stdout)
    (trust,) = role["Trust"]["Statement"]
    assert (trust["Principal"], trust["Action"]) == ({"Service": "bedrock.amazonaws.com"}, "sts:AssumeRole")
    actions = [statement["Action"] for statement in role["Rights"]["Statement"]]
    assert actions == [["s3:GetObject", "s3:PutObject"], "s3:ListBucket", "bedrock:InvokeModel"]
