"""Finds token waste in LLM code and prompt files, and prices it.

The public Python API: ``check``, ``inventory`` and ``count``. What they return is plain data, see
``promptslim.core.result``. Importing this package loads nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

# The package is loaded first: loading it later would put it in the place of the function of that name.
import promptslim.check  # noqa: F401

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date
    from os import PathLike

    from promptslim.core.result import CheckResult, Inventory, TokenCount

__all__ = ["check", "count", "inventory"]
__version__ = "0.1.0"


def check(
    paths: Iterable[str | PathLike[str]] = (".",),
    *,
    cwd: str | PathLike[str] | None = None,
    today: date | None = None,
    isolated: bool = False,
    **settings: object,
) -> CheckResult:
    """Find wasted tokens in Python files and notebooks.

    ``paths`` are files, folders or patterns, relative to ``cwd`` (default: the working directory), where
    the configuration is looked for too unless ``isolated``. ``settings`` are configuration keys with
    underscores, such as ``select=["PS1"]`` or ``min_confidence="high"``, and win over the file. ``today``
    (default: the date) decides what is near its end of life. A file that cannot be read or parsed stands in
    ``errors`` of the result; a path that does not exist raises PathError, invalid settings ConfigError.
    """
    from promptslim.pipeline import run as pipeline

    run = pipeline.analyse([str(path) for path in paths], pipeline.place_of(cwd, isolated, settings), today)
    return pipeline.check(run).result


def inventory(
    paths: Iterable[str | PathLike[str]] = (".",),
    *,
    cwd: str | PathLike[str] | None = None,
    isolated: bool = False,
    **settings: object,
) -> Inventory:
    """Every call to a language model and every prompt, with what could be resolved of them.

    Parameters and errors as for ``check``.
    """
    from promptslim.pipeline import run as pipeline

    run = pipeline.analyse([str(path) for path in paths], pipeline.place_of(cwd, isolated, settings), None)
    return pipeline.inventory(run)


def count(text: str, model: str | None = None) -> TokenCount:
    """Tokens of ``text`` for a model id; without one, an estimate whose band covers the known families.

    ``method`` and the band of the result say how far to trust it. An unknown model is counted as none.
    """
    from promptslim.pipeline import run as pipeline

    return pipeline.count(text, model, pipeline.place_of(None, True, {}))
