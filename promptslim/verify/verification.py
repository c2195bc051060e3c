"""A verification from the suite to the files of its proof."""

# ruff: noqa: PTH103, PTH108, PTH118, PTH119, PTH120, PTH123

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from promptslim.config.cache_folder import cache_folder
from promptslim.core.call_fault import CannotCallError
from promptslim.core.record import record, replace
from promptslim.core.verification import Spend, Verification
from promptslim.edits.atomic_files import WriteError, replace_file
from promptslim.pipeline.counting import Counting
from promptslim.pipeline.sizes import UNKNOWN_TOKENIZER
from promptslim.proof.canonical import data_hash, digest
from promptslim.proof.judge import JUDGE_SHARE
from promptslim.proof.lock import LOCK_NAME, Lock, render_lock
from promptslim.proof.looks import level_of
from promptslim.verify.backend import LOCAL, SMALL_MODEL, Options, open_backend
from promptslim.verify.budget import Budget
from promptslim.verify.code_settings import not_sent
from promptslim.verify.compared import Chosen
from promptslim.verify.filling import tools_of
from promptslim.verify.journal import Journal
from promptslim.verify.project import Project
from promptslim.verify.proving import EVIDENCE, Proved, proved
from promptslim.verify.request import Request, most_input_tokens
from promptslim.verify.runner import Runner, requests_of
from promptslim.verify.tariff import Tariff
from promptslim.verify.waves import Waves

if TYPE_CHECKING:
    from promptslim.verify.backend import Backend
    from promptslim.verify.proving import Prepared
    from promptslim.verify.runner import Ran
    from promptslim.verify.suite import Model


_CONVERSE = ("converse", "converse_stream")


@record
class Wanted:
    """What to compare, where answers come from, and what may be spent; see the options of ``promptslim verify run``.

    ``backend`` None: that of the suite's model. ``max_usd`` and ``max_calls`` None: no limit. ``texts``: whether the
    evidence and the report hold the answers. ``journal`` None: a file in the user's cache. ``sign``: path of a
    private Ed25519 key.
    """

    before: str | None = None
    after: str | None = None
    base: str | None = None
    model: str | None = None
    searched: int = 0
    backend: str | None = None
    region: str | None = None
    profile: str | None = None
    endpoint: str | None = None
    recording: str | None = None
    weights: str | None = None
    batch: bool = False
    role: str | None = None
    folder: str | None = None
    workers: int = 4
    max_usd: Decimal | None = None
    max_calls: int | None = None
    texts: bool = True
    journal: str | None = None
    fresh: bool = False
    sign: str | None = None
    signer: str = ""


class KeyFileError(Exception):
    """The key to sign with cannot be read. The message is one line."""


Told = Callable[[str], None]


def _nothing(text: str) -> None:
    pass


def verification(project: Project, wanted: Wanted, warn: Told = _nothing, progress: Told = _nothing) -> Verification:
    """Run the suite of a project and keep the proof. ``progress`` is told how far the run is and what is spent.

    Raises what is wrong with the suite, the proof and the calls, WriteError where the proof cannot be written, and
    StoppedError where a limit ends the run."""
    suite = project.suite()
    lock = project.lock()
    compared = project.compared(suite, Chosen(wanted.before, wanted.after), wanted.base)
    named = project.model(suite, compared, wanted.model)
    model = _answering(project, named, wanted)
    if model.id != named.id:
        warn(f"{model.id} on this machine answers, not {named.id}: what is proved holds for the former only")
    ready = project.prepared(suite, compared, model, lock, wanted.searched)
    tags = {"application": "promptslim", "run": _run_name(ready)[:16]}
    ready = replace(ready, job=replace(ready.job, metadata=tags))
    requests_of(ready.job)
    for call in ready.job.compared.calls[:1]:
        if not tools_of(call)[1]:
            warn("the tools of the call are not known; the requests go without them")
    key = _key(wanted)
    ran, waves = _asked(project, ready, wanted, progress)
    facts = project.facts(model.id)
    result = proved(
        ready,
        ran,
        lock,
        facts.rates if facts else None,
        waves.spend,
        date.today(),
        texts=wanted.texts,
        notes=_notes(ready, ran, waves),
    )
    return _kept(project, wanted, result, key)


def _answering(project: Project, model: Model, wanted: Wanted) -> Model:
    """The model that the answers come from: that on this machine cannot answer for one of a provider."""
    if (wanted.backend or model.route) != LOCAL or project.facts(model.id) is None:
        return model
    return replace(model, id=SMALL_MODEL if wanted.weights is None else os.path.basename(wanted.weights), route=LOCAL)


