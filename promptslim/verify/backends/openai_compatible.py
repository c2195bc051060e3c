"""Any API that speaks OpenAI's chat completions, through the standard library."""

from __future__ import annotations

import json
import os
import time
import urllib.error
import urllib.request
from http.client import HTTPException
from urllib.parse import urlsplit

from promptslim.core.call_fault import CallFault, CannotCallError
from promptslim.verify.answer import Answer
from promptslim.verify.backend import Options
from promptslim.verify.chat_completions import completion_answer, completion_body
from promptslim.verify.request import Request

NAMES = ("openai",)

_TIMEOUT = 600.0
_LARGEST = 50_000_000
_HINTS = {401: "check the key", 403: "check the rights of the key", 404: "check the endpoint and the model"}


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
        self._opener = urllib.request.build_opener(_NoRedirect())

    def send(self, request: Request) -> Answer:
        """See ``Backend``."""
        # OpenAI's newer models reject max_tokens, other servers often know nothing else.
        own = self.route == "openai" or request.model.startswith("openai.")
        cap = "max_completion_tokens" if own else "max_tokens"
        body = {"model": request.model, **completion_body(request, cap), **request.extra}
        headers = {"Content-Type": "application/json", "User-Agent": "promptslim"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        asked = urllib.request.Request(self._url, json.dumps(body).encode(), headers)  # noqa: S310 (http or https)
        started = time.monotonic()
        try:
            with self._opener.open(asked, timeout=_TIMEOUT) as answer:
                data = answer.read(_LARGEST)
        except urllib.error.HTTPError as error:
            raise _refused(error, request.model) from None
        except TimeoutError:
            raise CallFault("timeout", f"no answer within {_TIMEOUT:.0f} s", again=True, billed=True) from None
        except (OSError, HTTPException) as error:
            sent = not isinstance(getattr(error, "reason", None), ConnectionRefusedError)
            raise CallFault("connection", _line(error), again=True, billed=sent) from None
        try:
            return completion_answer(json.loads(data), time.monotonic() - started)
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


def _refused(error: urllib.error.HTTPError, model: str) -> CallFault | CannotCallError:
    with error:
        said = " ".join(error.read(2000).decode("utf-8", "replace").split())
    try:
        detail = json.loads(said)
        told = detail.get("error", detail)
        said = str(told.get("message", said)) if isinstance(told, dict) else str(told)
    except (ValueError, AttributeError):
        pass
    if error.code == 429 and "quota" in said and "insufficient" in said:
        return CannotCallError(f"{model}: {said}; add credit to the account")
    if error.code in (408, 409, 429) or error.code >= 500:
        wait = str(error.headers.get("Retry-After", ""))
        throttled = error.code in (429, 503)
        return CallFault(
            f"HTTP {error.code}", said, again=True, billed=not throttled, throttled=throttled,
            wait=float(wait) if wait.isdigit() else None,
        )  # fmt: skip
    hint = _HINTS.get(error.code, "change the request")
    return CannotCallError(f"{model}: HTTP {error.code}: {said}; {hint}")


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def open_backend(options: Options) -> OpenAICompatible:
    """Raises CannotCallError."""
    return OpenAICompatible(options)
