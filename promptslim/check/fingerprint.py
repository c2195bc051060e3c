"""What makes a finding the same finding after lines have moved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from hashlib import sha256

from promptslim.core.finding import Finding
from promptslim.core.record import replace

LENGTH = 16
"""Hexadecimal digits of a fingerprint (64 bits)."""


def with_fingerprints(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """``findings``, in their order, with ``fingerprint`` set: a hash of rule, path, normalised evidence and
    the ordinal among findings equal in these. Lines and columns do not enter."""
    seen: Counter[tuple[str, str, str]] = Counter()
    done: list[Finding] = []
    for finding in findings:
        key = finding.code, finding.primary.path, normalised(finding.evidence)
        done.append(replace(finding, fingerprint=digest(*key, str(seen[key]))))
        seen[key] += 1
    return tuple(done)


def evidence_hash(finding: Finding) -> str:
    """A hash of rule and evidence alone: the same in whichever file the finding stands."""
    return digest(finding.code, normalised(finding.evidence))


def normalised(evidence: str) -> str:
    """Evidence without what a formatter changes: blank space, the kind of quotes, commas before a bracket closes."""
    bare = "".join(evidence.split()).replace("'", '"')
    for bracket in ")]}":
        bare = bare.replace(f",{bracket}", bracket)
    return bare


def digest(*parts: str) -> str:
    """A hash of texts in their order, ``LENGTH`` hexadecimal digits."""
    return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:LENGTH]
