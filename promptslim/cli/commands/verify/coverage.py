"""Show which prompts have a proof."""

from __future__ import annotations

from promptslim.cli.parameters import Given, Option, Parameters
from promptslim.cli.session import Session, write
from promptslim.cli.settings_flags import CONFIGURATION, FILES, OUTPUT, PATHS

PARAMETERS: Parameters = (
    PATHS,
    Option(("--json",), "Show the list as JSON."),
    Option(("--no-cache",), "Keep no results between runs."),
    *FILES,
    *CONFIGURATION,
    *OUTPUT,
)


def run(given: Given) -> int:
    """Show the prompts of the project, largest first, with the state of their proofs: VALID, STALE, EXPIRED, INVALID,
    MISSING, OPEN (the shorter prompt was not proved), or none.

    The exit code is 0; `promptslim check` fails where a proof does not hold.
    """
    from promptslim.report.verify.coverage import as_json, as_text
    from promptslim.verify.coverage import coverage

    session = Session(given)
    found = coverage(session.analyse())
    if session.quiet < 2:
        write([as_json(found)] if given.flag("json") else as_text(found))
    return 0
