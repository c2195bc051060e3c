"""Whether what a program fetches is a web page, as far as its address and its headers are written out."""

from __future__ import annotations

import re
from collections.abc import Iterator

from promptslim.core.lazy_pattern import pattern
from promptslim.core.text import Location

PLAIN = pattern(
    r"\.(?:txt|md|json|csv|xml|yaml|yml|rst|py|tsv|jsonl|diff|patch|pdf)\b|\bapi\b|_api\b|api_|[/.]raw[./]|/api/|arxiv|diff"
    r"|patch|json|endpoint|download|presigned|base_url|r\.jina\.ai|localhost|127\.0\.0\.1|=(?:txt|md|csv|raw)\b",
    re.IGNORECASE,
)
"""Addresses, and names of addresses, under which no HTML is expected."""

RELATIVE = pattern(r"\.get\(\s*(?:url\s*=\s*)?(?:[rf]{0,2}[\"']/|(?:self\.)?(?:path|route|resource)\b)")
"""An address without a host: the client holds the address of a service."""

QUESTION = pattern(r"\b(?:params|data|json|auth|base_url|cookies)\s*=")
"""Arguments by which something is asked of a service."""

BROWSER = pattern(r"user-agent|mozilla/", re.IGNORECASE)
CREDENTIALS = pattern(
    r"authorization|bearer|token|api.?key|secret|application/(?!xhtml|xml|signed-exchange)|[\"']x-", re.IGNORECASE
)
"""What headers hold that a service asks for, and a browser does not send."""

MOST_OF_STATEMENT = 1500
"""Characters in which a statement ends that is read."""


def is_page(fetched: Location) -> bool:
    """False where the call that fetches something (``requests.get(url)``) is not, or may not be, for a web page: its
    address tells text or data, it asks something of a service, or it sends more than a browser would."""
    text, written = fetched.document.text, fetched.text
    if RELATIVE.search(written):
        return False
    return not any(
        PLAIN.search(one) or QUESTION.search(one) or ("headers" in one and not _of_browser(one, text))
        for one in (written, *_about(written, text, fetched.span.start))
    )


def _about(fetched: str, text: str, place: int) -> Iterator[str]:
    """The statements that give a value to a name in the call, and those that make or set up its session: of several
    the last one before ``place``."""
    forms = [rf"{name}\s*(?::\s*\w+\s*)?=[^=]" for name in re.findall(r"\(\s*(?:url\s*=\s*)?([A-Za-z_]\w*)", fetched)]
    session = re.match(r"(?:await\s+)?([\w.]+)\.\w+\(", fetched)
    if session is not None:
        name = re.escape(session[1])
        forms += [
            rf"{name}\.(?:headers|auth|params|cookies)\b",
            rf"{name}\s*(?::[^=\n]+)?=\s*(?:await\s+)?[\w.]+\(",
            rf"(?:async\s+)?with\b[^:]{{0,{MOST_OF_STATEMENT}}}\bas\s+{name}\b",
        ]
    for form in forms:
        starts = [found.start() for found in re.finditer(rf"^[ \t]*{form}", text, re.MULTILINE)]
        before = [start for start in starts if start < place]
        yield from (_statement(text, start) for start in before[-1:] or starts[:1])


def _statement(text: str, start: int) -> str:
    """The text from the beginning of a statement to the end of the line in which its brackets are closed."""
    depth = 0
    for place in range(start, min(start + MOST_OF_STATEMENT, len(text))):
        if text[place] in "([{":
            depth += 1
        elif text[place] in ")]}":
            depth -= 1
        elif text[place] == "\n" and depth <= 0:
            return text[start:place]
    return text[start : start + MOST_OF_STATEMENT]


def _of_browser(setting: str, text: str) -> bool:
    """Whether the headers in a statement are such as a browser sends; False where they cannot be seen."""
    named = re.search(r"headers(?:\s*=\s*|\.update\(\s*)([A-Za-z_]\w*)\s*(?:[,)]|$)", setting)
    if named is None:
        said = [setting[setting.index("headers") :]]
    else:
        places = re.finditer(rf"^[ \t]*{named[1]}\b\s*(?::[^=\n]+)?=\s*\{{", text, re.MULTILINE)
        said = [_statement(text, place.start()) for place in places]
    return bool(said) and all(BROWSER.search(one) and not CREDENTIALS.search(one) for one in said)
