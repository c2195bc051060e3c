"""PS901: a comment that suppresses nothing hides nothing today and something else tomorrow."""

from __future__ import annotations

import re
from collections.abc import Iterator

from promptslim.check.rule_context import RuleContext
from promptslim.check.suppressions import Suppression
from promptslim.core.finding import Finding
from promptslim.core.text import Applicability, Edit, Fix, Location, Span

_DIRECTIVE = re.compile(r"#\s*promptslim:\s*ignore(?:-file)?\s*\[(?P<names>[^\]]*)\](?P<tail>\s*(?:--[^#]*)?)$")


def unused_suppression(suppression: Suppression, rule: RuleContext) -> Iterator[Finding]:
    """One finding per comment, which names every rule in it that does not exist or did not fire."""
    comment = suppression.comment.location
    evidence = " ".join(suppression.comment.text.split())
    if suppression.problem is not None:
        yield rule.finding(f"this comment {suppression.problem}", comment, evidence=evidence, confidence="high")
        return
    complaints = [_unknown(name, rule) for name in suppression.unknown]
    if suppression.unused:
        where = "in this file" if suppression.file else "here"
        complaints.append(f"{_and(suppression.unused)} did not fire {where}")
    if complaints:
        fix = _removal(suppression)
        message = f"suppresses nothing: {'; '.join(complaints)}"
        yield rule.finding(message, comment, evidence=evidence, fixes=(fix,) if fix else ())


def _unknown(name: str, rule: RuleContext) -> str:
    from promptslim.config.error import nearest

    metas = rule.catalog.rules
    near = nearest(name, [meta.name for meta in metas]) or nearest(name, [meta.code.lower() for meta in metas])
    hint = f", did you mean {near.upper() if near.startswith('ps') and near[2:].isdigit() else near}?" if near else ""
    return f"there is no rule {name}{hint}"


def _removal(suppression: Suppression) -> Fix | None:
    """Drop the names that do nothing, or the whole comment with the blank space before it.

    None where other remarks stand in the same comment, which a person should sort out.
    """
    location = suppression.comment.location
    document = location.document
    match = _DIRECTIVE.search(document.text, location.span.start, location.span.end)
    if match is None:
        return None
    idle = {*suppression.unused, *suppression.unknown}
    left = [name for name in suppression.names if name not in idle]
    if left:
        span = Span(*match.span("names"))
        return Fix(
            "Leave out what does nothing", (Edit(Location(document, span), ", ".join(left)),), Applicability.SAFE
        )
    start = match.start()
    while start and document.text[start - 1] in " \t":
        start -= 1
    end = match.end()
    if start in document.line_starts() and document.text[end : end + 1] == "\n":
        end += 1
    return Fix("Remove the comment", (Edit(Location(document, Span(start, end)), ""),), Applicability.SAFE)


def _and(names: tuple[str, ...]) -> str:
    return " and ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else names[0]
