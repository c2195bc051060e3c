"""Show what prompts measure against their budgets, or ratchet the budgets down."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from promptslim.cli.error import UsageError
from promptslim.cli.parameters import Given, Option, Parameters
from promptslim.cli.session import Session, say, write
from promptslim.cli.settings_flags import CONFIGURATION, FILES, OUTPUT, PATHS
from promptslim.core.record import record, replace
from promptslim.edits.atomic_files import replace_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from promptslim.pipeline.run import Run

RULE = "PS201"
LEAST = 100
"""Tokens from which a prompt gets a budget of its own: what is shorter is not what is paid for."""

PARAMETERS: Parameters = (
    PATHS,
    Option(("--write",), "Write the budgets: new ones at the present size, others lowered to it, never raised."),
    *FILES,
    *CONFIGURATION,
    *OUTPUT,
)


@record
class Size:
    """A prompt with its tokens and what they rest on."""

    id: str
    tokens: int
    basis: str


def run(given: Given) -> int:
    """Show each prompt with its size, its budget and the difference; the exit code is 1 where one is over its budget.

    Budgets stand in [tool.promptslim.budgets] and are kept by `promptslim check` (oversized-system-prompt).
    """
    session = Session(given)
    run = session.analyse()
    sizes = _sizes(run)
    budgets = session.place.settings.budgets
    if session.quiet < 2:
        write(_table(sizes, budgets))
    gone = [prompt for prompt in sorted(budgets.keys() - {one.id for one in sizes}) if _looked_for(prompt, run)]
    for prompt in gone:
        session.warn(f"no prompt has the name {prompt}; budget --write drops it")
    if given.flag("write"):
        kept = {prompt: limit for prompt, limit in budgets.items() if prompt not in gone}
        _write(session, _ratcheted(kept, sizes))
    return int(any(one.tokens > budgets.get(one.id, one.tokens) for one in sizes))


def _looked_for(prompt: str, run: Run) -> bool:
    """Whether this run would have found a prompt, if there is one of this name."""
    path = prompt.partition("::")[0]
    return path in run.paths or not os.path.lexists(os.path.join(run.place.cwd, path))  # noqa: PTH118


def _sizes(run: Run) -> list[Size]:
    """Every prompt that can have a budget, as the rule counts it: what it says of budgets that hold nothing."""
    from promptslim.extract.definitions import definitions
    from promptslim.pipeline import run as pipeline

    nothing = dict.fromkeys((prompt.id for prompt in definitions(run.facts)), 0)
    settings = replace(
        run.place.settings, select=(RULE,), ignore=(), extend_select=(), min_confidence="low", budgets=nothing
    )
    found = pipeline.check(replace(run, place=replace(run.place, settings=settings))).result.findings
    sizes: dict[str, Size] = {}
    for one in found:
        if one.size is not None and one.size > getattr(sizes.get(one.evidence), "tokens", 0):
            sizes[one.evidence] = Size(one.evidence, one.size, one.impact.basis or "estimated")
    return sorted(sizes.values(), key=lambda one: (-one.tokens, one.id))


def _table(sizes: Sequence[Size], budgets: Mapping[str, int]) -> Iterator[str]:
    from promptslim.report.escape import one_line

    if sizes:
        yield f"{'tokens':>9} {'budget':>9} {'left':>9}  basis      prompt\n"
    for one in sizes:
        limit = budgets.get(one.id)
        shown = "-" if limit is None else f"{limit:,}"
        left = "-" if limit is None else f"{limit - one.tokens:,}"
        yield f"{one.tokens:>9,} {shown:>9} {left:>9}  {one.basis:<9}  {one_line(one.id)}\n"


def _ratcheted(budgets: Mapping[str, int], sizes: Sequence[Size]) -> dict[str, int]:
    """Budgets at most as large as before; a prompt without one gets its size, if it is worth one."""
    now = dict(budgets)
    for one in sizes:
        if one.id in now:
            now[one.id] = min(now[one.id], one.tokens)
        elif one.tokens >= LEAST:
            now[one.id] = one.tokens
    return now


def _write(session: Session, budgets: Mapping[str, int]) -> None:
    from promptslim.cli.budget_table import with_budgets
    from promptslim.config.config_file import OWN_FILE, PROJECT_FILE, TABLE

    folder = session.configuration.folder
    if folder is None:
        raise UsageError("there is no config file to write budgets to; make one with promptslim init")
    own = os.path.isfile(os.path.join(folder, OWN_FILE))  # noqa: PTH113, PTH118
    path = os.path.join(folder, OWN_FILE if own else PROJECT_FILE)  # noqa: PTH118
    with open(path, encoding="utf-8", newline="") as file:  # noqa: PTH123
        text = file.read()
    inside = {_from_folder(prompt, session.place.cwd, folder): limit for prompt, limit in budgets.items()}
    after = with_budgets(text, (*(() if own else TABLE), "budgets"), inside)
    name = os.path.basename(path)  # noqa: PTH119
    if after is None:
        raise UsageError(f"{name}: the table budgets cannot be edited as it is written; write it as a table of its own")
    if after != text:
        replace_file(path, after)
    count = len(budgets)
    say(f"{count} {'budget' if count == 1 else 'budgets'} in {name}")


def _from_folder(prompt: str, cwd: str, folder: str) -> str:
    path, colons, name = prompt.partition("::")
    return os.path.relpath(os.path.join(cwd, path), folder).replace(os.sep, "/") + colons + name  # noqa: PTH118
