"""What is said when the configuration cannot be used."""

from __future__ import annotations

from collections.abc import Iterable


class ConfigError(Exception):
    """A configuration that cannot be used. The message is one printable line: what, where, what to do next."""


def printable(text: str) -> str:
    """The text with everything a terminal would act on written as an escape."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def nearest(word: str, choices: Iterable[str]) -> str | None:
    """The choice that is spelled most like ``word``, None where none is close (Jaro-Winkler below 0.8)."""
    from rapidfuzz import process
    from rapidfuzz.distance import JaroWinkler

    found = process.extractOne(
        word, sorted(choices), scorer=JaroWinkler.similarity, processor=_folded, score_cutoff=0.8
    )
    return found[0] if found else None


def suggestion(word: str, choices: Iterable[str], otherwise: str) -> str:
    """``did you mean 'x'?``, or ``otherwise`` where nothing is close."""
    near = nearest(word, choices)
    return otherwise if near is None else f"did you mean {near!r}?"


def _folded(word: str) -> str:
    return word.lower().replace("_", "-")
