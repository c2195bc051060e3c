"""Which findings of one state of the code are the findings of another: one to one, after code has moved.

The rules are those for everything that has an identity here, in this order: the same label (path and evidence), the
same content (evidence in another file, or the code around it under another name), the same scope with evidence that
is similar to at least ``SIMILAR``.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence

from promptslim.check.fingerprint import digest, evidence_hash, normalised
from promptslim.core.finding import Finding
from promptslim.core.record import record

SIMILAR = 0.9
"""Least similarity (Levenshtein ratio, 0 to 1) of two pieces of evidence that are one, edited."""

KEPT = 160
"""Characters of evidence that are kept for the comparison."""

_NAMED = re.compile(r"\b(def|class)\s+\w+")


@record
class Identity:
    """What a finding is known by. ``evidence`` is its hash with the rule, ``content`` that of the prompt that it is
    about, else of the function around it without its name (None where there is neither), ``what`` the evidence
    itself, cut."""

    path: str
    rule: str
    fingerprint: str
    evidence: str
    content: str | None
    scope: str | None
    what: str


def identity(finding: Finding) -> Identity:
    """What a finding is known by."""
    return Identity(
        path=finding.primary.path,
        rule=finding.code,
        fingerprint=finding.fingerprint,
        evidence=evidence_hash(finding),
        content=finding.content or _around(finding),
        scope=finding.scope,
        what=" ".join(finding.evidence.split())[:KEPT],
    )


def _around(finding: Finding) -> str | None:
    around = finding.scope_location
    return None if around is None else digest(finding.code, normalised(_NAMED.sub(r"\1", around.text)))


def paired(
    findings: Sequence[Finding],
    known: Sequence[Identity],
    looked_at: Callable[[Identity], bool] = lambda _: True,
    touched: Callable[[Finding], bool] | None = None,
) -> dict[int, int]:
    """Index of a finding -> index of the identity that it has, each at most once.

    An identity that was not ``looked_at`` stands only for a finding of its own path. Findings that nothing else tells
    apart go by their order; with ``touched``, those that are not touched go first: if one is new, it is a touched one.
    """
    order = list(range(len(findings)))
    if touched is not None:
        order.sort(key=lambda index: touched(findings[index]))
    now = {index: identity(findings[index]) for index in order}
    left = dict(enumerate(known))
    pairs: dict[int, int] = {}

    def match(key: Callable[[Identity], Hashable | None]) -> None:
        places: dict[Hashable, list[int]] = defaultdict(list)
        for place, one in left.items():
            if (value := key(one)) is not None:
                places[value].append(place)
        for index in order:
            if index not in pairs and (same := places.get(key(now[index]))):
                pairs[index] = same.pop(0)
                del left[pairs[index]]

    if touched is None:
        match(lambda one: one.fingerprint)
    match(lambda one: (one.rule, one.path, one.evidence))
    left = {place: one for place, one in left.items() if looked_at(one)}
    match(lambda one: (one.rule, one.evidence))
    match(lambda one: one.content and (one.rule, one.content))
    if left and len(pairs) < len(findings):
        _match_similar(order, now, left, pairs)
    return pairs


def _match_similar(
    order: Iterable[int], now: dict[int, Identity], left: dict[int, Identity], pairs: dict[int, int]
) -> None:
    """Pair what is left by rule and scope, the most similar evidence first, in the same file before another."""
    candidates: dict[tuple[str, str | None], list[int]] = defaultdict(list)
    for place, one in left.items():
        candidates[one.rule, one.scope].append(place)
    scored: list[tuple[bool, float, int, int]] = []
    for index in order:
        one = now[index]
        if index in pairs or (one.rule, one.scope) not in candidates:
            continue
        from rapidfuzz import fuzz

        for place in candidates[one.rule, one.scope]:
            score = fuzz.ratio(one.what, left[place].what, score_cutoff=100 * SIMILAR)
            if score:
                scored.append((left[place].path != one.path, -score, index, place))
    for _, _, index, place in sorted(scored):
        if index not in pairs and place in left:
            pairs[index] = place
            del left[place]
