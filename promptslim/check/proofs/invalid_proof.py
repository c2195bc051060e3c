"""PS702: a recorded proof that does not hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from promptslim.core.finding import Finding, Related
from promptslim.core.proof_state import ProofState

if TYPE_CHECKING:
    from promptslim.check.rule_context import RuleContext


def invalid_proof(proof: ProofState, rule: RuleContext) -> Iterator[Finding]:
    """One finding for each proof whose evidence is missing or does not give the recorded verdict, and for one of a
    margin or alpha that the project does not allow."""
    wrong = _wrong(proof, rule)
    if wrong is None:
        return
    subject = f"the proof of {proof.id} does not hold: {wrong}" if proof.id else f"no proof can be checked: {wrong}"
    yield rule.finding(
        subject,
        proof.entry,
        evidence=proof.id,
        related=[Related(proof.prompt, "the prompt")] if proof.prompt else (),
    )


def _wrong(proof: ProofState, rule: RuleContext) -> str | None:
    if proof.status in ("INVALID", "MISSING"):
        return proof.message
    if proof.status == "OPEN":
        return None
    margin, alpha = float(str(rule.options["max-margin"])), float(str(rule.options["max-alpha"]))
    if proof.margin > margin:
        return f"its margin of {100 * proof.margin:g} points is wider than the {100 * margin:g} that the project allows"
    if proof.alpha > alpha:
        return f"its alpha of {proof.alpha:g} is larger than the {alpha:g} that the project allows"
    return None
