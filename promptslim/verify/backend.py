"""What a backend is, and where to find one by its name.

A backend is a module in ``backends/`` with ``NAMES``, the names it goes by, and ``open_backend(options)``.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import ModuleType
from typing import Protocol

from promptslim.config.error import suggestion
from promptslim.core.call_fault import CannotCallError
from promptslim.core.record import record, replace
from promptslim.verify.answer import Answer
from promptslim.verify.request import Request

LOCAL = "local"
"""The backend that is a model on this machine."""

SMALL_MODEL = "smollm2-135m-instruct"
"""The model whose weights a package carries, as suites and proofs name it."""


@record
class Options:
    """Where and how to call. ``region`` and ``profile`` of AWS; ``endpoint``: URL of an OpenAI-compatible API with its
    version (``https://host/v1``); ``key_variable``: environment variable with that API's key; ``recording``: file of
    recorded answers; ``weights``: GGUF file of a local model; ``role`` and ``folder`` for batch inference; ``workers``:
    calls at a time; ``longest_output``: the largest cap of the requests; ``poll_seconds`` between looks at a job;
    ``stream``: take answers through the stream."""

    region: str | None = None
    profile: str | None = None
    endpoint: str | None = None
    key_variable: str = "OPENAI_API_KEY"
    recording: str | None = None
    weights: str | None = None
    role: str | None = None
    folder: str | None = None
    workers: int = 4
    longest_output: int | None = None
    poll_seconds: float = 30.0
    stream: bool = False


class Backend(Protocol):
    """Sends requests, one attempt each. Used by several threads.

    ``free``: calls cost nothing. ``route``: how the catalog knows the provider (``ModelFacts.route``), None for what
    the model's id says.
    """

    free: bool
    route: str | None

    def send(self, request: Request) -> Answer:
        """The answer with its usage and seconds; price and attempts are the caller's.

        Raises CallFault for an attempt that failed, CannotCallError where no attempt will help.
        """


@cache
def backend_modules() -> Mapping[str, ModuleType]:
    """Name -> the module of that backend."""
    from promptslim.verify import backends

    modules = [
        importlib.import_module(f"{backends.__name__}.{one.name}")
        for one in pkgutil.iter_modules(backends.__path__)
        if not one.ispkg
    ]
    return {name: module for module in modules for name in module.NAMES}


def open_backend(name: str, options: Options) -> Backend:
    """The backend of a name. Raises CannotCallError."""
    known = backend_modules()
    if name not in known:
        raise CannotCallError(
            f"unknown backend {name!r}; {suggestion(name, known, 'known are ' + ', '.join(sorted(known)))}"
        )
    backend: Backend = known[name].open_backend(replace(options, stream=options.stream or name.endswith("_stream")))
    return backend
