"""The baseline file: findings that were there before and are not reported again.

The file is JSON, one finding a line, sorted, without line numbers and dates, so that it changes only when
findings do and can be reviewed in a diff.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

from promptslim.check.identity import Identity, identity, paired
from promptslim.core.finding import Finding
from promptslim.core.record import items, record, replace

VERSION = 2
GROWTH = Decimal("1.10")
"""A known finding is one again when its tokens exceed the recorded ones by this factor."""

_KEYS = tuple(item.name for item in items(Identity))


class BaselineError(Exception):
    """A baseline file that cannot be used. The message is one line: what is wrong and what to do."""


@record
class Entry:
    """One known finding: what it is known by, and its ``tokens`` per call, None where the rule gives none."""

    known_by: Identity
    tokens: int | None

    @property
    def path(self) -> str:
        """The file that it was found in."""
        return self.known_by.path

    @property
    def rule(self) -> str:
        """The code of its rule."""
        return self.known_by.rule


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
    return Entry(identity(finding), _tokens(finding))


def compare(findings: Sequence[Finding], entries: Iterable[Entry], looked_at: Callable[[Entry], bool]) -> Comparison:
    """Match findings and entries one to one (see identity.py). ``looked_at`` says of an entry whether this run would
    have found it again."""
    known = sorted(entries, key=_order)
    seen = {id(one.known_by): looked_at(one) for one in known}
    pairs = paired(findings, [one.known_by for one in known], lambda one: seen[id(one)])
    grown = {index for index, place in pairs.items() if _grown(findings[index], known[place])}
    idle = [place for place in range(len(known)) if place not in set(pairs.values())]
    return Comparison(
        new=tuple(one for index, one in enumerate(findings) if index not in pairs or index in grown),
        known=tuple(_kept(findings[i], known[pairs[i]]) for i in sorted(pairs) if i not in grown),
        outgrown=tuple(_kept(findings[i], known[pairs[i]]) for i in sorted(grown)),
        fixed=tuple(known[place] for place in idle if seen[id(known[place].known_by)]),
        unseen=tuple(known[place] for place in idle if not seen[id(known[place].known_by)]),
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
        json.dumps({**{key: getattr(known.known_by, key) for key in _KEYS}, "tokens": known.tokens})
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
            "content": str() | None as content,
            "scope": str() | None as scope,
            "what": str(what),
            "tokens": int() | None as tokens,
        }:
            return Entry(Identity(path, rule, fingerprint, evidence, content, scope, what), tokens)
        case _:
            raise BaselineError(f"has an invalid entry (number {number}); write it again with --write-baseline")


def _order(known: Entry) -> tuple[object, ...]:
    one = known.known_by
    tokens = -1 if known.tokens is None else known.tokens
    return one.path, one.rule, one.fingerprint, one.evidence, one.content or "", one.scope or "", one.what, tokens


def _tokens(finding: Finding) -> int | None:
    if finding.size is not None:
        return finding.size
    impact = finding.impact
    return impact.output_tokens_per_call if impact.input_tokens_per_call is None else impact.input_tokens_per_call


def _grown(finding: Finding, known: Entry) -> bool:
    now = _tokens(finding)
    return now is not None and known.tokens is not None and now > known.tokens * GROWTH


def _kept(finding: Finding, known: Entry) -> Entry:
    """Where a finding stands now, with the tokens that were accepted: creeping growth is growth. Fewer tokens are
    the new bound."""
    now = entry(finding)
    counts = [tokens for tokens in (known.tokens, now.tokens) if tokens is not None]
    return replace(now, tokens=None if known.tokens is None else min(counts))
