"""Show the page of a rule."""

from __future__ import annotations

import re

from promptslim.cli.error import UsageError
from promptslim.cli.parameters import Argument, Given, Parameters
from promptslim.cli.session import write

PARAMETERS: Parameters = (Argument("rule", "Code or name of a rule.", required=True, rules=True),)

_COMMENT = re.compile(r"""\s*#\s*(?:error|ok):\s*\[[\w-]+\](?:\s*"[^"]*")?""")


def run(given: Given) -> int:
    """Show what a rule finds, why it costs, an example and how to do better, its options and sources."""
    from promptslim.catalog import load
    from promptslim.config.error import suggestion

    catalog = load()
    asked = given.value("rule") or ""
    rule = catalog.rule(asked) or catalog.rule(asked.upper())
    if rule is None:
        known = [key for meta in catalog.rules for key in (meta.code, meta.name)]
        raise UsageError(f"there is no rule {asked!r}; {suggestion(asked, known, 'rules')}")
    write([readable(catalog.rule_page(rule.code), rule.code)])
    return 0


def readable(page: str, code: str) -> str:
    """A rule page for readers: without front matter, tests and the words that only tests need."""
    body = page.split("\n---\n", 1)[1].partition("\n## Cases")[0].strip()
    lines: list[str] = []
    skipping = False
    fenced = False
    for line in body.split("\n"):
        if line.startswith("```"):
            fenced = not fenced
            if fenced:
                language, *words = line[3:].split()
                skipping = language == "expect" if line[3:].strip() else False
                file = next((word for word in words if word.startswith("file=")), "")
                if not skipping and file:
                    lines.append(f"`{file.removeprefix('file=')}`:\n")
                line = f"```{language}" if line[3:].strip() else line
            if skipping:
                skipping = fenced
                continue
        if not skipping:
            lines.append(_COMMENT.sub("", line) if fenced else line)
    head, _, rest = "\n".join(lines).partition("\n")
    text = f"{head} ({code})\n{rest}\n"
    return re.sub(r"\n{3,}", "\n\n", text)
