"""Whether a change of a prompt has a proof: what unlocks edits that need one."""

from __future__ import annotations

from collections.abc import Callable

from promptslim.proof.lock import Entry, Lock
from promptslim.proof.recompute import Checked


def is_proved(
    lock: Lock,
    before: str,
    after: str,
    model: str | None,
    *,
    resolve: Callable[[str], str] = str,
    check: Callable[[Entry], Checked] | None = None,
) -> bool:
    """Whether the lock has a proof for the step from one prompt to the other, sent to ``model``.

    ``before`` and ``after`` are hashes of canonical prompts (``canonical.prompt_hash``). ``model`` is the id in the
    project's call; None, a model that is not known, has no proof. ``resolve`` gives the model that an id stands for, so
    that another region or profile of the same model counts. ``check`` recomputes an entry; without it the recorded
    verdict is believed, which is enough only where the entry was checked before.
    """
    return any(
        (entry.claim.before, entry.claim.after) == (before, after)
        and model is not None
        and (model in (entry.claim.model, entry.claim.resolved) or resolve(model) == entry.claim.resolved)
        and entry.recorded == entry.digest
        and bool(entry.looks)
        and entry.looks[-1].decision == "PASS"
        and (check is None or check(entry).status == "VALID")
        for entry in lock.entries
    )
