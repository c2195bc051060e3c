"""Words and signs that no edit may touch, as one pattern that reads a text from left to right."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from promptslim.core.prompt import Shape
from promptslim.core.record import record
from promptslim.structure.flat import HOLE
from promptslim.trim.placeholders import placeholder_pattern

BLOCK = "\ue000"
"""Stands for a stretch of code or data that is compared as a whole (Unicode: private use)."""

LISTS = ("negations", "conditions", "quantities", "references")

_SIGNS = (
    ("code", r"(?P<ticks>`+)(?!`)[^\n]{1,500}?(?<!`)(?P=ticks)(?!`)"),
    (
        "address",
        r"(?<!\w)[A-Za-z][A-Za-z0-9+.-]{0,20}://[^\s<>\"'`]+|(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+|(?<!\w)www\.\S+",
    ),
    (
        "quoted",
        r"\"[^\"\n]+\"|“[^”\n]+”|[«‹][^»›\n]+[»›]|»[^«\n]+«|„[^“”\n]+[“”]|「[^」\n]+」|『[^』\n]+』|‘[^’\n]+’|(?<![\w'])'[^'\n]+'(?![\w'])",  # noqa: RUF001
    ),
    ("tag", r"</?[A-Za-z][^<>\n]*>"),
    ("path", r"(?<![\w/.-])(?:[A-Za-z]:\\\S+|(?:~|\.{1,2})?(?:/[\w.*$-]+)+/?|[\w.-]+(?:/[\w.*$-]+)+|\\\w+)"),
    ("number", r"(?<![\w-])(?:[^\W\d]|[-#$€£+])*\d(?:[\w%°]|[.,:/+–-](?=\w))*"),  # noqa: RUF001
    ("flag", r"(?<!\S)--?[A-Za-z][\w-]*"),
    ("braces", r"[{}]+"),
)
_NAMES = (
    r"(?<!\w)(?:\w*_\w*|[a-z]+[A-Z]\w*|[A-Z][a-z0-9]+[A-Z]\w*|[^\W\d]\w*(?:\.[^\W\d]\w*)+|[A-Z][A-Z0-9]+(?!\w)"
    r"|[^\W\d]\w*\(\))"
)
_CLOSING = ".,;:!?)]}*_"


@record
class Sign:
    """One protected thing: what it is, and in which form it is compared."""

    kind: str
    key: str


@record
class Words:
    """The pattern for texts of one shape; ``long_forms`` are wordings that stand for a protected word."""

    pattern: re.Pattern[str]
    long_forms: tuple[tuple[re.Pattern[str], str], ...]

    def signs(self, text: str) -> Iterator[tuple[int, Sign]]:
        """Everything protected in order, with its offset."""
        for match in self.pattern.finditer(text):
            kind = match.lastgroup or ""
            yield match.start(), Sign("word" if kind == "long" else kind, self._key(kind, match))

    def _key(self, kind: str, found: re.Match[str]) -> str:
        text = found[0]
        match kind:
            case "word":
                return _same_case(text, " ".join(text.replace("’", "'").lower().split()))  # noqa: RUF001
            case "long":
                # In its place, since a form may look at what stands around it.
                here = ((form.match(found.string, found.start()), word) for form, word in self.long_forms)
                stands_for = next((word for one, word in here if one and one.end() == found.end()), text)
                return _same_case(text, stands_for)
            case "address":
                return text.rstrip(_CLOSING)
            case _:
                return text


def _same_case(written: str, word: str) -> str:
    """Only capitals throughout are emphasis; a capital at the start of a sentence is none."""
    return word.upper() if len(written) > 1 and written.isupper() else word


def words_for(shape: Shape, protection: Mapping[str, Any], verbose: tuple[tuple[str, str], ...]) -> Words:
    """``protection``: ``[protection]`` of rules/phrases.toml; ``verbose``: pattern and short form of the verbose
    phrases there, of which those count that stand for a protected word."""
    lists = tuple(word for name in LISTS for word in protection[name])
    return _compiled(shape, lists, verbose)


@cache
def _compiled(shape: Shape, words: tuple[str, ...], verbose: tuple[tuple[str, str], ...]) -> Words:
    long_forms = tuple((pattern.replace(" ", r"\s+"), short) for pattern, short in verbose if short in set(words))
    plain = "|".join(re.escape(word).replace(r"\ ", r"\s+") for word in sorted(set(words), key=len, reverse=True))
    groups = [("block", BLOCK), ("hole", HOLE), ("placeholder", placeholder_pattern(shape)), *_SIGNS]
    groups.append(("long", r"(?<!\w)(?i:" + "|".join(f"(?:{pattern})" for pattern, _ in long_forms) + r")(?!\w)"))
    groups.append(("word", rf"(?<!\w)(?i:{plain}|\w+n['’]t)(?!\w)"))  # noqa: RUF001
    groups.append(("name", _NAMES))
    pattern = re.compile("|".join(f"(?P<{kind}>{inner})" for kind, inner in groups), re.DOTALL)
    return Words(pattern, tuple((re.compile(form, re.IGNORECASE), short) for form, short in long_forms))
