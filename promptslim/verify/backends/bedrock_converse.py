"""Amazon Bedrock, Converse or its stream."""

from __future__ import annotations

import time

from promptslim.core.call_fault import CallFault
from promptslim.verify.answer import Answer
from promptslim.verify.backend import Options
from promptslim.verify.converse_format import converse_answer, converse_request
from promptslim.verify.request import Request

NAMES = ("converse", "converse_stream")


class Converse:
    """See ``Backend``."""

    free = False
    route: str | None = None

    def __init__(self, options: Options) -> None:
        """Raises CannotCallError."""
        from promptslim.aws.clients import Account, read_timeout
        from promptslim.aws.runtime import Runtime

        account = Account(options.region, options.profile)
        self._stream = options.stream
        self._runtime = Runtime(account, timeout=read_timeout(options.longest_output), connections=options.workers)

    def send(self, request: Request) -> Answer:
        """See ``Backend``."""
        ask = self._runtime.converse_stream if self._stream else self._runtime.converse
        asked = converse_request(request)
        started = time.monotonic()
        said = ask(asked)
        try:
            return converse_answer(said, time.monotonic() - started)
        except (KeyError, TypeError):
            raise CallFault("malformed", "the answer lacks a field", again=True, billed=True) from None


def open_backend(options: Options) -> Converse:
    """Raises CannotCallError."""
    return Converse(options)
