"""PS703: a proof that is too old, or of a model that is gone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from promptslim.core.finding import Finding, Related
from promptslim.core.proof_state import ProofState

if TYPE_CHECKING:
    from promptslim.check.rule_context import RuleContext


def expired_proof(proof: ProofState, rule: RuleContext) -> Iterator[Finding]:
    """One finding for each proof that holds but is older than ``days``, or whose model has reached its end of life."""
    days = int(str(rule.options["days"]))
    if proof.status == "EXPIRED":
        why = proof.message
    elif proof.status == "VALID" and proof.age > days:
        why = f"it is {proof.age} days old, and models served under one id change; the term is {days} days"
    else:
        return
    yield rule.finding(
        f"the proof of {proof.id} has expired: {why}; run `promptslim verify run` again",
        proof.entry,
        evidence=proof.id,
        related=[Related(proof.prompt, "the prompt")] if proof.prompt else (),
    )