def _asked(project: Project, ready: Prepared, wanted: Wanted, progress: Told) -> tuple[Ran, Waves]:
    """Run the items. Raises StoppedError where a limit ends the run."""
    model = ready.job.model
    cap = model.parameters.get("max_tokens")
    options = Options(
        region=wanted.region or project.place.settings.region,
        profile=wanted.profile,
        endpoint=wanted.endpoint,
        recording=wanted.recording,
        weights=wanted.weights,
        role=wanted.role,
        folder=wanted.folder,
        workers=wanted.workers,
        longest_output=cap if isinstance(cap, int) else None,
    )
    name = wanted.backend or model.route
    if wanted.batch and name not in (*_CONVERSE, "invoke_model"):
        raise CannotCallError(f"batch inference is a service of Amazon Bedrock; ask {name} without batch")
    backend: Backend = open_backend(name, options)
    counting = Counting(project.place.settings, project.place.cwd, precise=True)

    def tariff(name: str) -> Tariff:
        facts = project.facts(name, backend.route)
        return Tariff(facts.rates if facts else None, backend.free)

    def most(request: Request) -> int:
        facts = project.facts(request.model, backend.route)
        return most_input_tokens(request, counting.counter(), facts.tokenizer if facts else UNKNOWN_TOKENIZER)

    state = {"items": "", "spend": ""}

    def told_items(done: int, total: int) -> None:
        state["items"] = f"{done} of {total} tests, "
        progress(state["items"] + state["spend"])

    def told_spend(spend: Spend) -> None:
        state["spend"] = f"{spend.calls:,} calls, ${spend.usd:.4f}" + (
            " and calls without a price" * bool(spend.unpriced)
        )
        progress(state["items"] + state["spend"])

    path = _journal_path(project, ready, wanted)
    if wanted.fresh:
        with suppress(FileNotFoundError):
            os.unlink(path)
    budget = Budget(wanted.max_usd, wanted.max_calls)
    with Journal(path, data_hash([_run_name(ready), _source(ready, wanted)])) as journal:
        waves = Waves(backend, journal, budget, tariff, most, workers=wanted.workers, told=told_spend)
        try:
            ahead = waves.in_batch(options, model.id, progress) if wanted.batch else None
            ran = Runner(ready.job, waves, told_items, ahead).run()
        finally:
            counting.save()
        return ran, waves


def _run_name(ready: Prepared) -> str:
    """Names a run by what its answers depend on, so that the journal outlives more tests and other graders."""
    claim = ready.claim
    return data_hash([ready.job.compared.id, claim.before, claim.after, claim.model, dict(claim.parameters)])


def _journal_path(project: Project, ready: Prepared, wanted: Wanted) -> str:
    if wanted.journal is not None:
        return wanted.journal
    name = data_hash([os.path.realpath(project.place.cwd), _source(ready, wanted), _run_name(ready)])
    return os.path.join(cache_folder(), "verify", f"{name[:24]}.jsonl")


def _source(ready: Prepared, wanted: Wanted) -> list[str | None]:
    """Who answers: other answers to the same requests are those of another run."""
    name = wanted.backend or ready.job.model.route
    recording = None
    if wanted.recording is not None:
        with suppress(OSError), open(wanted.recording, "rb") as file:
            recording = digest(file.read())
    return ["converse" if name in _CONVERSE else name, wanted.endpoint, wanted.weights, recording]


def _notes(ready: Prepared, ran: Ran, waves: Waves) -> list[str]:
    found = []
    if waves.before:
        found.append(f"{waves.before:,} calls were made by an earlier part of this run; --fresh asks them again")
    if waves.lost:
        found.append(f"{waves.lost} calls were in flight when it was killed, and were repeated and counted")
    if waves.left:
        found.append(
            f"{waves.left} requests were asked one by one, at the ordinary price: the batch job had no answer to them"
        )
    found += ready.job.suite.notes
    found += not_sent(ready.job.compared.calls, ready.job.model.parameters)
    if not ran.refused:
        found += _judge_note(ready, ran)
    if not ran.noise and not ran.refused and ready.job.items:
        found.append("the noise floor was not measured: no test has two answers of the original prompt with a grade")
    past = ready.history
    if past.spent:
        found.append(f"{past.spent} earlier looks at these tests count, which leaves less for this one")
    return found


def _judge_note(ready: Prepared, ran: Ran) -> list[str]:
    errors, judge = ran.terms.judge, ready.job.suite.judge
    if errors is None or judge is None:
        return []
    right = errors.good_passed + errors.bad_failed
    level = level_of(ran.terms.alpha, ran.terms.look, ran.terms.looks)
    factor = errors.shrinkage(level * JUDGE_SHARE) if level else 0.0
    widened = f"; the upper bound of the loss is divided by {factor:.2f} for its errors" if factor > 0 else ""
    return [f"the judge {judge.model.id} was right on {right} of {errors.items} labelled answers{widened}"]


def _key(wanted: Wanted) -> bytes | None:
    if wanted.sign is None:
        return None
    try:
        with open(wanted.sign, "rb") as file:
            return file.read()
    except OSError as error:
        raise KeyFileError(f"the key {wanted.sign} cannot be read: {error.strerror}") from None


def _kept(project: Project, wanted: Wanted, result: Proved, key: bytes | None) -> Verification:
    """Write evidence first, then the lock that names it, then take away what nothing names any more."""
    if result.lock is None:
        return result.report
    lock = result.lock
    if key is not None:
        from promptslim.proof.signature import signed

        own = result.report.evidence
        entries = [signed(one, key, wanted.signer) if one.evidence_path == own else one for one in lock.entries]
        lock = Lock(tuple(entries))
    for path, data in result.evidence.items():
        full = os.path.join(project.place.cwd, path)
        try:
            os.makedirs(os.path.dirname(full), exist_ok=True)
        except OSError as error:
            folder = os.path.dirname(path)
            raise WriteError(f"cannot make the folder {folder}: {error.strerror}; make room for it") from None
        replace_file(full, data)
    replace_file(os.path.join(project.place.cwd, LOCK_NAME), render_lock(lock))
    for path in result.gone:
        full = os.path.join(project.place.cwd, path)
        if path.startswith(f"{EVIDENCE}/") and os.path.normpath(path) == path:
            with suppress(OSError):
                os.unlink(full)
    return replace(result.report, lock=LOCK_NAME)
