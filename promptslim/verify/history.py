"""What earlier looks at the same items leave for the next one: grades, looks that were taken, alpha that is spent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from promptslim.core.record import record, replace
from promptslim.proof.errors import ProofFileError
from promptslim.proof.evidence import Evidence, Row, read_evidence
from promptslim.proof.judge import JudgeErrors
from promptslim.proof.lock import Claim, Entry, Lock, Look, claim_data
from promptslim.verify.runner import inputs_of
from promptslim.verify.suite import Item, Read

TRIED = " (tried)"
"""Added to the label of an attempt that did not pass, where a proof of the prompt stands in the lock."""


@record
class History:
    """``earlier`` looks of this very claim, whose ``rows`` serve again; ``spent`` looks that other candidates have
    taken at these items, ``candidates`` that were tried before this one; ``looks`` as first declared; ``again`` is the
    entry that a run on the same items repeats; ``judge`` as measured for the earlier looks."""

    earlier: tuple[Look, ...] = ()
    rows: tuple[Row, ...] = ()
    spent: int = 0
    candidates: int = 0
    looks: int | None = 1
    again: Entry | None = None
    judge: JudgeErrors | None = None


def history_of(lock: Lock, label: str, claim: Claim, items: Sequence[Item], read: Read) -> History:
    """What the lock has of a prompt and its items.

    - The same claim on the same items: the run is repeated, and its last look with it.
    - The same claim with items added: a further look, for which the grades of the others stand.
    - Anything else on items that were opened before: another candidate, whose looks count. Where the earlier one
      passed and is the original now, that step is done, and the items may serve for the next. What was seen of
      another model says nothing of this one, and does not count.
    """
    asked = {item.id: inputs_of(item) for item in items}
    found = History(looks=claim.terms.looks)
    for entry in lock.entries:
        if entry.id not in (label, label + TRIED) and entry.claim.before != claim.before:
            continue
        if entry.claim.resolved != claim.resolved:
            continue
        if entry.claim.after == claim.before and entry.looks and entry.looks[-1].decision == "PASS":
            continue
        evidence = _evidence(entry, read)
        same = same_test(entry.claim, claim)
        opened = None if evidence is None else {row.pair.item: row for row in evidence.rows}
        if opened is not None and same and all(row.inputs == asked.get(name) for name, row in opened.items()):
            return _continued(entry, tuple(opened.values()), claim)
        if opened is None or any(name in asked for name in opened):
            declared = entry.claim.terms.looks
            found = replace(
                found,
                spent=found.spent + entry.claim.spent + len(entry.looks),
                candidates=found.candidates + entry.claim.candidates,
                looks=declared if found.looks is None or (declared or found.looks) < found.looks else found.looks,
            )
    return found


def _continued(entry: Entry, rows: Sequence[Row], claim: Claim) -> History:
    kept = History(
        spent=entry.claim.spent,
        candidates=entry.claim.candidates - 1,
        looks=entry.claim.terms.looks,
        judge=entry.claim.terms.judge,
    )
    if entry.claim.terms.items == claim.terms.items:
        number = len(entry.looks)
        before = tuple(row for row in rows if row.look < number)
        return replace(kept, earlier=entry.looks[:-1], rows=before, again=entry)
    return replace(kept, earlier=entry.looks, rows=tuple(rows))


def same_test(one: Claim, other: Claim) -> bool:
    """Whether two claims are of the same test, whatever items it has."""
    return _test(one) == _test(other)


def _test(claim: Claim) -> Mapping[str, object]:
    data = claim_data(claim)
    method = {
        name: value
        for name, value in data["method"].items()
        if name not in ("items", "looks", "spent", "candidates", "judge")
    }
    names = ("prompt", "parameters", "tools", "graders")
    return {"resolved": claim.resolved, "method": method, **{name: data[name] for name in names}}


def _evidence(entry: Entry, read: Read) -> Evidence | None:
    data = read(entry.evidence_path)
    if data is None:
        return None
    try:
        return read_evidence(data, entry.evidence_path)
    except ProofFileError:
        return None
