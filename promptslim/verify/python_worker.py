"""The process in which Python graders run: requests and answers are lines of JSON on its standard streams.

It is a process of its own so that a grader can be stopped, may print and may exit without ending the run.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from collections.abc import Callable
from functools import lru_cache
from typing import Any


def serve() -> None:
    """Answer requests until there are no more. What graders print goes nowhere: it may hold what models said."""
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    for line in sys.stdin:
        answers.write(json.dumps(_answer(json.loads(line))) + "\n")
        answers.flush()


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    try:
        function = _function(request["path"], request["name"])
        if "text" not in request:
            return {"value": None}
        return _data(function(request["text"], request["context"]))
    except (Exception, SystemExit) as error:  # noqa: BLE001 (the file is the user's, and may raise anything)
        said = " ".join(str(error).split())
        return {"error": f"{type(error).__name__}: {said}" if said else type(error).__name__}


@lru_cache(64)
def _function(path: str, name: str) -> Callable[[str, dict[str, Any]], Any]:
    import runpy

    folder = os.path.abspath(os.path.dirname(path))  # noqa: PTH100, PTH120
    if folder not in sys.path:
        sys.path.append(folder)  # last, so that no module of Python is replaced
    found = runpy.run_path(path).get(name)
    if not callable(found):
        raise AttributeError(f"there is no function {name!r}")
    return found  # type: ignore[no-any-return]


def _data(value: Any) -> dict[str, Any]:  # noqa: ANN401 (whatever the function gave)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = dataclasses.asdict(value)
    if isinstance(value, bool | int | float):
        return {"value": value}
    if isinstance(value, dict):
        return {"value": {str(key): _plain(one) for key, one in value.items()}}
    number = _plain(value)
    return {"value": number} if isinstance(number, bool | float) else {"other": type(value).__name__}


def _plain(value: Any) -> bool | int | float | str | None:  # noqa: ANN401
    """A value as JSON has it; the numbers and truth values of numpy too."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    item = getattr(value, "item", None)
    found = item() if callable(item) else None
    return found if isinstance(found, bool | int | float) else type(value).__name__


if __name__ == "__main__":
    serve()
