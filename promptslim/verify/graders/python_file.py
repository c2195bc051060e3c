"""python: a function of a file that the suite names, ``file://grade.py`` or ``file://grade.py:name``.

The function (``get_assert`` where none is named) is called with the answer's text and a mapping with ``vars`` and the
``config`` of the assertion, and gives True or False, a score from 0 to 1, or a mapping with ``pass``, ``score`` and
``reason``. What it raises, and anything else that it gives, is no grade. It may import modules that stand beside it. It
runs in a process of its own, with the rights of the user: a suite is as trusted as the code it names.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from promptslim.verify.answer import Answer, Check, Grade, scored, ungradeable, verdict
from promptslim.verify.python_process import PROCESS

KINDS = ("python",)
GRADED = True
FUNCTION = "get_assert"


def check(check: Check) -> str | None:
    """The file and the function exist."""
    if not isinstance(check.value, str) or not check.value.startswith("file://"):
        return "needs a file as its value: file://grade.py or file://grade.py:function"
    path, name = place_of(check)
    error = _load_error(path, name, os.getcwd())  # noqa: PTH109
    return None if error is None else f"cannot load {name} of {path}: {error}"


def place_of(check: Check) -> tuple[str, str]:
    """Path of the file and name of the function."""
    written = str(check.value).removeprefix("file://")
    path, mark, name = written.rpartition(":")
    if not mark or not path.endswith(".py"):
        path, name = written, FUNCTION
    return os.path.join(check.folder, path), name  # noqa: PTH118


def grade(answer: Answer, check: Check) -> Grade:
    """What the function says."""
    context: dict[str, Any] = {"vars": dict(check.variables)}
    if "config" in check.options:
        context["config"] = check.options["config"]
    said = PROCESS.ask(*place_of(check), {"text": answer.text, "context": context})
    if "error" in said:
        return ungradeable(f"the function failed: {said['error']}")
    if "other" in said:
        return ungradeable(f"the function gave {said['other']}, not True, False, a score or a mapping")
    value, least = said["value"], check.threshold
    if isinstance(value, dict):
        return _mapped(value, least)
    if isinstance(value, bool):
        return verdict(value, str(value))
    score = _score(value)
    if score is None:
        return ungradeable(f"the function gave {value}, which is no score from 0 to 1")
    # Without a threshold any score above 0 passes, as in promptfoo.
    return Grade(score, score > 0, f"score: {score:.3g}") if least is None else scored(score, least, "score")


def _mapped(value: dict[str, Any], least: float | None) -> Grade:
    passed = value.get("pass", value.get("pass_"))
    score = _score(value.get("score", passed))
    if not isinstance(passed, bool) or score is None:
        return ungradeable("the function gave a mapping without pass (True or False) and score (from 0 to 1)")
    reason = str(value.get("reason") or "")
    if least is not None and score < least:
        return Grade(score, False, f"score {score:.3g}, wanted {least:g}{reason and ': '}{reason}")
    return Grade(score, passed, reason)


def _score(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and 0 <= value <= 1 else None


@cache
def _load_error(path: str, name: str, folder: str) -> str | None:  # noqa: ARG001 (a path is relative to it)
    error = PROCESS.ask(path, name).get("error")
    return None if error is None else str(error)


def load_anew() -> None:
    """Forget what was loaded: the files may have been edited since."""
    _load_error.cache_clear()
    PROCESS.end()
