"""What botocore raises, as a fault of one call or as something that ends the run.

Which exceptions are worth another attempt: service model and retry behaviour of botocore 1.44.5. Nothing is documented
about the bill of calls that break off; those are taken as billed.
"""

from __future__ import annotations

from typing import Any

from promptslim.core.call_fault import CallFault, CannotCallError

_NOT_STARTED = {"ThrottlingException", "ModelNotReadyException", "ServiceUnavailableException"}
_BROKEN_OFF = {"InternalServerException", "ModelTimeoutException", "ModelErrorException", "ModelStreamErrorException"}
_HINTS = {
    "AccessDeniedException": "give the role the rights in `python -m promptslim.aws.policy`, and enable the model",
    "ExpiredTokenException": "log in again",
    "UnrecognizedClientException": "check the AWS credentials",
    "InvalidSignatureException": "check the secret key and the clock of this machine",
    "ResourceNotFoundException": "check the model id and the region",
    "ValidationException": "change the request",
    "ServiceQuotaExceededException": "ask AWS for a higher quota, or use another region or model",
    "AccessDenied": "give the role the rights to the bucket",
    "NoSuchBucket": "make the bucket, or name another",
}
_CREDENTIALS = "no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or log in"
_NO_REGION = "no AWS region: set AWS_REGION, or `region` in the AWS profile"


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
        case exceptions.EndpointConnectionError() | exceptions.ConnectTimeoutError():
            return CallFault("connection", _line(error), again=True, billed=False)
        case exceptions.ReadTimeoutError() | exceptions.IncompleteReadError():
            return CallFault("timeout", _line(error), again=True, billed=True)
        case exceptions.HTTPClientError() | HTTPError() | OSError():
            return CallFault("connection", _line(error), again=True, billed=True)
        case ParserError() | ResponseParserError():
            return CallFault("malformed", _line(error), again=True, billed=True)
        case exceptions.BotoCoreError():
            return CannotCallError(f"{about}: {_line(error)}")
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
        return CannotCallError(f"{about}: {said}; go on tomorrow, or ask AWS for a higher quota")
    if kind in _NOT_STARTED or kind in _BROKEN_OFF or status >= 500 or status == 429:
        billed = in_stream or kind not in _NOT_STARTED
        throttled = kind in _NOT_STARTED or status == 429
        return CallFault(kind, said, again=True, billed=billed, throttled=throttled, wait=_wait(answer))
    hint = _HINTS.get(kind)
    return CannotCallError(f"{about}: {kind}: {said}" + (f"; {hint}" if hint else ""))


def _wait(answer: Any) -> float | None:  # noqa: ANN401 (botocore has no types)
    """Milliseconds in ``x-amz-retry-after`` (botocore 1.44.5, retries/standard.py)."""
    value = str(answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("x-amz-retry-after", ""))
    return int(value) / 1000 if value.isdigit() else None


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
