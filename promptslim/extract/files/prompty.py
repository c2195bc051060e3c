"""``.prompt`` and ``.prompty``: front matter, then text that role markers cut into messages."""

from __future__ import annotations

import re
from collections.abc import Iterator

from promptslim.core.lazy_pattern import pattern
from promptslim.core.prompt import Role
from promptslim.extract.files.mapped import Mapped
from promptslim.extract.message_roles import ROLES

_NAMES = "system|developer|user|assistant|human|ai|model|tool|function"
_MARKER = pattern(
    rf"^[ \t]*\#?[ \t]*(?P<line>{_NAMES})[ \t]*(?:\[[^\]\n]*\])?[ \t]*:[ \t]*(?:\n|\Z)"
    rf"|\{{\{{[-~]?\s*role\s+[\"'](?P<tag>{_NAMES})[\"']\s*[-~]?\}}\}}[ \t]*\n?",
    re.MULTILINE | re.IGNORECASE,
)


def sections(source: Mapped) -> Iterator[tuple[Role, Mapped]]:
    """The messages of a prompty text (``system:`` on a line of its own) or of Dotprompt (``{{role "system"}}``):
    role and text. A text without markers is one of unknown role."""
    start = 0
    role: Role = "unknown"
    for marker in _MARKER.finditer(source.text):
        if source.text[start : marker.start()].strip():
            yield role, source.part(start, marker.start())
        start, role = marker.end(), ROLES[(marker["line"] or marker["tag"]).lower()]
    if source.text[start:].strip():
        yield role, source.part(start, len(source.text))
