"""What botocore raises, as a fault of one call or as something that ends the run.

Which exceptions are worth another attempt: service model and retry behaviour of botocore 1.44.5. Nothing is documented
about the bill of calls that break off; those are taken as billed.
"""

from __future__ import annotations

from typing import Any

from promptslim.core.call_fault import CallFault, CannotCallError

_NOT_STARTED = {"ThrottlingException", "ModelNotReadyException", "ServiceUnavailableException"}
_BROKEN_OFF = {"InternalServerException", "ModelTimeoutException", "ModelErrorException", "ModelStreamErrorException"}
_SAID = (
    ("not authorized to perform", "give the role the rights that `python -m promptslim.aws.policy` prints"),
    ("access to the model", "request access to the model in the Bedrock console, for this region"),
    (
        "on-demand throughput",
        "name the model by an inference profile: its id with us., eu., apac. or global. before it",
    ),
    ("model identifier is invalid", "check the model id and the region; `promptslim models` lists ids"),
    ("end of its life", "take a newer model; `promptslim models` lists them"),
    ("marked by provider as legacy", "take a newer model; `promptslim models` lists them"),
    ("use case details", "fill in that form in the Bedrock console"),
    ("counting tokens", "take a model that the service counts for"),
    ("count tokens", "take a model that the service counts for"),
    ("counttokens", "take a model that the service counts for"),
)
"""What the service's messages contain, in small letters, and what helps. The messages are those that users of the
service report; one that is not known falls back on the hint of its exception."""
_HINTS = {
    "AccessDeniedException": "give the role the rights that `python -m promptslim.aws.policy` prints, and request "
    "access to the model",
    "ExpiredTokenException": "log in again",
    "ExpiredToken": "log in again",
    "RequestExpired": "log in again, and check the clock of this machine",
    "MissingAuthenticationTokenException": "check the AWS credentials",
    "InvalidAccessKeyId": "check the AWS credentials",
    "InvalidClientTokenId": "check the AWS credentials",
    "SignatureDoesNotMatch": "check the secret key and the clock of this machine",
    "UnrecognizedClientException": "check the AWS credentials",
    "InvalidSignatureException": "check the secret key and the clock of this machine",
    "ResourceNotFoundException": "check the model id and the region",
    "ValidationException": "change the request: the model or its parameters in the suite",
    "ConflictException": "wait for the other job, or stop it",
    "ServiceQuotaExceededException": "ask AWS for a higher quota, or use another region or model",
    "AccessDenied": "give the role the rights to the bucket",
    "NoSuchBucket": "make the bucket, or name another",
}
_CREDENTIALS = "no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or log in"
_NO_REGION = "no AWS region: set AWS_REGION, or `region` in the AWS profile"
_CONFIGURATION = "check ~/.aws/config, AWS_PROFILE and the other variables AWS_..."


def translated(error: Exception, about: str) -> CallFault | CannotCallError:
    """``error`` in our words; ``about`` says what was called, for the message. Raises ``error`` where it is none of
    botocore's or the connection's."""
    from botocore import exceptions
    from botocore.eventstream import ParserError
    from botocore.parsers import ResponseParserError
    from urllib3.exceptions import HTTPError

    match error:
        case exceptions.ClientError():
            return _said_by_service(error, about)
        case exceptions.SSLError():
            return CannotCallError(f"{about}: {_line(error)}; check AWS_CA_BUNDLE and the proxy")
        case exceptions.EndpointConnectionError() | exceptions.ConnectTimeoutError():
            return CallFault("connection", _line(error), again=True, billed=False)
        case exceptions.ReadTimeoutError() | exceptions.IncompleteReadError():
            return CallFault("timeout", _line(error), again=True, billed=True)
        case exceptions.HTTPClientError() | HTTPError() | OSError():
            return CallFault("connection", _line(error), again=True, billed=True)
        case ParserError() | ResponseParserError():
            return CallFault("malformed", _line(error), again=True, billed=True)
    return _before_sending(error, about)


def _before_sending(error: Exception, about: str) -> CannotCallError:
    """What is wrong with credentials, configuration or arguments."""
    from botocore import exceptions

    match error:
        case exceptions.NoCredentialsError() | exceptions.PartialCredentialsError():
            return CannotCallError(_CREDENTIALS)
        case exceptions.CredentialRetrievalError() | exceptions.TokenRetrievalError() | exceptions.SSOError():
            return CannotCallError(f"AWS credentials cannot be had: {_line(error)}; log in again")
        case exceptions.UnauthorizedSSOTokenError() | exceptions.NoAuthTokenError() | exceptions.LoginTokenLoadError():
            return CannotCallError(f"AWS credentials cannot be had: {_line(error)}; log in again")
        case exceptions.NoRegionError():
            return CannotCallError(_NO_REGION)
        case exceptions.ProfileNotFound() | exceptions.InvalidRegionError():
            return CannotCallError(f"{_line(error)}; check AWS_PROFILE and AWS_REGION")
        case exceptions.ParamValidationError():
            return CannotCallError(f"{about}: {_line(error)}")
        case exceptions.InvalidEndpointConfigurationError():
            return CannotCallError(
                f"{about}: {_line(error)}; unset AWS_BEARER_TOKEN_BEDROCK, or take an https endpoint"
            )
        case exceptions.BotoCoreError():
            return CannotCallError(f"{about}: {_line(error)}; {_CONFIGURATION}")
        case ValueError() if "endpoint" in str(error):
            return CannotCallError(f"{about}: {_line(error)}; check the variables AWS_ENDPOINT_URL...")
    raise error


def malformed(what: str) -> CallFault:
    """An answer without what belongs in it."""
    return CallFault("malformed", what, again=True, billed=True)


def _said_by_service(error: Any, about: str) -> CallFault | CannotCallError:  # noqa: ANN401 (botocore has no types)
    from botocore.exceptions import EventStreamError

    answer = error.response
    code = str(answer.get("Error", {}).get("Code", ""))
    said = " ".join(str(answer.get("Error", {}).get("Message", "")).split())
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    in_stream = isinstance(error, EventStreamError)
    kind = code[:1].upper() + code[1:]
    if "per day" in said and kind == "ThrottlingException":
        return CannotCallError(f"{about}: {said.rstrip('.')}; go on tomorrow, or ask AWS for a higher quota")
    if kind in _NOT_STARTED or kind in _BROKEN_OFF or status >= 500 or status == 429:
        billed = in_stream or kind not in _NOT_STARTED
        throttled = kind in _NOT_STARTED or status == 429
        return CallFault(kind, said, again=True, billed=billed, throttled=throttled, wait=_wait(answer))
    hint = next((hint for words, hint in _SAID if words in said.lower()), _HINTS.get(kind))
    return CannotCallError(f"{about}: {kind}: {said.rstrip('.')}" + (f"; {hint}" if hint else ""))


def _wait(answer: Any) -> float | None:  # noqa: ANN401 (botocore has no types)
    """Milliseconds in ``x-amz-retry-after`` (botocore 1.44.5, retries/standard.py)."""
    value = str(answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("x-amz-retry-after", ""))
    return int(value) / 1000 if value.isdigit() else None


def _line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".:") or type(error).__name__
