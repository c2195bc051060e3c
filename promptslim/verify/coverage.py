"""Which prompts of a project have a proof."""

from __future__ import annotations

from typing import TYPE_CHECKING

from promptslim.core.verify_plan import Covered

if TYPE_CHECKING:
    from promptslim.core.proof_state import ProofState
    from promptslim.core.text import Location
    from promptslim.pipeline.run import Run

ROLES = ("system", "user", "unknown")
"""What a proof can be about: tools and the assistant's own turns are sent beside a prompt."""


def coverage(run: Run) -> tuple[Covered, ...]:
    """The prompts of a run, largest first, with the state of their proofs; proofs whose prompt was not found come
    last."""
    from promptslim.pipeline.run import inventory

    listed = inventory(run)
    by_place = {_place(one.prompt): one for one in run.proofs if one.prompt is not None}
    found = []
    for prompt, size in zip(listed.prompts, listed.prompt_sizes, strict=True):
        if prompt.role not in ROLES or not prompt.static_text.strip():
            continue
        state = by_place.pop(_place(prompt.primary), None)
        basis = "counted" if size.method != "estimate" else "estimated"
        found.append(_covered(prompt.id, prompt.primary, size.n, basis, state))
    rest = [one for one in run.proofs if one.prompt is None or _place(one.prompt) in by_place]
    lost = [_covered(one.id, one.entry, 0, "counted", one) for one in rest]
    return (*sorted(found, key=lambda one: (-one.tokens, one.prompt)), *lost)


def _covered(name: str, place: Location, tokens: int, basis: str, state: ProofState | None) -> Covered:
    if state is None:
        return Covered(name, place.path, place.start[0], tokens, basis, None)
    return Covered(
        name, place.path, place.start[0], tokens, basis, state.status, state.message, state.margin, state.age
    )


def _place(location: Location | None) -> tuple[str, int | None, int]:
    return ("", None, -1) if location is None else (location.path, location.cell, location.span.start)
