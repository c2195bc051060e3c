"""How often each rule fired."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from promptslim.core.result import CheckResult


def render(result: CheckResult) -> Iterator[str]:
    """One line per rule, the most frequent first: count, code and name, in columns."""
    counts = Counter((finding.code, finding.name) for finding in result.findings)
    rows = sorted(counts.items(), key=lambda row: (-row[1], row[0]))
    width = len(f"{rows[0][1]:,}") if rows else 0
    for (code, name), count in rows:
        yield f"{count:>{width},}  {code}  {name}\n"
