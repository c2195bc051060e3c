"""Faults to order: what the server does instead of answering, one per request, in order.

A fault is written as
    ThrottlingException            any exception of the service, before anything is answered
    stream:throttlingException     an exception in the middle of a stream
    reset                          the connection is reset before an answer
    stream:reset                   the connection is reset in the middle of a stream
    stall:SECONDS                  nothing is sent for so long, then the answer
    malformed                      the answer is not JSON
    empty                          the answer is JSON without what belongs in it
    stream:malformed               a message of the stream has a wrong checksum
    job:Failed                     a batch job that is created ends so; also Expired, Stopped
    ok                             no fault
An exception may be followed by = and the message that it has.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable

EXCEPTIONS = {
    "AccessDeniedException": 403,
    "ConflictException": 400,
    "InternalServerException": 500,
    "ModelErrorException": 424,
    "ModelNotReadyException": 429,
    "ModelStreamErrorException": 424,
    "ModelTimeoutException": 408,
    "ResourceNotFoundException": 404,
    "ServiceQuotaExceededException": 400,
    "ServiceUnavailableException": 503,
    "ThrottlingException": 429,
    "ValidationException": 400,
}
"""Exception -> HTTP status, from the service model in botocore 1.44.5."""

IN_STREAMS = (
    "internalServerException",
    "modelStreamErrorException",
    "serviceUnavailableException",
    "throttlingException",
    "validationException",
)
"""The exceptions that a stream may hold, from the same model; InvokeModel's also has modelTimeoutException."""

_PLAIN = (
    "ok", "reset", "malformed", "empty", "stream:reset", "stream:malformed", "stream:modelTimeoutException",
    "job:Failed", "job:Expired", "job:Stopped",
)  # fmt: skip
KNOWN = (*EXCEPTIONS, *_PLAIN, *(f"stream:{one}" for one in IN_STREAMS), "stall:SECONDS")
"""How faults are written."""


class Faults:
    """A queue of faults; each request takes one."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        """Raises ValueError for a fault that is not known."""
        self._queue: deque[str] = deque()
        self._lock = threading.Lock()
        self.order(*names)

    def order(self, *names: str) -> None:
        """Add faults at the end. Raises ValueError."""
        for name in names:
            _check(name)
        with self._lock:
            self._queue.extend(names)

    def take(self) -> str:
        """The fault of the next request; "ok" where there is none."""
        with self._lock:
            return self._queue.popleft() if self._queue else "ok"


def told(fault: str) -> tuple[str, str]:
    """The exception of a fault, and its message."""
    name, _, message = fault.removeprefix("stream:").partition("=")
    return name, message or f"simulated {name}"


def _check(name: str) -> None:
    kind, _, rest = name.partition(":")
    exception, _, message = name.partition("=")
    known = name in KNOWN or (bool(message) and exception in KNOWN and exception.endswith("Exception"))
    if kind == "stall":
        known = rest.replace(".", "", 1).isdigit()
    if not known:
        raise ValueError(f"unknown fault {name!r}; known are {', '.join(KNOWN)}")
