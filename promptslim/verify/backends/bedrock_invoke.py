"""Amazon Bedrock, InvokeModel with the body of the model's family."""

from __future__ import annotations

import importlib
import pkgutil
import time
from collections.abc import Mapping
from functools import cache
from types import ModuleType

from promptslim.catalog import load
from promptslim.core.call_fault import CallFault, CannotCallError
from promptslim.core.record import replace
from promptslim.verify.answer import Answer
from promptslim.verify.backend import Options
from promptslim.verify.backends import bodies
from promptslim.verify.converse_format import served_tier
from promptslim.verify.request import Request

NAMES = ("invoke_model",)


class InvokeModel:
    """See ``Backend``."""

    free = False
    route: str | None = None

    def __init__(self, options: Options) -> None:
        """Raises CannotCallError."""
        from promptslim.aws.clients import Account, read_timeout
        from promptslim.aws.runtime import Runtime

        account = Account(options.region, options.profile)
        self._runtime = Runtime(account, timeout=read_timeout(options.longest_output), connections=options.workers)

    def send(self, request: Request) -> Answer:
        """See ``Backend``."""
        form = body_module(request.model)
        body = {**form.write(request), **request.extra}
        started = time.monotonic()
        tier = "" if request.tier in ("standard", "batch") else request.tier
        said = self._runtime.invoke(request.model, body, request.metadata, tier)
        seconds = time.monotonic() - started
        try:
            answer: Answer = form.read(said.body, said.headers, seconds)
        except (KeyError, IndexError, TypeError, ValueError):
            raise CallFault("malformed", "the answer lacks a field", again=True, billed=True) from None
        return replace(answer, tier=served_tier(said.headers.get("x-amzn-bedrock-service-tier")))


@cache
def body_module(model: str) -> ModuleType:
    """The format of a model's bodies. Raises CannotCallError."""
    facts = load().model(model)
    known = _modules()
    module = known.get((facts.body if facts else None) or "")
    if module is None:
        raise CannotCallError(f"the body that {model} takes is not known; call it with Converse")
    return module


@cache
def _modules() -> Mapping[str, ModuleType]:
    found = pkgutil.iter_modules(bodies.__path__)
    modules = [importlib.import_module(f"{bodies.__name__}.{one.name}") for one in found]
    return {name: module for module in modules for name in module.BODIES}


def open_backend(options: Options) -> InvokeModel:
    """Raises CannotCallError."""
    return InvokeModel(options)
