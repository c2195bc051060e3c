"""Templates: what a changed text next to tags and braces must not become."""

from __future__ import annotations

import re
from collections import Counter

from promptslim.core.prompt import Literal, Prompt

_MARK = re.compile(r"(?=(\{\{|\{%|\{#|\}\}|%\}|#\}))")
_FIELD = re.compile(r"\{[^{}]*\}")
_STRIPS_AFTER = re.compile(r"-[%}#]\}\s*$")
_STRIPS_BEFORE = re.compile(r"\s*\{[%{#]-")
_QUOTED = re.compile(r"\{\{-?\s*['\"]$")


def keeps_template(prompt: Prompt, part: int, start: int, end: int, replacement: str) -> bool:
    """Whether a change of a literal part leaves the template what it is: no tag or field comes into being, and none
    of the blank space that is left is taken away by ``{%-`` or ``-%}`` beside it."""
    literal = prompt.parts[part]
    assert isinstance(literal, Literal)  # noqa: S101 (the caller has looked)
    after = literal.text[:start] + replacement + literal.text[end:]
    match prompt.shape:
        case "jinja" | "mustache":
            before_it, after_it = _beside(literal)
            near = (before_it + literal.text[:start])[-2:], (literal.text[end:] + after_it)[:2]
            if Counter(_MARK.findall(replacement.join(near))) - Counter(
                _MARK.findall(literal.text[start:end].join(near))
            ):
                return False
            return _keeps_edges(literal, after) and not (_in_tag(literal) and _breaks_string(replacement))
        case "format":
            return len(_FIELD.findall(after)) <= len(_FIELD.findall(literal.text))
        case _:
            return True


def _beside(literal: Literal) -> tuple[str, str]:
    """What stands directly before and after a literal in its document."""
    if literal.location is None or literal.source_map is None:
        return "", ""
    source = literal.location.document.text
    first, last = literal.source_map[0], literal.source_map[-1]
    return source[max(first - 2, 0) : first], source[last : last + 2]


def _keeps_edges(literal: Literal, after: str) -> bool:
    if literal.location is None or literal.source_map is None:
        return False
    source = literal.location.document.text
    first, last = literal.source_map[0], literal.source_map[-1]
    begins, ends = after[:1], after[-1:]
    if begins.isspace() and begins != literal.text[:1]:
        if _STRIPS_AFTER.search(source[max(first - 80, 0) : first]):
            return False
        # With trim_blocks the line end after a tag is not sent.
        if begins == "\n" and source[max(first - 2, 0) : first] == "%}":
            return False
    # The last line end of a template is not sent.
    if ends == "\n" and literal.text[-1:] != "\n" and source[last : last + 1] not in ("{", "\n"):
        return False
    if ends.isspace() and ends != literal.text[-1:] and _STRIPS_BEFORE.match(source, last):
        return False
    return bool(after.strip()) or not literal.text.strip() or not after


def _in_tag(literal: Literal) -> bool:
    if literal.location is None or literal.source_map is None:
        return False
    first = literal.source_map[0]
    return _QUOTED.search(literal.location.document.text[max(first - 20, 0) : first]) is not None


def _breaks_string(replacement: str) -> bool:
    return any(char in "'\"\\\n" for char in replacement)
