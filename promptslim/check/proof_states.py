"""The proofs of a lock against the prompts of a run."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from promptslim.core.call import LlmCall
from promptslim.core.facts import FileFacts
from promptslim.core.prompt import Prompt
from promptslim.core.proof_state import ProofState
from promptslim.core.record import record
from promptslim.core.text import Document, Location, Span
from promptslim.extract.definitions import definitions
from promptslim.proof.canonical import prompt_hash
from promptslim.proof.code_inputs import code_inputs
from promptslim.proof.errors import ProofFileError
from promptslim.proof.lock import Entry, read_lock
from promptslim.proof.recompute import Demands, Surroundings, recompute


@record
class Looked:
    """What a run has looked at: ``whole`` where a directory was checked; ``covers`` says whether a file, by its path
    as the lock has it, was among the files of the run or is gone; ``label`` turns the id of a prompt into the form
    that the lock has."""

    files: Sequence[FileFacts]
    whole: bool
    covers: Callable[[str], bool]
    label: Callable[[str], str] = str


def proof_states(lock: Document, looked: Looked, around: Surroundings, demands: Demands) -> tuple[ProofState, ...]:
    """The state of every proof that the run can say something of.

    Where single files are checked, that is a proof whose prompt is among them. Prompts are found by their id, or
    under another id by their hash, so that a prompt may move. A proof of a prompt that is gone is STALE, but only
    where its file was looked at.
    """
    try:
        entries = read_lock(lock.text, lock.path).entries
    except ProofFileError as error:
        place = _line(lock, error.line or 1)
        return (ProofState("", "INVALID", error.message, (), 0.0, 0.0, 0, place),)
    known = _Prompts(definitions(looked.files), looked.label)
    calls = {call.id: call for file in looked.files for call in file.calls}
    broken = {file.path for file in looked.files if file.errors}
    states = []
    for entry in entries:
        prompt = known.of(entry)
        if prompt is not None or looked.whole:
            gone = prompt is None and looked.covers(entry.path) and entry.path not in broken
            states.append(_state(entry, prompt, calls, gone, lock, around, demands))
    return tuple(states)


class _Prompts:
    """Prompts by id and by hash."""

    def __init__(self, prompts: Iterable[Prompt], label: Callable[[str], str]) -> None:
        self._by_id: dict[str, Prompt] = {}
        self._by_hash: dict[str, Prompt] = {}
        for prompt in prompts:
            self._by_id.setdefault(label(prompt.id), prompt)
            self._by_hash.setdefault(prompt_hash(prompt), prompt)

    def of(self, entry: Entry) -> Prompt | None:
        """The prompt with the entry's id and one of its texts, else one with its text, else that with its id."""
        same = self._by_id.get(entry.id)
        wanted = (entry.claim.after, entry.claim.before)
        if same is not None and prompt_hash(same) in wanted:
            return same
        return next((self._by_hash[one] for one in wanted if one in self._by_hash), same)


def _state(
    entry: Entry,
    prompt: Prompt | None,
    calls: Mapping[str, LlmCall],
    gone: bool,
    lock: Document,
    around: Surroundings,
    demands: Demands,
) -> ProofState:
    users: Collection[LlmCall] = ()
    if prompt is not None:
        users = [calls[user] for user in prompt.used_by if user in calls]
    code = None if prompt is None else code_inputs(prompt, list(users))
    checked = recompute(entry, code, around, demands)
    status, message, changed = checked.status, checked.message, checked.changed
    if gone and status in ("VALID", "STALE", "EXPIRED"):
        status, changed = "STALE", ("the prompt",)
        message = f"the prompt is not in {entry.path} any more"
    return ProofState(
        id=entry.id,
        status=status,
        message=message,
        changed=changed,
        margin=entry.claim.terms.margin,
        alpha=entry.claim.terms.alpha,
        age=(around.today - entry.date).days,
        entry=_line(lock, entry.line),
        prompt=prompt.primary if prompt is not None else None,
    )


def _line(document: Document, number: int) -> Location:
    """A line without the blank space around it."""
    starts = document.line_starts()
    number = min(max(number, 1), len(starts))
    text = document.line(number)
    start = starts[number - 1]
    return Location(document, Span(start + len(text) - len(text.lstrip()), start + len(text.rstrip())))
