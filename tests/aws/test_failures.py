"""What errors of botocore become, where the local server does not send them."""

from __future__ import annotations

from typing import Any

import pytest
from botocore import exceptions

from promptslim.aws.clients import MOST_READ_TIMEOUT, read_timeout
from promptslim.aws.failures import translated
from promptslim.core.call_fault import CallFault, CannotCallError


def said(code: str, message: str = "no", status: int = 400, **headers: str) -> exceptions.ClientError:
    response: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": headers},
    }
    return exceptions.ClientError(response, "Converse")


def test_the_service_says_how_long_to_wait() -> None:
    fault = translated(said("ThrottlingException", status=429, **{"x-amz-retry-after": "2500"}), "x")
    assert isinstance(fault, CallFault)
    assert fault.wait == 2.5


@pytest.mark.parametrize(("code", "status"), [("SomethingNew", 503), ("SlowDown", 503), ("TooManyRequests", 429)])
def test_what_is_new_is_judged_by_its_status(code: str, status: int) -> None:
    fault = translated(said(code, status=status), "x")
    assert isinstance(fault, CallFault)
    assert fault.again


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        (said("ThrottlingException", "Too many tokens per day, please wait", 429), "go on tomorrow"),
        (said("ExpiredTokenException", status=403), "log in again"),
        (said("UnrecognizedClientException", status=403), "check the AWS credentials"),
        (said("InvalidSignatureException", status=403), "clock of this machine"),
        (said("SomethingNew", "what\nis this", 400), "SomethingNew: what is this"),
        (exceptions.NoCredentialsError(), "set AWS_PROFILE"),
        (exceptions.NoRegionError(), "set AWS_REGION"),
        (exceptions.ProfileNotFound(profile="p"), "check AWS_PROFILE"),
        (exceptions.UnauthorizedSSOTokenError(), "log in again"),
        (exceptions.ParamValidationError(report="bad"), "converse m: "),
        (exceptions.InvalidEndpointConfigurationError(msg="http"), "unset AWS_BEARER_TOKEN_BEDROCK"),
        (exceptions.ConfigParseError(path="config"), "check ~/.aws/config"),
        (exceptions.SSLError(endpoint_url="https://x", error="certificate"), "AWS_CA_BUNDLE"),
        (ValueError("Invalid endpoint: foo"), "AWS_ENDPOINT_URL"),
        (said("AccessDeniedException", "You don't have access to the model.", 403), "request access to the model"),
        (said("AccessDeniedException", "x is not authorized to perform: y", 403), "promptslim.aws.policy"),
        (said("ValidationException", "Invocation with on-demand throughput isn't supported."), "inference profile"),
        (said("ValidationException", "The provided model identifier is invalid."), "check the model id and the region"),
        (said("ValidationException", "The provided model doesn't support counting tokens."), "counts for"),
        (said("ResourceNotFoundException", "reached the end of its life", 404), "take a newer model"),
        (said("ExpiredToken", status=400), "log in again"),
    ],
)
def test_what_no_attempt_mends_says_what_to_do_in_one_line(error: Exception, hint: str) -> None:
    failure = translated(error, "converse m")
    assert isinstance(failure, CannotCallError)
    assert hint in str(failure)
    assert "\n" not in str(failure)


def test_errors_of_our_own_are_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        translated(ZeroDivisionError(), "x")


def test_long_answers_are_waited_for() -> None:
    assert read_timeout(100) == 300
    assert read_timeout(15_000) == 1000
    assert read_timeout(200_000) == read_timeout(None) == MOST_READ_TIMEOUT
