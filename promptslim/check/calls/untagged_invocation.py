"""PS601: nothing in the project says which part of it causes a Bedrock bill."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from promptslim.check.metadata_fixes import labelled
from promptslim.core.call import LlmCall
from promptslim.core.facts import Project
from promptslim.core.finding import Finding
from promptslim.core.values import Absent, Known, Present

if TYPE_CHECKING:
    from promptslim.check.rule_context import RuleContext

TAKE_METADATA = ("boto3.converse", "boto3.invoke_model", "langchain.ChatBedrockConverse", "strands.BedrockModel")
TAGGED_PROFILE = "application-inference-profile"


def untagged_invocation(project: Project, rule: RuleContext) -> Iterator[Finding]:
    """Once per project, at its first call that provably carries no attribution, where no other carries any.

    Only where a directory is checked. A call that may carry one (an opaque argument, a model id from
    elsewhere, which may be the ARN of a tagged profile) proves nothing.
    """
    if not project.whole:
        return
    calls = [call for call in project.calls if call.sdk in TAKE_METADATA]
    if any(_tagged(call) for call in calls):
        return
    untagged = [call for call in calls if _untagged(call)]
    if not untagged:
        return
    first = untagged[0]
    share = f"{len(untagged)} of {len(calls)} Bedrock calls" if len(calls) > 1 else "this Bedrock call"
    verb = "carry" if len(calls) > 1 else "carries"
    yield rule.finding(
        f"{share} {verb} no requestMetadata and no application inference profile: bill and logs cannot be split by "
        "feature. Bills follow tagged application inference profiles (or IAM tags, not visible here); requestMetadata "
        "labels the invocation logs only",
        first.primary,
        call=first,
        evidence="project",
        fixes=labelled(untagged),
    )


def _tagged(call: LlmCall) -> bool:
    if any(isinstance(case.value, Known | Present) for case in call.metadata):
        return True
    return any(TAGGED_PROFILE in model_id for model_id in call.model.known() if isinstance(model_id, str))


def _untagged(call: LlmCall) -> bool:
    if call.sdk == "strands.BedrockModel" and "additional_args" in call.location.text:
        return False  # joins the request as it is, and may hold the label
    return (
        not call.opaque
        and all(isinstance(case.value, Absent) for case in call.metadata)
        and all(isinstance(case.value, Known) for case in call.model)
    )
