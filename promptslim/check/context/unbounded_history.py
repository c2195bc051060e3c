"""PS402: a list of messages that is sent whole with every turn and never shortened."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from promptslim.check.wording import code
from promptslim.core.call import LlmCall
from promptslim.core.finding import Confidence, Finding, Related

if TYPE_CHECKING:
    from promptslim.check.rule_context import RuleContext

KEPT = {
    "loop": "in a chat loop",
    "object": "for as long as its object lives",
    "module": "for as long as the process runs",
    "session": "for as long as the session lasts",
    "memory": "for as long as the conversation lasts",
}


def unbounded_history(call: LlmCall, rule: RuleContext) -> Iterator[Finding]:
    """One finding for a call that sends a history which grows with every turn."""
    history = call.history
    if history is None:
        return
    # A person at a terminal stops soon, a chain with a memory may run twice, and results of tools belong to one task
    # as often as to a conversation.
    confidence: Confidence = "low" if history.reach in ("loop", "memory") or history.tools else "medium"
    yield rule.finding(
        f"{code(history.name)} grows {KEPT[history.reach]} and is sent whole with every turn: the cost of a"
        " conversation grows with the square of its length. Send the last turns only, trim by tokens, or sum up the"
        " older turns",
        history.grows if history.reach == "memory" else call.primary,
        evidence=f"{call.scope}:{call.callee}:{history.name}",
        call=call,
        confidence=confidence,
        related=(Related(history.grows, "grows here"),),
    )
