"""Compare the original with the shorter prompt and write the proof."""

# ruff: noqa: PTH118

from __future__ import annotations

import os
import sys
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from promptslim.cli.error import UsageError
from promptslim.cli.parameters import Given, Option, Parameters
from promptslim.cli.session import say, write
from promptslim.cli.verifying import BACKEND, PROMPTS, SHARED, SUITE, Live, Project, absolute, project_of, whole

if TYPE_CHECKING:
    from promptslim.core.verification import Spend, Verification
    from promptslim.verify.backend import Backend
    from promptslim.verify.proving import Prepared, Proved
    from promptslim.verify.runner import Ran
    from promptslim.verify.waves import Waves

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
    goes to promptslim.lock, its evidence to promptslim-evidence/.
    """
    _limits(given)
    paths = {name: absolute(given, name) for name in ("html", "journal", "recording", "weights", "sign")}
    given = Given({**given.values, **{name: path for name, path in paths.items() if path is not None}})
    with project_of(given, given.value("suite") or "") as (project, _):
        from promptslim.verify.waves import StoppedError

        try:
            report = _verified(project)
        except StoppedError as stop:
            say(f"INCONCLUSIVE: {stop}; what was answered is kept: run again with a higher limit to go on")
            return EXIT["INCONCLUSIVE"]
        return _shown(project, report)


def _limits(given: Given) -> tuple[Decimal | None, int | None]:
    usd, calls = given.value("max_usd"), given.value("max_calls")
    most: Decimal | None = None
    if usd is not None:
        with suppress(InvalidOperation):
            most = Decimal(usd)
        if most is None or not most.is_finite() or most <= 0:
            raise UsageError(f"--max-usd {usd!r} is not a number of dollars; write for example --max-usd 2.50")
    return most, None if calls is None else whole(calls, "--max-calls")


def _verified(project: Project) -> Verification:
    from datetime import date

    from promptslim.core.record import replace
    from promptslim.verify.filling import tools_of
    from promptslim.verify.proving import proved
    from promptslim.verify.runner import requests_of

    suite = project.suite()
    lock = project.lock()
    compared = project.compared(suite)
    model = project.model(suite, compared)
    ready = project.prepared(suite, compared, model, lock)
    tags = {"application": "promptslim", "run": _run_name(ready)[:16]}
    ready = replace(ready, job=replace(ready.job, metadata=tags))
    requests_of(ready.job)
    for call in ready.job.compared.calls[:1]:
        if not tools_of(call)[1]:
            project.session.warn("the tools of the call are not known; the requests go without them")
    key = _key(project)
    ran, waves = _asked(project, ready)
    facts = project.facts(model.id)
    rates = facts.rates if facts else None
    result = proved(
        ready,
        ran,
        lock,
        rates,
        waves.spend,
        date.today(),
        texts=not project.given.flag("no_texts"),
        notes=_notes(ready, ran, waves),
    )
    return _written(project, result, key)


def _asked(project: Project, ready: Prepared) -> tuple[Ran, Waves]:
    """Run the items. Raises StoppedError where a limit ends the run."""
    from promptslim.pipeline.counting import Counting
    from promptslim.pipeline.sizes import UNKNOWN_TOKENIZER
    from promptslim.verify.backend import Options, open_backend
    from promptslim.verify.budget import Budget
    from promptslim.verify.journal import Journal
    from promptslim.verify.request import Request, most_input_tokens
    from promptslim.verify.runner import Runner
    from promptslim.verify.tariff import Tariff
    from promptslim.verify.waves import Waves

    given, model = project.given, ready.job.model
    workers = whole(given.value("workers") or "4", "--workers")
    cap = model.parameters.get("max_tokens")
    options = Options(
        region=given.value("region") or project.place.settings.region,
        profile=given.value("profile"),
        endpoint=given.value("endpoint"),
        recording=given.value("recording"),
        weights=given.value("weights"),
        role=given.value("role"),
        folder=given.value("folder"),
        workers=workers,
        longest_output=cap if isinstance(cap, int) else None,
    )
    backend: Backend = open_backend(given.value("backend") or model.route, options)
    counting = Counting(project.place.settings, project.place.cwd, precise=True)

    def tariff(name: str) -> Tariff:
        facts = project.facts(name, backend.route)
        return Tariff(facts.rates if facts else None, backend.free)

    def most(request: Request) -> int:
        facts = project.facts(request.model, backend.route)
        return most_input_tokens(request, counting.counter(), facts.tokenizer if facts else UNKNOWN_TOKENIZER)

    live = Live(sys.stderr.isatty() and not project.session.quiet)
    state = {"items": "", "spend": ""}

    def told_items(done: int, total: int) -> None:
        state["items"] = f"{done} of {total} tests, "
        live(state["items"] + state["spend"])

    def told_spend(spend: Spend) -> None:
        state["spend"] = f"{spend.calls:,} calls, ${spend.usd:.4f}" + (
            " and calls without a price" * bool(spend.unpriced)
        )
        live(state["items"] + state["spend"])

    path = _journal_path(project, ready)
    if given.flag("fresh"):
        with suppress(FileNotFoundError):
            os.unlink(path)  # noqa: PTH108
    with Journal(path, _run_name(ready)) as journal:
        waves = Waves(backend, journal, Budget(*_limits(given)), tariff, most, workers=workers, told=told_spend)
        try:
            ahead = waves.in_batch(options, model.id, live) if given.flag("batch") else None
            ran = Runner(ready.job, waves, told_items, ahead).run()
        finally:
            live.clear()
            counting.save()
        return ran, waves


def _run_name(ready: Prepared) -> str:
    """Names a run by what its answers depend on, so that the journal outlives more tests and other graders."""
    from promptslim.proof.canonical import data_hash

    claim = ready.claim
    return data_hash([ready.job.compared.id, claim.before, claim.after, claim.model, dict(claim.parameters)])


def _journal_path(project: Project, ready: Prepared) -> str:
    from promptslim.config.cache_folder import cache_folder
    from promptslim.proof.canonical import data_hash, digest

    named = project.given.value("journal")
    if named is not None:
        return named
    given = project.given
    backend = [given.value(name) for name in ("backend", "endpoint", "weights")]
    recording = given.value("recording")
    if recording is not None:
        with suppress(OSError), open(recording, "rb") as file:  # noqa: PTH123
            backend.append(digest(file.read()))
    name = data_hash([os.path.realpath(project.place.cwd), backend, _run_name(ready)])
    return os.path.join(cache_folder(), "verify", f"{name[:24]}.jsonl")


def _notes(ready: Prepared, ran: Ran, waves: Waves) -> list[str]:
    from promptslim.verify.code_settings import not_sent

    found = []
    if waves.before:
        found.append(f"{waves.before:,} calls were made by an earlier part of this run; --fresh asks them again")
    if waves.lost:
        found.append(f"{waves.lost} calls were in flight when it was killed, and were repeated and counted")
    found += not_sent(ready.job.compared.calls, ready.job.model.parameters)
    if not ran.noise and not ran.refused and ready.job.items:
        found.append("the noise floor was not measured: there are no second answers of the original prompt")
    past = ready.history
    if past.spent:
        found.append(f"{past.spent} earlier looks at these tests count, which leaves less for this one")
    return found


def _key(project: Project) -> bytes | None:
    path = project.given.value("sign")
    if path is None:
        return None
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            return file.read()
    except OSError as error:
        raise UsageError(f"the key {path} cannot be read: {error.strerror}") from None


def _written(project: Project, result: Proved, key: bytes | None) -> Verification:
    """Write evidence first, then the lock that names it, then take away what nothing names any more."""
    from promptslim.cli.atomic_files import replace_file
    from promptslim.core.record import replace
    from promptslim.proof.lock import LOCK_NAME, Lock, render_lock

    if result.lock is None:
        return result.report
    lock = result.lock
    if key is not None:
        from promptslim.proof.signature import signed

        own = result.report.evidence
        signer = project.given.value("signer") or ""
        entries = [signed(one, key, signer) if one.evidence_path == own else one for one in lock.entries]
        lock = Lock(tuple(entries))
    for path, data in result.evidence.items():
        full = os.path.join(project.place.cwd, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)  # noqa: PTH103, PTH120
        replace_file(full, data)
    replace_file(os.path.join(project.place.cwd, LOCK_NAME), render_lock(lock))
    for path in result.gone:
        full = os.path.join(project.place.cwd, path)
        if path.startswith("promptslim-evidence/") and os.path.normpath(path) == path:
            with suppress(OSError):
                os.unlink(full)  # noqa: PTH108
    return replace(result.report, lock=LOCK_NAME)


def _shown(project: Project, report: Verification) -> int:
    from promptslim.report.verify import html, json, text

    given = project.given
    page = given.value("html")
    if page is not None:
        from promptslim.cli.atomic_files import replace_file

        replace_file(page, "".join(html.render(report)))
    if project.session.quiet < 2:
        write(json.render(report) if given.flag("json") else text.render(report, project.session.colour()))
    for note in report.notes if not project.session.quiet and given.flag("json") else ():
        say(note)
    return EXIT[report.decision]
