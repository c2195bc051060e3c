"""Finds token waste in LLM code and prompt files, and prices it.

The public Python API: ``check``, ``inventory``, ``count``, ``trim`` and ``verify``. What they return is plain data, see
``promptslim.core.result``. Importing this package loads nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

# These packages are loaded first: loading them later would put them in the place of the functions of their names.
import promptslim.check
import promptslim.trim
import promptslim.verify  # noqa: F401

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date
    from os import PathLike

    from promptslim.core.result import CheckResult, Inventory, TokenCount
    from promptslim.core.trimming import Level, TrimResult
    from promptslim.core.verification import Verification

__all__ = ["check", "count", "inventory", "trim", "verify"]
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


def trim(
    paths: Iterable[str | PathLike[str]] = (".",),
    *,
    level: Level = "safe",
    prompts: Iterable[str] | None = None,
    target_tokens: int | None = None,
    accept_cache_loss: bool = False,
    proved: bool = False,
    cwd: str | PathLike[str] | None = None,
    today: date | None = None,
    isolated: bool = False,
    **settings: object,
) -> TrimResult:
    """Shorter prompts, and the texts of the files that hold them; nothing is written.

    ``level``: ``"safe"`` changes repeated blank space only, ``"unsafe"`` wording and layout too, ``"proof"`` also what
    may carry weight. ``prompts``: ids of those to be trimmed (default: all). ``target_tokens``: no more edits than
    bring a prompt down to so many tokens. Prompts whose cached prefix would certainly fall under the cache minimum
    are left as they are unless ``accept_cache_loss``. ``proved``: only what ``promptslim.lock`` has a valid proof for,
    whatever the level. Other parameters and errors as for ``check``; an unknown level
    raises ValueError.
    """
    from promptslim.core.trimming import LEVELS
    from promptslim.pipeline import run as pipeline
    from promptslim.pipeline.trimming import TrimRequest
    from promptslim.pipeline.trimming import trim as trimmed

    if level not in LEVELS:
        raise ValueError(f"level {level!r} is not one of {', '.join(LEVELS)}")
    given, place = [str(path) for path in paths], pipeline.place_of(cwd, isolated, settings)
    run = pipeline.analyse(given, place, today)
    request = TrimRequest(
        "proof" if proved else level,
        None if prompts is None else tuple(prompts),
        None if proved else target_tokens,
        accept_cache_loss,
        proved_only=proved,
        proved=proved,
    )
    return trimmed(
        run,
        request,
        lambda instead, some: pipeline.analyse(given if some is None else some, place, run.today, instead=instead),
    ).result


def verify(
    suite: str | PathLike[str],
    *,
    before: str | None = None,
    after: str | None = None,
    base: str | None = None,
    model: str | None = None,
    backend: str | None = None,
    region: str | None = None,
    endpoint: str | None = None,
    recording: str | PathLike[str] | None = None,
    workers: int = 4,
    max_usd: float | str | None = None,
    max_calls: int | None = None,
    texts: bool = True,
    cwd: str | PathLike[str] | None = None,
    isolated: bool = False,
    **settings: object,
) -> Verification:
    """Run the tests of a suite with the original and the shorter prompt, and keep the proof in ``promptslim.lock``.

    The arguments are the options of ``promptslim verify run``; ``suite`` and ``recording`` are paths from ``cwd``
    (default: the working directory). ``decision`` of the result is PASS, FAIL or INCONCLUSIVE. While it runs, the
    working directory of the process is the folder of the lock: call it from one thread at a time. Raises SuiteError,
    CannotCallError and others of ``promptslim.verify``, each with a message of one line, and StoppedError where a limit
    ends the run; what was answered is then kept for the next one.
    """
    import os
    from decimal import Decimal

    from promptslim.core.record import replace
    from promptslim.pipeline.run import place_of
    from promptslim.verify.project import Project
    from promptslim.verify.verification import Wanted, verification

    place = place_of(cwd, isolated, settings)
    wanted = Wanted(
        before=before,
        after=after,
        base=base,
        model=model,
        backend=backend,
        region=region,
        endpoint=endpoint,
        recording=None if recording is None else os.path.join(place.cwd, os.fspath(recording)),  # noqa: PTH118
        workers=workers,
        max_usd=None if max_usd is None else Decimal(str(max_usd)),
        max_calls=max_calls,
        texts=texts,
    )
    root = place.settings.base
    path = os.path.relpath(os.path.join(place.cwd, os.fspath(suite)), root).replace(os.sep, "/")  # noqa: PTH118
    working = os.getcwd()  # noqa: PTH109
    os.chdir(root)
    try:
        return verification(Project(replace(place, cwd=root), path), wanted)
    finally:
        os.chdir(working)
