"""Checking a proof again, from the lock, the evidence and what the project is today.

Recomputing proves the arithmetic and that nothing the proof rests on has changed; that the grades are genuine it
cannot prove. A signature adds who ran it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Literal

from promptslim.core.record import record
from promptslim.proof.canonical import digest, file_hash, python_hash
from promptslim.proof.code_inputs import UNSET, CodeInputs, setting
from promptslim.proof.errors import ProofFileError
from promptslim.proof.evidence import read_grades
from promptslim.proof.lock import Claim, Entry, Source, claim_data, result_of, terms_of
from promptslim.proof.verdict import Pair, judged

Status = Literal["VALID", "STALE", "EXPIRED", "INVALID", "MISSING", "OPEN"]
"""OPEN: the lock records looks that did not end in a PASS, and the code still has the original prompt."""

_RECOMPUTED = ("loss", "lower", "upper", "level", "old_score", "new_score")
_TOLERANCE = 2e-6


@record
class Demands:
    """What the project asks of a proof: margin and alpha at most these, and an age of at most ``days`` (None: any).
    ``verify``: whether the signature of an entry holds (None: none is asked for)."""

    margin: float = 1.0
    alpha: float = 1.0
    days: int | None = None
    verify: Callable[[Entry], bool] | None = None


@record
class Surroundings:
    """What there is today. ``read`` gives the bytes of a file by its path as the lock has it, None where there is
    none. ``resolve`` gives the model that an id stands for. ``canonical`` gives the hash of what a data file says,
    for those that the standard library cannot read; None for a file that cannot be read. ``ends`` is the day on
    which a model retires, None where that is not known.
    """

    today: date
    read: Callable[[str], bytes | None]
    resolve: Callable[[str], str] = lambda model: model
    canonical: Callable[[str, bytes], str | None] = lambda path, data: None  # noqa: ARG005
    ends: Callable[[str], date | None] = lambda model: None  # noqa: ARG005


@record
class Checked:
    """The status of a proof. ``changed`` names the inputs that differ where it is STALE; ``message`` says in one
    sentence what is wrong (empty: VALID). ``applied`` is true where the code has the shorter prompt, false where it
    still has the original, None where the prompt was not looked at.
    """

    entry: Entry
    status: Status
    message: str = ""
    changed: tuple[str, ...] = ()
    applied: bool | None = None


def recompute(entry: Entry, code: CodeInputs | None, around: Surroundings, demands: Demands) -> Checked:
    """The status of one proof; ``code`` is what the code says of its prompt, None where it was not looked at.

    INVALID and MISSING come before STALE, and STALE before EXPIRED: what does not hold cannot be out of date.
    """
    applied = None if code is None else code.prompt == entry.claim.after
    if entry.recorded != entry.digest:
        edited = "the entry does not have the digest it records: it was edited by hand"
        return Checked(entry, "INVALID", edited, applied=applied)
    data = around.read(entry.evidence_path)
    if data is None:
        return Checked(entry, "MISSING", f"the evidence {entry.evidence_path} is missing", applied=applied)
    wrong = _wrong(entry, data, around.today, demands)
    if wrong:
        return Checked(entry, "INVALID", wrong, applied=applied)
    last = entry.looks[-1].decision
    if last != "PASS":
        said = f"the verdict is {last}: {entry.result['reason']}"
        if applied:
            return Checked(entry, "INVALID", f"the shorter prompt is in the code, but {said}", applied=applied)
        return Checked(entry, "OPEN", said, applied=applied)
    changed = (*changed_code(entry.claim, code, around), *changed_files(entry.claim, around))
    if changed:
        return Checked(entry, "STALE", f"{_listed(changed)} changed since the proof", changed, applied)
    expired = _expired(entry, around, demands)
    return Checked(entry, "EXPIRED" if expired else "VALID", expired, applied=applied)


def _wrong(entry: Entry, data: bytes, today: date, demands: Demands) -> str:
    """Why the entry does not give the verdict that it records; empty where it does."""
    if digest(data) != entry.evidence_hash:
        return f"the evidence {entry.evidence_path} is not the one that the lock records"
    try:
        claim, graded = read_grades(data, entry.evidence_path)
    except ProofFileError as error:
        return str(error)
    if entry.date > today + timedelta(days=1):
        return f"it is dated {entry.date.isoformat()}, which is still to come"
    differing = _differences(claim_data(entry.claim), claim)
    if differing:
        return f"{_listed(differing)} of the lock differs from what the evidence was taken for"
    terms = entry.claim.terms
    if terms.margin > demands.margin:
        return f"its margin of {100 * terms.margin:g} points is wider than the project's {100 * demands.margin:g}"
    if terms.alpha > demands.alpha:
        return f"its alpha of {terms.alpha:g} is larger than the project's {demands.alpha:g}"
    wrong = _verdict(entry, graded)
    if not wrong and demands.verify is not None and not demands.verify(entry):
        return "it has no signature of a key that the project trusts"
    return wrong


def _verdict(entry: Entry, graded: Sequence[tuple[int, Pair]]) -> str:
    if not entry.looks:
        return "it records no look at the items"
    for number, look in enumerate(entry.looks, 1):
        pairs = [pair for added, pair in graded if added <= number]
        terms = terms_of(entry.claim, number, None if number == len(entry.looks) else look.items)
        if len(pairs) != look.items:
            return f"the evidence has {len(pairs)} items for look {number}, the lock {look.items}"
        try:
            outcome = judged(pairs, terms)
        except ValueError as error:
            return f"the evidence cannot be judged: {error}"
        if outcome.decision != look.decision:
            return f"the evidence gives {outcome.decision} ({outcome.reason}), the lock says {look.decision}"
    found, said = result_of(outcome), entry.result
    if len(graded) != entry.looks[-1].items or not _same(found, said):
        return "the evidence gives other numbers than the lock"
    return ""


def _same(found: Mapping[str, Any], said: Mapping[str, Any]) -> bool:
    """Whether the numbers agree; logarithms may differ in the last digit between machines."""
    if set(found) != set(said):
        return False
    for name, value in found.items():
        other = said[name]
        if name in _RECOMPUTED and value is not None and isinstance(other, int | float):
            if abs(value - other) > _TOLERANCE:
                return False
        elif value != other:
            return False
    return True


def _differences(lock: Mapping[str, Any], evidence: Mapping[str, Any]) -> tuple[str, ...]:
    """The parts of the claim that differ, one level down where they are tables."""
    found = []
    for name in sorted({*lock, *evidence}):
        here, there = lock.get(name), evidence.get(name)
        if isinstance(here, dict) and isinstance(there, dict):
            found += [f"{name}.{key}" for key in sorted({*here, *there}) if here.get(key) != there.get(key)]
        elif here != there:
            found.append(name)
    return tuple(found)


def changed_code(claim: Claim, code: CodeInputs | None, around: Surroundings) -> tuple[str, ...]:
    """The inputs of a claim that the code has changed. What was not recorded, or is not certain today, is no change;
    a model id counts as the same where it stands for the same model (another region or profile)."""
    if code is None:
        return ()
    changed = [] if code.prompt in (claim.before, claim.after) else ["the prompt"]
    for name, now in code.of_calls.items():
        known = _allowed(claim, name)
        if name == "model":
            same = {around.resolve(model) for model in known if model} | {claim.resolved}
            other = any(model not in known and (model is None or around.resolve(model) not in same) for model in now)
        else:
            other = bool(known) and any(value not in known for value in now)
        if other:
            changed.append(_WORDS.get(name) or f"the setting {name}")
    return tuple(changed)


_WORDS = {
    "model": "the model",
    "max_tokens": "the output cap",
    "thinking": "the thinking setting",
    "tools": "the tools",
    "beside": "another text of the request",
}


def _allowed(claim: Claim, name: str) -> tuple[Any, ...]:
    """The values of a call that the claim covers: those of the code at the time, and those of the requests."""
    recorded = (None,) if name in claim.code.get(UNSET, ()) else tuple(claim.code.get(name, ()))
    match name:
        case "model":
            return (*recorded, claim.model, claim.resolved)
        case "tools":
            return (*recorded, claim.tools) if recorded or claim.tools else ()
        case _:
            return (*recorded, setting(claim.parameters[name])) if name in claim.parameters else recorded


def changed_files(claim: Claim, around: Surroundings) -> tuple[str, ...]:
    """The files of a claim that are gone or say something else; reading a file's meaning is left to where its bytes
    differ."""
    changed = [f"the eval set {source.path}" for source in claim.eval_set if _changed(source, around)]
    for grader in claim.graders:
        if grader.file is not None and _changed(grader.file, around):
            changed.append(f"the grader {grader.file.path}")
        changed += [f"{one.path}, which a grader imports," for one in grader.imports if _changed(one, around)]
    return tuple(dict.fromkeys(changed))


def _changed(source: Source, around: Surroundings) -> bool:
    data = around.read(source.path)
    if data is None:
        return True
    return digest(data) != source.raw and source_hash(source.path, data, around.canonical) != source.canonical


def source_of(path: str, data: bytes, canonical: Callable[[str, bytes], str | None]) -> Source:
    """A file as a claim has it."""
    return Source(path, digest(data), source_hash(path, data, canonical))


def source_hash(path: str, data: bytes, canonical: Callable[[str, bytes], str | None]) -> str:
    """The hash of what a file says: of Python its syntax, of data what ``canonical`` makes of it, of anything else
    its text."""
    if path.endswith(".py"):
        try:
            return python_hash(data)
        except (SyntaxError, ValueError, RecursionError):
            return file_hash(data)
    return canonical(path, data) or file_hash(data)


def _expired(entry: Entry, around: Surroundings, demands: Demands) -> str:
    age = (around.today - entry.date).days
    if demands.days is not None and age > demands.days:
        return f"the proof is {age} days old; the project's term is {demands.days} days"
    end = around.ends(entry.claim.model) or around.ends(entry.claim.resolved)
    if end is not None and end <= around.today:
        return f"{entry.claim.resolved} retired on {end.isoformat()}, so that the proof is of a model nobody can call"
    return ""


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
