"""The steps from one text of a prompt to another that ``promptslim.lock`` has a valid proof for."""

# pathlib costs more start-up time than everything in this module.
# ruff: noqa: PTH123

from __future__ import annotations

from typing import TYPE_CHECKING

from promptslim.check.cache_trap import by_id

if TYPE_CHECKING:
    from promptslim.core.prompt import Prompt
    from promptslim.pipeline.run import Run
    from promptslim.proof.lock import Entry


def _valid_entries(run: Run) -> tuple[Entry, ...]:
    """The entries of the lock whose proofs are VALID."""
    from promptslim.pipeline.proofs import lock_path
    from promptslim.proof.errors import ProofFileError
    from promptslim.proof.lock import read_lock

    valid = {one.entry.start[0] for one in run.proofs if one.status == "VALID"}
    path = lock_path(run.place)
    try:
        with open(path, encoding="utf-8-sig") as file:
            lock = read_lock(file.read(), path)
    except (OSError, ValueError, ProofFileError):
        return ()
    return tuple(one for one in lock.entries if one.line in valid)


def _models(run: Run, prompt: Prompt) -> list[str]:
    """The models that a prompt is sent to, as the calls name them."""
    calls = by_id(call for file in run.facts for call in file.calls)
    return sorted({model for user in prompt.used_by if user in calls for model in calls[user].model.known()})


def is_proved_step(run: Run, before: Prompt, after: Prompt) -> bool:
    """Whether the lock has a VALID proof for the step from one text to the other, for every model that is sent it."""
    from promptslim.proof.canonical import prompt_hash
    from promptslim.proof.lock import Lock
    from promptslim.proof.proved import is_proved

    models, recomputed = _models(run, before), Lock(_valid_entries(run))
    step = prompt_hash(before), prompt_hash(after)
    return bool(models) and all(is_proved(recomputed, *step, model, resolve=run.catalog.base_of) for model in models)


def why_not_applied(run: Run, prompt: Prompt) -> str | None:
    """Why no VALID proof could be applied to a prompt; None where what is proved is what it already says."""
    from promptslim.proof.canonical import prompt_hash

    text, models = prompt_hash(prompt), _models(run, prompt)
    entries = _valid_entries(run)
    if any(one.claim.after == text for one in entries):
        return None
    own = [one.claim for one in entries if one.claim.before == text]
    proved = ", ".join(sorted({one.model for one in own}))
    resolve = run.catalog.base_of
    if own and not models:
        return f"no call of these files sends {prompt.id} to a model that is known; the proof is for {proved}"
    if own and not all(any(resolve(model) == one.resolved for one in own) for model in models):
        return f"the proof is for {proved}, and the calls send {prompt.id} to {', '.join(models)}"
    return (
        f"the proof of {prompt.id} is for another text than trimming gives now; put that text in by hand, or prove "
        "this one with promptslim verify run"
    )
