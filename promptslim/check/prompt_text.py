"""Which prompts are instructions that somebody wrote, and not material that is sent along."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from promptslim.core.lazy_pattern import pattern

if TYPE_CHECKING:
    from promptslim.core.prompt import Prompt

_PROGRAM = (
    ".py",
    ".pyi",
    ".ipynb",
    ".j2",
    ".jinja",
    ".jinja2",
    ".prompty",
    ".prompt",
    ".yaml",
    ".yml",
    ".toml",
    ".json",
)
_PROMPT_NAME = pattern(
    r"(?:prompt|system|instruction|template|agent|persona|skill|rules)[^/]*$|(?:^|/)[\w-]*prompts/[^/]*$", re.IGNORECASE
)


def is_material(prompt: Prompt) -> bool:
    """True for the content of a text file (a book, a transcript) that a program sends as part of a message: the
    file is no program or template, and neither its name nor its folder says that it is a prompt."""
    path = prompt.location.path
    return (
        prompt.role != "system"
        and bool(prompt.used_by)
        and not path.lower().endswith(_PROGRAM)
        and not _PROMPT_NAME.search(path)
    )
