"""``# promptslim: ignore[rule] -- reason`` and ``# promptslim: ignore-file[rule]``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from promptslim.core.facts import Comment, FileFacts
from promptslim.core.finding import Finding
from promptslim.core.record import record

_DIRECTIVE = re.compile(r"\s*(?P<word>[\w-]+)\s*(?:\[(?P<names>[^\]]*)\])?(?P<rest>.*)", re.DOTALL)


@record
class Suppression:
    """One comment. ``names`` are rule codes and names as written; ``codes`` what they resolve to (None:
    no such rule). ``file``: the comment holds for its whole file. ``problem`` says why a comment cannot
    be understood; it then suppresses nothing. ``unused`` are names that suppressed nothing although
    their rule ran (filled after the run)."""

    comment: Comment
    file: bool
    names: tuple[str, ...]
    codes: tuple[str | None, ...]
    problem: str | None = None
    unused: tuple[str, ...] = ()

    @property
    def unknown(self) -> tuple[str, ...]:
        """Names of rules that do not exist."""
        return tuple(name for name, code in zip(self.names, self.codes, strict=True) if code is None)

    def covers(self, finding: Finding) -> bool:
        """True where the comment is meant for the place of ``finding`` and names its rule.

        A comment holds on the lines of the finding itself, and on the first and the last line of the
        statement around it.
        """
        if finding.code not in self.codes or finding.primary.path != self.comment.location.path:
            return False
        if self.file:
            return True
        if finding.primary.cell != self.comment.location.cell:
            return False
        line = self.comment.location.start[0]
        first, last = finding.primary.start[0], finding.primary.end[0]
        if first <= line <= last:
            return True
        statement = self.comment.statement
        if statement is None:
            return False
        top, bottom = statement.start[0], statement.end[0]
        return line in (top, bottom) and top <= first <= bottom


def parse(comment: Comment, rules: Mapping[str, str]) -> Suppression:
    """Read one comment. ``rules`` maps every rule code and every rule name to the code."""
    match = _DIRECTIVE.match(comment.text)
    if match is None or match["word"] not in ("ignore", "ignore-file"):
        return Suppression(comment, False, (), (), "is not understood; write ignore[rule] or ignore-file[rule]")
    whole = match["word"] == "ignore-file"
    names = tuple(filter(None, (name.strip() for name in (match["names"] or "").split(","))))
    if not names:
        return Suppression(comment, whole, (), (), f"names no rule; write {match['word']}[rule]")
    return Suppression(comment, whole, names, tuple(rules.get(name) for name in names))


def collect(files: Iterable[FileFacts], rules: Mapping[str, str]) -> tuple[Suppression, ...]:
    """Every suppression of the files, in their order."""
    return tuple(parse(comment, rules) for file in files for comment in file.comments)


def split(
    findings: Iterable[Finding], suppressions: tuple[Suppression, ...]
) -> tuple[list[Finding], int, set[tuple[int, str]]]:
    """Findings that stay, how many were suppressed, and what did it: (index of the suppression, code)."""
    at: dict[str, list[int]] = {}
    for index, suppression in enumerate(suppressions):
        at.setdefault(suppression.comment.location.path, []).append(index)
    kept: list[Finding] = []
    used: set[tuple[int, str]] = set()
    count = 0
    for finding in findings:
        by = [index for index in at.get(finding.primary.path, ()) if suppressions[index].covers(finding)]
        used.update((index, finding.code) for index in by)
        if by:
            count += 1
        else:
            kept.append(finding)
    return kept, count, used
