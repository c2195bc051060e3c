"""Any API that speaks OpenAI's chat completions, through the standard library."""

from __future__ import annotations

import json
import os
import socket
import ssl
import time
import urllib.error
import urllib.request
from http.client import HTTPException
from urllib.parse import urlsplit

from promptslim.core.call_fault import CallFault, CannotCallError
from promptslim.core.record import replace
from promptslim.verify.answer import Answer
from promptslim.verify.backend import Options
from promptslim.verify.chat_completions import completion_answer, completion_body
from promptslim.verify.converse_format import served_tier
from promptslim.verify.request import Request

NAMES = ("openai",)

_LEAST_TIMEOUT = 600.0
_SLOWEST_TOKENS_PER_SECOND = 15
_LARGEST = 50_000_000
_HINTS = {
    400: "change the request: the model or its parameters in the suite",
    401: "check the key",
    402: "add credit to the account",
    403: "check the rights of the key",
    404: "check the endpoint, up to the version, like https://host/v1, and the model",
    405: "check the endpoint, up to the version, like https://host/v1",
    413: "the prompt is too long for this server",
}
_REDIRECTED = "name the endpoint that it leads to: redirects are not followed, so that the key stays where it belongs"


class OpenAICompatible:
    """See ``Backend``."""

    free = False

    def __init__(self, options: Options) -> None:
        """Raises CannotCallError."""
        endpoint = (options.endpoint or "https://api.openai.com/v1").rstrip("/")
        parts = urlsplit(endpoint)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise CannotCallError(f"{endpoint!r} is no endpoint: give its URL up to the version, like https://host/v1")
        self._url = f"{endpoint}/chat/completions"
        self._key = os.environ.get(options.key_variable, "")
        self.route: str | None = _route_of(parts.hostname)
        if self.route != "other" and not self._key:
            raise CannotCallError(f"no key for {parts.hostname}: set {options.key_variable}")
        self._variable = options.key_variable
        longest = (options.longest_output or 0) / _SLOWEST_TOKENS_PER_SECOND
        self._timeout = max(_LEAST_TIMEOUT, longest)
        self._opener = urllib.request.build_opener(_NoRedirect())

    def send(self, request: Request) -> Answer:
        """See ``Backend``."""
        # OpenAI's newer models reject max_tokens, other servers often know nothing else.
        own = self.route == "openai" or request.model.startswith("openai.")
        cap = "max_completion_tokens" if own else "max_tokens"
        tier = {} if request.tier in ("standard", "batch") else {"service_tier": request.tier}
        body = {"model": request.model, **completion_body(request, cap), **tier, **request.extra}
        headers = {"Content-Type": "application/json", "User-Agent": "promptslim"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        asked = urllib.request.Request(self._url, json.dumps(body).encode(), headers)  # noqa: S310 (http or https)
        started = time.monotonic()
        try:
            with self._opener.open(asked, timeout=self._timeout) as answer:
                data = answer.read(_LARGEST)
        except urllib.error.HTTPError as error:
            raise _refused(error, f"{request.model} at {self._url}") from None
        except TimeoutError:
            raise CallFault("timeout", f"no answer within {self._timeout:.0f} s", again=True, billed=True) from None
        except (OSError, HTTPException, ValueError) as error:
            raise _not_answered(error, self._url, self._variable) from None
        try:
            said = json.loads(data)
            answer_of = completion_answer(said, time.monotonic() - started)
            return replace(answer_of, tier=served_tier(said.get("service_tier")))
        except (KeyError, IndexError, TypeError, ValueError, AttributeError):
            raise CallFault("malformed", "the answer is not a chat completion", again=True, billed=True) from None


def _route_of(host: str) -> str:
    """Whose price list counts: an endpoint that is not known has one of its own."""
    if host == "api.openai.com":
        return "openai"
    if host.startswith("bedrock-runtime.") and host.endswith(".amazonaws.com"):
        return "bedrock"
    if host.startswith("bedrock-mantle.") and host.endswith(".api.aws"):
        return "bedrock_mantle"
    return "other"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would take the key to another host."""

    def redirect_request(self, *_: object) -> None:
        """None: the redirect is an error."""


_NEVER_SENT = (ConnectionRefusedError, socket.gaierror)


def _not_answered(error: Exception, url: str, variable: str) -> CallFault | CannotCallError:
    cause = getattr(error, "reason", error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return CannotCallError(f"{url}: {_line(cause)}; check the endpoint, or set SSL_CERT_FILE to its authority")
    if isinstance(error, ValueError):  # the standard library refuses to write the request
        return CannotCallError(f"{url}: no request can be made of it; check the endpoint and the key in {variable}")
    billed = not isinstance(cause, _NEVER_SENT)
    return CallFault("connection", f"{url}: {_line(error)}", again=True, billed=billed)


def _refused(error: urllib.error.HTTPError, about: str) -> CallFault | CannotCallError:
    with error:
        said = whole = " ".join(error.read(2000).decode("utf-8", "replace").split())
    try:
        detail = json.loads(said)
        told = detail.get("error", detail)
        said = str(told.get("message", said)) if isinstance(told, dict) else str(told)
    except (ValueError, AttributeError):
        pass
    said = said.rstrip(".")
    if error.code == 429 and "insufficient_quota" in whole:
        return CannotCallError(f"{about}: {said}; add credit to the account")
    if error.code in (408, 409, 429) or error.code >= 500:
        wait = str(error.headers.get("Retry-After", ""))
        throttled = error.code in (429, 503)
        return CallFault(
            f"HTTP {error.code}", said, again=True, billed=not throttled, throttled=throttled,
            wait=float(wait) if wait.replace(".", "", 1).isdecimal() else None,
        )  # fmt: skip
    hint = _REDIRECTED if 300 <= error.code < 400 else _HINTS.get(error.code, "change the request")
    return CannotCallError(f"{about}: HTTP {error.code}: {said or error.reason}; {hint}")


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def open_backend(options: Options) -> OpenAICompatible:
    """Raises CannotCallError."""
    return OpenAICompatible(options)
