"""The baseline file: findings that were there before and are not reported again.

The file is JSON, one finding a line, sorted, without line numbers and dates, so that it changes only when
findings do and can be reviewed in a diff.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from promptslim.check.fingerprint import evidence_hash
from promptslim.core.finding import Finding
from promptslim.core.record import record

VERSION = 1
GROWTH = Decimal("1.10")
"""A known finding is one again when its tokens exceed the recorded ones by this factor."""


class BaselineError(Exception):
    """A baseline file that cannot be used. The message is one line: what is wrong and what to do."""


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """One known finding. ``evidence`` is its hash without the path, by which a finding that moved to
    another file is known again; ``tokens`` per call, None where the rule gives none."""

    path: str
    rule: str
    fingerprint: str
    evidence: str
    tokens: int | None


@record
class Comparison:
    """``new``: findings to report, those that have grown among them. ``known``: entries of the findings that
    are not reported, where they stand now; ``outgrown``: of those that have grown. ``fixed``: entries that
    no longer occur. ``unseen``: entries of files or rules that this run did not look at."""

    new: tuple[Finding, ...]
    known: tuple[Entry, ...]
    outgrown: tuple[Entry, ...]
    fixed: tuple[Entry, ...]
    unseen: tuple[Entry, ...]

    def pruned(self) -> tuple[Entry, ...]:
        """The entries without those that no longer occur."""
        return (*self.known, *self.outgrown, *self.unseen)

    def accepting(self, findings: Iterable[Finding]) -> tuple[Entry, ...]:
        """The entries of a baseline in which ``findings`` are known too, as large as they are."""
        return (*self.known, *map(entry, findings), *self.unseen)


def entry(finding: Finding) -> Entry:
    """The finding as it is recorded."""
    return Entry(finding.primary.path, finding.code, finding.fingerprint, evidence_hash(finding), _tokens(finding))


def compare(findings: Sequence[Finding], entries: Iterable[Entry], looked_at: Callable[[Entry], bool]) -> Comparison:
    """Match findings and entries one to one: first by fingerprint; then, among the entries that this run
    looked at (``looked_at``) and did not find again, by rule and evidence alone (moved to another file)."""
    by_print: dict[str, list[Entry]] = defaultdict(list)
    for known in sorted(entries, key=_order):
        by_print[known.fingerprint].append(known)
    matched: list[tuple[Finding, Entry]] = []
    rest: list[Finding] = []
    for finding in findings:
        same = by_print.get(finding.fingerprint)
        if same:
            matched.append((finding, same.pop(0)))
        else:
            rest.append(finding)
    seen: list[Entry] = []
    unseen: list[Entry] = []
    for left in by_print.values():
        for known in left:
            (seen if looked_at(known) else unseen).append(known)
    moved: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for known in sorted(seen, key=_order):
        moved[known.rule, known.evidence].append(known)
    new: list[Finding] = []
    for finding in rest:
        same = moved.get((finding.code, evidence_hash(finding)))
        if same:
            matched.append((finding, same.pop(0)))
        else:
            new.append(finding)
    grown = [(finding, known) for finding, known in matched if _grown(finding, known)]
    outgrown = {id(finding) for finding, _ in grown}
    reported = {id(finding) for finding in new} | outgrown
    return Comparison(
        new=tuple(finding for finding in findings if id(finding) in reported),
        known=tuple(_kept(finding, known) for finding, known in matched if id(finding) not in outgrown),
        outgrown=tuple(_kept(finding, known) for finding, known in grown),
        fixed=tuple(known for left in moved.values() for known in left),
        unseen=tuple(unseen),
    )


def read(text: str) -> tuple[Entry, ...]:
    """Parse a baseline file. Raises BaselineError."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BaselineError(f"is not JSON ({error}); write it again with --write-baseline") from None
    if not isinstance(data, dict) or not isinstance(data.get("findings"), list):
        raise BaselineError("is not a baseline file; write it again with --write-baseline")
    if data.get("version") != VERSION:
        raise BaselineError(f"has version {data.get('version')!r}, not {VERSION}; write it again with --write-baseline")
    return tuple(_entry(row, number) for number, row in enumerate(data["findings"], 1))


def write(entries: Iterable[Entry]) -> str:
    """The text of a baseline file."""
    rows = [
        json.dumps(
            {
                "path": known.path,
                "rule": known.rule,
                "fingerprint": known.fingerprint,
                "evidence": known.evidence,
                "tokens": known.tokens,
            }
        )
        for known in sorted(entries, key=_order)
    ]
    body = ",\n".join(f"  {row}" for row in rows)
    return (
        f'{{"version": {VERSION}, "findings": [\n{body}\n]}}\n'
        if rows
        else f'{{"version": {VERSION}, "findings": []}}\n'
    )


def _entry(row: object, number: int) -> Entry:
    match row:
        case {
            "path": str(path),
            "rule": str(rule),
            "fingerprint": str(fingerprint),
            "evidence": str(evidence),
            "tokens": int() | None as tokens,
        }:
            return Entry(path, rule, fingerprint, evidence, tokens)
        case _:
            raise BaselineError(f"has an invalid entry (number {number}); write it again with --write-baseline")


def _order(known: Entry) -> tuple[str, str, str, str, int]:
    return known.path, known.rule, known.fingerprint, known.evidence, -1 if known.tokens is None else known.tokens


def _tokens(finding: Finding) -> int | None:
    impact = finding.impact
    return impact.output_tokens_per_call if impact.input_tokens_per_call is None else impact.input_tokens_per_call


def _grown(finding: Finding, known: Entry) -> bool:
    now = _tokens(finding)
    return now is not None and known.tokens is not None and now > known.tokens * GROWTH


def _kept(finding: Finding, known: Entry) -> Entry:
    """Where a finding stands now, with the tokens that were accepted: creeping growth is growth."""
    now = entry(finding)
    return Entry(now.path, now.rule, now.fingerprint, now.evidence, known.tokens)
