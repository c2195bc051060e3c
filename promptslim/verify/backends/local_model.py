"""A small instruct model in this process (the extra ``local``)."""

from __future__ import annotations

import time
from pathlib import Path

from promptslim.core.call_fault import CannotCallError
from promptslim.pricing.cost import Usage
from promptslim.verify.answer import Answer
from promptslim.verify.backend import Options
from promptslim.verify.local.exchange import Chat, Refused
from promptslim.verify.local.small_model import NoModelError, SmallModel
from promptslim.verify.request import Request

NAMES = ("local",)
_CAP = 256


class LocalModel:
    """See ``Backend``. The model's id is of no account: there is one model."""

    free = True
    route: str | None = "local"

    def __init__(self, options: Options) -> None:
        """Raises CannotCallError."""
        try:
            self._model = SmallModel(Path(options.weights) if options.weights else None)
        except NoModelError as error:
            raise CannotCallError(str(error)) from None

    def send(self, request: Request) -> Answer:
        """See ``Backend``. Without an output limit 256 tokens are."""
        turns = tuple((one.role, one.text) for one in request.messages)
        cap = request.max_tokens or _CAP
        started = time.monotonic()
        try:
            said = self._model(Chat(request.model, turns, request.system, cap, request.temperature, request.stop))
        except Refused as error:
            raise CannotCallError(f"{request.id}: {error.message}") from None
        usage = Usage(said.input_tokens or 0, said.output_tokens or 0)
        return Answer(said.text, said.stop, (), time.monotonic() - started, None, usage)


def open_backend(options: Options) -> LocalModel:
    """Raises CannotCallError."""
    return LocalModel(options)
