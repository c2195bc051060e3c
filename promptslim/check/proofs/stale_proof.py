"""PS701: something that a proof rests on has changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from promptslim.core.finding import Finding, Related
from promptslim.core.proof_state import ProofState

if TYPE_CHECKING:
    from promptslim.check.rule_context import RuleContext


def stale_proof(proof: ProofState, rule: RuleContext) -> Iterator[Finding]:
    """One finding for each proof whose inputs are no longer what was proved, at the prompt where it is known."""
    if proof.status != "STALE":
        return
    yield rule.finding(
        f"the proof that this prompt holds its quality is out of date: {proof.message}; run `promptslim verify run` "
        "again, or take the change back"
        if proof.prompt
        else f"the proof of {proof.id} is out of date: {proof.message}; prove it again or remove the entry",
        proof.prompt or proof.entry,
        evidence=proof.id,
        related=[Related(proof.entry, "the proof")] if proof.prompt else (),
    )
