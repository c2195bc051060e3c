"""``promptslim.lock``: one entry for each proved prompt, as JSON that can be reviewed in a diff.

An entry has the claim (everything that was fixed before the run), the looks and the result, the evidence's place and
hash, a digest over all of that, and outside the digest the date and the signature, so that a repeated run gives the
same digest.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from promptslim.core.record import field, record, replace
from promptslim.proof.canonical import data_hash, digest
from promptslim.proof.errors import ProofFileError
from promptslim.proof.evidence import Row, render_evidence
from promptslim.proof.judge import JudgeErrors
from promptslim.proof.verdict import Decision, Outcome, Terms, judged

VERSION = 1
LOCK_NAME = "promptslim.lock"
_DIGITS = 6
_AGAIN = "restore it from version control, or run `promptslim verify run` again"


@record
class Source:
    """A file that a proof rests on: its path, relative to the lock's folder with forward slashes, the hash of its
    bytes, and the hash of what it says, whatever its formatting (see ``canonical``)."""

    path: str
    raw: str
    canonical: str


@record
class Grader:
    """A grader: its name, the hash of its settings as data, the Python file that it calls, if any, and the modules
    that this file imports from beside it."""

    name: str
    settings: str
    file: Source | None = None
    imports: tuple[Source, ...] = ()


@record
class Claim:
    """What was fixed before the run.

    ``before`` and ``after`` are hashes of the canonical prompts. ``parameters`` are those of the requests, by name;
    ``tools`` the hash of their tools. ``model`` is the id as given, ``resolved`` as the provider or the model tables
    name it. ``code`` is what the project's calls said (``CodeInputs.recorded``).
    ``eval_set``: the suite and the files it takes items from, ``items`` how many it has. ``terms``: as declared,
    without the number of the look. ``candidates``: how many prompts the search tried, this one included; ``spent``:
    looks at the same proof items that other candidates have taken. ``split``: how search and proof items were told
    apart, empty where all items serve the proof.
    """

    before: str
    after: str
    model: str
    resolved: str
    terms: Terms
    parameters: Mapping[str, Any] = field(default_factory=dict)
    tools: str | None = None
    code: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    eval_set: tuple[Source, ...] = ()
    graders: tuple[Grader, ...] = ()
    candidates: int = 1
    spent: int = 0
    split: str = ""


@record
class Look:
    """One opening of the proof items: how many there were, and what it said."""

    items: int
    decision: Decision


@record
class Entry:
    """One proof. ``id`` is the label of the prompt and ``path`` the file it stands in; ``result`` are the rounded
    numbers of the outcome; ``evidence`` the path and hash of the evidence file; ``signature`` is base64 (empty: not
    signed), ``signer`` says whose it is. ``line`` is where the entry starts in the lock (0: not read from one)."""

    id: str
    path: str
    claim: Claim
    looks: tuple[Look, ...]
    result: Mapping[str, Any]
    evidence_path: str
    evidence_hash: str
    date: date
    signature: str = ""
    signer: str = ""
    recorded: str = ""
    line: int = field(default=0, compare=False)

    @property
    def digest(self) -> str:
        """The hash of everything but date and signature; ``recorded`` is the one that the lock has."""
        return data_hash(_body(self))


@record
class Lock:
    """The entries in order of their ids."""

    entries: tuple[Entry, ...] = ()

    def with_entry(self, entry: Entry) -> Lock:
        """The lock with one entry added, in place of that of the same prompt."""
        others = [one for one in self.entries if one.id != entry.id]
        return Lock(tuple(sorted((*others, entry), key=lambda one: one.id)))

    def without(self, ids: Iterable[str]) -> Lock:
        """The lock without the entries of the given prompts."""
        gone = set(ids)
        return Lock(tuple(one for one in self.entries if one.id not in gone))


def terms_of(claim: Claim, look: int, items: int | None = None) -> Terms:
    """The terms of one look at the evidence, counted from 1; ``items`` where that look was for another number."""
    declared = claim.terms.items if items is None else items
    return replace(claim.terms, look=claim.spent + look, items=declared)


def made_entry(
    label: str,
    path: str,
    claim: Claim,
    rows: Sequence[Row],
    today: date,
    evidence_path: str,
    earlier: Sequence[Look] = (),
    texts: bool = True,
) -> tuple[Entry, bytes, Outcome]:
    """The entry of a run, the bytes of its evidence file, and the outcome.

    ``rows`` are the items of all looks, those of earlier ones marked by their number; ``earlier`` are the looks that
    the lock has of this prompt and these items. Raises ValueError as ``judged`` does.
    """
    outcome = judged([row.pair for row in rows], terms_of(claim, len(earlier) + 1))
    evidence = render_evidence(claim_data(claim), rows, texts)
    looks = (*earlier, Look(len(rows), outcome.decision))
    entry = Entry(label, path, claim, looks, result_of(outcome), evidence_path, digest(evidence), today)
    return replace(entry, recorded=entry.digest), evidence, outcome


def result_of(outcome: Outcome) -> dict[str, Any]:
    """The numbers of an outcome as the lock has them, rounded to a millionth, since the last digits of a logarithm
    differ between machines."""
    return {
        "verdict": outcome.decision,
        "reason": outcome.reason,
        "items": outcome.items,
        "units": outcome.units,
        "regressions": outcome.regressions,
        "improvements": outcome.improvements,
        "ungraded": outcome.ungraded,
        "old_score": _rounded(outcome.old_score),
        "new_score": _rounded(outcome.new_score),
        "loss": _rounded(outcome.loss),
        "lower": _rounded(outcome.lower),
        "upper": _rounded(outcome.upper),
        "level": _rounded(outcome.level),
        "critical": {part.name: {"items": part.items, "worse": len(part.worse)} for part in outcome.critical},
    }


def _rounded(value: float) -> float | None:
    return None if value in (float("inf"), float("-inf")) else round(value, _DIGITS) + 0.0


def claim_data(claim: Claim) -> dict[str, Any]:
    """The claim as the lock and the evidence have it."""
    terms = claim.terms
    judge = terms.judge
    return {
        "prompt": {"before": claim.before, "after": claim.after},
        "model": {"given": claim.model, "resolved": claim.resolved},
        "parameters": dict(claim.parameters),
        "tools": claim.tools,
        "code": {name: list(values) for name, values in claim.code.items()},
        "eval_set": [_source_data(source) for source in claim.eval_set],
        "graders": [_grader_data(one) for one in claim.graders],
        "method": {
            "test": terms.method,
            "margin": terms.margin,
            "alpha": terms.alpha,
            "items": terms.items,
            "looks": terms.looks,
            "critical": list(terms.critical),
            "baseline": terms.baseline,
            "judge": None
            if judge is None
            else {
                "good_passed": judge.good_passed,
                "good_failed": judge.good_failed,
                "bad_failed": judge.bad_failed,
                "bad_passed": judge.bad_passed,
            },
            "candidates": claim.candidates,
            "spent": claim.spent,
            "split": claim.split,
        },
    }


def _grader_data(grader: Grader) -> dict[str, Any]:
    imports = {"imports": [_source_data(one) for one in grader.imports]} if grader.imports else {}
    file = _source_data(grader.file) if grader.file else None
    return {"name": grader.name, "settings": grader.settings, "file": file, **imports}


def _source_data(source: Source) -> dict[str, str]:
    return {"path": source.path, "raw": source.raw, "canonical": source.canonical}


def _body(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "path": entry.path,
        **claim_data(entry.claim),
        "looks": [{"items": look.items, "verdict": look.decision} for look in entry.looks],
        "result": dict(entry.result),
        "evidence": {"path": entry.evidence_path, "sha256": entry.evidence_hash},
    }


def render_lock(lock: Lock) -> str:
    """The text of a lock file; the same entries give the same text."""
    proofs = []
    for entry in lock.entries:
        body = {**_body(entry), "digest": entry.digest, "date": entry.date.isoformat()}
        if entry.signature:
            body["signature"] = {"ed25519": entry.signature, "signer": entry.signer}
        proofs.append(body)
    return json.dumps({"version": VERSION, "proofs": proofs}, indent=2, ensure_ascii=False) + "\n"


def read_lock(text: str, path: str = LOCK_NAME) -> Lock:
    """The content of a lock file. Raises ProofFileError with the line that is at fault."""
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise ProofFileError(path, error.lineno, f"not JSON ({error.msg}); {_AGAIN}") from None
    except RecursionError:
        raise ProofFileError(path, None, f"nested too deeply; {_AGAIN}") from None
    match data:
        case {"version": 1, "proofs": list() as proofs}:
            entries = tuple(_entry(proof, number, text, path) for number, proof in enumerate(proofs))
        case {"version": int() as version} if version != VERSION:
            raise ProofFileError(path, 1, f"version {version} of the lock is not known; update promptslim")
        case _:
            raise ProofFileError(path, 1, f"this is no lock of promptslim; {_AGAIN}")
    seen: set[str] = set()
    for entry in entries:
        if entry.id in seen:
            raise ProofFileError(path, entry.line, f"a second proof of {entry.id!r}; remove one")
        seen.add(entry.id)
    return Lock(entries)


def _entry(proof: Any, number: int, text: str, path: str) -> Entry:  # noqa: ANN401 (parsed JSON)
    line = _line_of(proof, text)
    try:
        signature = proof.get("signature", {})
        return Entry(
            id=_text(proof["id"]),
            path=_text(proof["path"]),
            claim=_claim(proof),
            looks=tuple(Look(_whole(look["items"]), _decision(look["verdict"])) for look in proof["looks"]),
            result=_table(proof["result"]),
            evidence_path=_text(proof["evidence"]["path"]),
            evidence_hash=_text(proof["evidence"]["sha256"]),
            date=date.fromisoformat(proof["date"]),
            signature=_text(signature.get("ed25519", "")),
            signer=_text(signature.get("signer", "")),
            recorded=_text(proof["digest"]),
            line=line,
        )
    except KeyError as error:
        raise ProofFileError(path, line, f"proof {number + 1} lacks {error.args[0]!r}; {_AGAIN}") from None
    except (TypeError, ValueError, AttributeError) as error:
        raise ProofFileError(path, line, f"proof {number + 1} is broken ({error}); {_AGAIN}") from None


def _claim(proof: Mapping[str, Any]) -> Claim:
    method = proof["method"]
    judge = method["judge"]
    terms = Terms(
        margin=_share(method["margin"]),
        method=_method(method["test"]),
        items=_whole(method["items"]),
        alpha=_share(method["alpha"]),
        looks=None if method["looks"] is None else _whole(method["looks"]),
        judge=None
        if judge is None
        else JudgeErrors(
            _whole(judge["good_passed"]),
            _whole(judge["good_failed"]),
            _whole(judge["bad_failed"]),
            _whole(judge["bad_passed"]),
        ),
        critical=tuple(_text(name) for name in method["critical"]),
        baseline=_share(method["baseline"]),
    )
    return Claim(
        before=_text(proof["prompt"]["before"]),
        after=_text(proof["prompt"]["after"]),
        model=_text(proof["model"]["given"]),
        resolved=_text(proof["model"]["resolved"]),
        terms=terms,
        parameters=_table(proof["parameters"]),
        tools=None if proof["tools"] is None else _text(proof["tools"]),
        code={_text(name): tuple(values) for name, values in _table(proof["code"]).items()},
        eval_set=tuple(_source(source) for source in proof["eval_set"]),
        graders=tuple(_grader(one) for one in proof["graders"]),
        candidates=_whole(method["candidates"]),
        spent=_whole(method["spent"]),
        split=_text(method["split"]),
    )


def _grader(data: Mapping[str, Any]) -> Grader:
    return Grader(
        _text(data["name"]),
        _text(data["settings"]),
        _source(data["file"]) if data["file"] else None,
        tuple(_source(one) for one in data.get("imports", ())),
    )


def _source(data: Mapping[str, Any]) -> Source:
    return Source(_text(data["path"]), _text(data["raw"]), _text(data["canonical"]))


def _line_of(proof: object, text: str) -> int:
    """The line of the entry's id, as ``render_lock`` writes it; 1 where it stands in another form."""
    name = json.dumps(proof.get("id") if isinstance(proof, dict) else None, ensure_ascii=False)
    place = text.find(f'"id": {name}')
    return text.count("\n", 0, place) + 1 if place >= 0 else 1


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.40} should be text")
    return value


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError(f"{value!r:.40} should be a whole number")
    return value


def _share(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1:
        raise TypeError(f"{value!r:.40} should be a number between 0 and 1")
    return float(value)


def _table(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"{value!r:.40} should be an object")
    return value


def _decision(value: object) -> Decision:
    match value:
        case "PASS" | "FAIL" | "INCONCLUSIVE":
            return value
    raise ValueError(f"{value!r:.40} is no verdict")


def _method(value: object) -> Any:  # noqa: ANN401 (one of two words)
    if value not in ("pass-fail", "graded"):
        raise ValueError(f"{value!r:.40} is no test that is known")
    return value
