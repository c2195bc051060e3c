"""Compare the original with the shorter prompt and write the proof."""

from __future__ import annotations

import sys
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from promptslim.cli.error import UsageError
from promptslim.cli.parameters import Given, Option, Parameters
from promptslim.cli.session import say, write
from promptslim.cli.verifying import (
    BACKEND,
    PROMPTS,
    SHARED,
    SUITE,
    Live,
    Project,
    absolute,
    project_of,
    searched,
    whole,
)

if TYPE_CHECKING:
    from promptslim.core.verification import Verification
    from promptslim.verify.verification import Wanted

EXIT = {"PASS": 0, "FAIL": 1, "INCONCLUSIVE": 3}

PARAMETERS: Parameters = (
    SUITE,
    *PROMPTS,
    *BACKEND,
    Option(
        ("--max-usd",), "Spend at most so many dollars, retries included; checked before each call.", "value", "USD"
    ),
    Option(("--max-calls",), "Make at most so many calls, retries included.", "value", "N"),
    Option(("--no-texts",), "Keep the answers out of the evidence and the report."),
    Option(("--journal",), "Keep what was answered in this file, to go on after an interruption.", "value", "FILE"),
    Option(("--fresh",), "Ask everything again instead of taking the answers of an earlier run."),
    Option(("--sign",), "Sign the proof with this private Ed25519 key (PEM).", "value", "FILE"),
    Option(("--signer",), "Who signs.", "value", "NAME"),
    Option(("--json",), "Show the result as JSON."),
    Option(("--html",), "Write the report to this HTML file.", "value", "FILE"),
    *SHARED,
)


def run(given: Given) -> int:
    """Run the tests of a suite with the original and the shorter prompt, and prove that the shorter one is not worse.

    The exit code is 0 for PASS, 1 for FAIL, 3 for INCONCLUSIVE, 2 where the command cannot be carried out. The proof
    goes to promptslim.lock, its evidence to promptslim-evidence/. On Amazon Bedrock the least rights for it are those
    that `python -m promptslim.aws.policy` prints; `python -m promptslim.verify.local` is a server to try it without an
    account.
    """
    paths = {name: absolute(given, name) for name in ("html", "journal", "recording", "weights", "sign")}
    given = Given({**given.values, **{name: path for name, path in paths.items() if path is not None}})
    wanted = _wanted(given)
    with project_of(given, given.value("suite") or "") as (project, _):
        from promptslim.verify.verification import verification
        from promptslim.verify.waves import StoppedError

        live = Live(sys.stderr.isatty() and not project.session.quiet)
        try:
            _say_when_interrupted(live)
            report = verification(project.inner, wanted, project.session.warn, live)
        except StoppedError as stop:
            live.clear()
            say(f"INCONCLUSIVE: {stop}; what was answered is kept: run again with a higher limit to go on")
            return EXIT["INCONCLUSIVE"]
        finally:
            live.clear()
        return _shown(project, report)


def _say_when_interrupted(live: Live) -> None:
    """What to do after Ctrl-C is said at once: calls that run are paid for, and may take minutes."""
    import signal
    from types import FrameType

    def interrupted(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        live.clear()
        say(
            "interrupted: what was answered is kept, run the same command again to go on; waiting for the calls that "
            "run, Ctrl-C again leaves them"
        )
        signal.default_int_handler(number, frame)

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        with suppress(ValueError):  # not in the main thread
            signal.signal(signal.SIGINT, interrupted)


def _wanted(given: Given) -> Wanted:
    from promptslim.verify.verification import Wanted

    usd, calls = _limits(given)
    return Wanted(
        before=given.value("before"),
        after=given.value("after"),
        base=given.value("base"),
        model=given.value("model"),
        searched=searched(given),
        backend=given.value("backend"),
        region=given.value("region"),
        profile=given.value("profile"),
        endpoint=given.value("endpoint"),
        recording=given.value("recording"),
        weights=given.value("weights"),
        batch=given.flag("batch"),
        role=given.value("role"),
        folder=given.value("folder"),
        workers=whole(given.value("workers") or "4", "--workers"),
        max_usd=usd,
        max_calls=calls,
        texts=not given.flag("no_texts"),
        journal=given.value("journal"),
        fresh=given.flag("fresh"),
        sign=given.value("sign"),
        signer=given.value("signer") or "",
    )


def _limits(given: Given) -> tuple[Decimal | None, int | None]:
    usd, calls = given.value("max_usd"), given.value("max_calls")
    most: Decimal | None = None
    if usd is not None:
        with suppress(InvalidOperation):
            most = Decimal(usd)
        if most is None or not most.is_finite() or most <= 0:
            raise UsageError(f"--max-usd {usd!r} is not a number of dollars; write for example --max-usd 2.50")
    return most, None if calls is None else whole(calls, "--max-calls")


def _shown(project: Project, report: Verification) -> int:
    from promptslim.report.verify import html, json, text

    given = project.given
    page = given.value("html")
    if page is not None:
        from promptslim.edits.atomic_files import replace_file

        replace_file(page, "".join(html.render(report)))
    if project.session.quiet < 2:
        write(
            json.render(report)
            if given.flag("json")
            else text.render(report, project.session.colour(), project.session.width())
        )
    for note in report.notes if not project.session.quiet and given.flag("json") else ():
        say(note)
    return EXIT[report.decision]
