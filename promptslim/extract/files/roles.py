"""Roles told by the names of files and keys."""

from __future__ import annotations

from promptslim.core.lazy_pattern import pattern
from promptslim.core.prompt import Role

_NAMED: dict[str, Role] = {
    "system": "system",
    "sys": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
}
_WORD = pattern(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")


def words_of(name: str) -> list[str]:
    """The words of a name in snake, kebab or camel case, in lower case."""
    return [word.lower() for word in _WORD.findall(name)]


def role_named(name: str) -> Role:
    """The role that a word of a file name or key speaks of, ``unknown`` where none does."""
    return next((_NAMED[word] for word in words_of(name) if word in _NAMED), "unknown")
