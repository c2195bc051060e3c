"""The shorter form of a prompt where the suite names none: what trimming gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from promptslim.core.prompt import Prompt
from promptslim.core.record import replace
from promptslim.extract.definitions import definitions
from promptslim.proof.canonical import prompt_hash
from promptslim.verify.suite import NoShorterPromptError, Suite

if TYPE_CHECKING:
    from promptslim.pipeline.run import Run


def trimmed(prompt: Prompt, suite: Suite, run: Run) -> Prompt:
    """The prompt after every edit that ``promptslim trim`` has to offer, those that need a proof among them: what
    ``trim --proved`` applies once it is proved. Raises NoShorterPromptError where there is nothing to take out."""
    from promptslim.pipeline.run import analyse
    from promptslim.pipeline.trimming import TrimRequest, trim

    free = replace(run, proofs=())

    def again(instead: Mapping[str, bytes], paths: Sequence[str] | None) -> Run:
        return replace(analyse(paths or ["."], run.place, run.today, instead=instead), proofs=())

    made = trim(free, TrimRequest(level="proof", prompts=(prompt.id,), accept_cache_loss=True), again)
    for one in definitions(made.fixing.run.facts):
        if (one.id, one.role) == (prompt.id, prompt.role) and prompt_hash(one) != prompt_hash(prompt):
            return one
    raise NoShorterPromptError(
        suite.path,
        None,
        f"trimming finds nothing to take out of {prompt.id}; "
        "name a shorter prompt with --after, or the commit that has the longer one with --base",
    )
