"""Recorded answers: the journal of an earlier run, or JSON Lines of ``id`` and ``text`` made otherwise.

A request of a journal is found by its content, so that it counts only for the very same prompt; a line with an ``id``
counts for the request of that id (item, prompt and repetition), whatever it says.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from promptslim.core.call_fault import CallFault, CannotCallError
from promptslim.core.record import replace
from promptslim.verify.answer import UNRECORDED, Answer
from promptslim.verify.answer_data import from_data
from promptslim.verify.backend import Options
from promptslim.verify.request import Request
from promptslim.verify.request_key import key_of

NAMES = ("replay",)


class Replay:
    """See ``Backend``."""

    free = True
    route: str | None = None

    def __init__(self, options: Options) -> None:
        """Raises CannotCallError."""
        if not options.recording:
            raise CannotCallError("replay needs a file of recorded answers; name it with --recording")
        self._path = options.recording
        self._answers = dict(_recorded(Path(options.recording)))
        if not self._answers:
            raise CannotCallError(f"{options.recording}: has no recorded answers; a line has id and text")

    def send(self, request: Request) -> Answer:
        """See ``Backend``. There is no time: nothing was waited for."""
        for key in (key_of(request), request.id):
            if key in self._answers:
                return replace(self._answers[key], seconds=None, usd=None, attempts=1)
        raise CallFault(UNRECORDED, f"{self._path} has no answer to {request.id}", again=False, billed=False)


def _recorded(path: Path) -> Iterator[tuple[str, Answer]]:
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise CannotCallError(f"{path}: cannot be read: {error.strerror}") from None
    for number, line in enumerate(lines, 1):
        try:
            value: Any = json.loads(line)
            match value:
                case {"done": str() as key, "answer": dict() as answer} | {
                    "took": str() as key,
                    "answer": dict() as answer,
                }:
                    yield key, from_data(answer)
                case (
                    {"begin": _}
                    | {"fail": _}
                    | {"missed": _}
                    | {"job": _}
                    | {"started": _}
                    | {"ended": _}
                    | {"promptslim_journal": _}
                ):
                    continue
                case {"id": str() as key, "text": str()}:
                    yield key, from_data(value)
                case _:
                    raise ValueError
        except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError):
            if number == len(lines) and not line.endswith(b"}"):
                continue  # cut off by a kill
            raise CannotCallError(f"{path}:{number}: not a recorded answer; a line has id and text") from None


def open_backend(options: Options) -> Replay:
    """Raises CannotCallError."""
    return Replay(options)
