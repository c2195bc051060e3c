"""python: a function of a file that the suite names, ``file://grade.py`` or ``file://grade.py:name``.

The function (``get_assert`` where none is named) is called with the answer's text and a mapping with ``vars``, and
gives True or False, a score from 0 to 1, or a mapping with ``pass``, ``score`` and ``reason``. What it raises, and
anything else that it gives, is no grade. It may import modules that stand beside it. It runs in this process: a suite
is as trusted as the code it names.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from promptslim.verify.answer import Answer, Check, Grade, scored, ungradeable, verdict

KINDS = ("python",)
GRADED = True
FUNCTION = "get_assert"


def check(check: Check) -> str | None:
    """The file and the function exist."""
    if not isinstance(check.value, str) or not check.value.startswith("file://"):
        return "needs a file as its value: file://grade.py or file://grade.py:function"
    path, name = place_of(check)
    try:
        _function(path, name)
    except Exception as error:  # noqa: BLE001 (the file is the user's, and may raise anything)
        return f"cannot load {name} of {path}: {' '.join(str(error).split()) or type(error).__name__}"
    return None


def place_of(check: Check) -> tuple[str, str]:
    """Path of the file and name of the function."""
    written = str(check.value).removeprefix("file://")
    path, mark, name = written.rpartition(":")
    if not mark or not path.endswith(".py"):
        path, name = written, FUNCTION
    return os.path.join(check.folder, path), name  # noqa: PTH118


def grade(answer: Answer, check: Check) -> Grade:
    """What the function says."""
    try:
        said = _function(*place_of(check))(answer.text, {"vars": dict(check.variables)})
    except Exception as error:  # noqa: BLE001 (the function is the user's, and may raise anything)
        return ungradeable(f"the function raised {type(error).__name__}: {' '.join(str(error).split())}")
    reason = ""
    if isinstance(said, dict):
        reason = str(said.get("reason", ""))
        passed = said.get("pass")
        said = said.get("score", passed)
        if isinstance(passed, bool) and (score := _score(said)) is not None:
            return Grade(score, passed, reason)
    if isinstance(said, bool):
        return verdict(said, reason or str(said))
    if (score := _score(said)) is not None:
        return scored(score, 0.5 if check.threshold is None else check.threshold, reason or "score")
    return ungradeable(f"the function gave {type(said).__name__}, not True, False, a score or a mapping")


def _score(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and 0 <= value <= 1 else None


@lru_cache(64)
def _function(path: str, name: str) -> Callable[[str, dict[str, Any]], Any]:
    import runpy
    import sys

    folder = os.path.abspath(os.path.dirname(path))  # noqa: PTH100, PTH120
    if folder not in sys.path:
        sys.path.append(folder)  # last, so that no module of Python or of promptslim is replaced
    found = runpy.run_path(path).get(name)
    if not callable(found):
        raise AttributeError(f"there is no function {name!r}")
    return found  # type: ignore[no-any-return]
