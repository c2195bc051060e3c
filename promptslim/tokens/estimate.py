"""Token counts without a vocabulary: a regression on features of the text (method "estimate").

The features are sums over the text's runs of one kind of character; the count is their weighted sum, with
weights of at least 0 per family that minimise the relative error (scripts/fit_estimator.py). Words of a
language written in Latin letters other than English have weights of their own, since tokenizers cut them
much finer, and so has each script: weights fitted without a script count it at 3-9 % of the truth.

rules/tokens/estimator.json holds the weights, the word lists and the error of every family on texts from
repositories and languages that the fit did not see.
"""

from __future__ import annotations

import math
import os
from bisect import bisect_right
from collections import Counter
from functools import cache, lru_cache

from promptslim.config.data_folder import data_folder
from promptslim.core.lazy_pattern import pattern
from promptslim.core.record import record
from promptslim.core.result import TokenCount
from promptslim.tokens.generations import GENERATIONS

TEXT_FEATURES = (
    "words",
    "letters_beyond_7",
    "inner_capitals",
    "inner_capital_letters",
    "capitalised",
    "one_letter",
    "accented",
    "digits",
    "digit_triples",
    "line_breaks",
    "wide_spaces",
    "punctuation_runs",
    "further_punctuation",
    "common_foreign_words",
    "common_foreign_letters",
    "common_foreign_accented",
    "foreign_words",
    "foreign_letters",
    "foreign_accented",
)
"""Features of Latin text, digits, space and punctuation; one feature per script follows them in the data."""

FALLBACK = "o200k"
"""The family whose weights serve for tokenizers of which nothing is known (Nova, Titan, unknown)."""

_WORD, _LONG, _INNER, _INNER_LETTERS, _CAPITAL, _SINGLE, _ACCENTED = range(7)
_DIGITS, _TRIPLES, _BREAKS, _WIDE, _PUNCTUATION, _FURTHER = range(7, 13)
_COMMON, _FOREIGN = 13, 16
_OF_ENGLISH = range(7)

_LATIN = "A-Za-z\u00c0-\u02af\u0300-\u036f\u1e00-\u1eff"
_RUN = pattern(rf"[{_LATIN}]+|[0-9]+|\s+|[!-/:-@\[-`{{-\x7f\x00-\x08\x0e-\x1b]+|[^\x00-\x7f{_LATIN}\s]+")
_NEIGHBOURS = pattern(r"[^\W\d_] (?=[^\W\d_])")
_CHUNK = 1 << 18

# Shares of the words of a text between which it passes from English or code to another language: English
# words and words of code; pairs of words with one space between them (prose has many, code has few);
# frequent words of the twenty most written languages.
_ENGLISH_LOW, _ENGLISH_HIGH = 0.12, 0.20
_PAIRS_LOW, _PAIRS_HIGH = 0.40, 0.50
_COMMON_LOW, _COMMON_HIGH = 0.12, 0.22

_UNFAMILIAR_LETTERS = 0.1
_UNFAMILIAR_WORDS = 0.25
# Spread of the error of one token: what the band of a short text adds to the family's.
_TOKEN_SPREAD = 1.0


@record
class Features:
    """``values`` in the order of the data file; ``familiar`` is False where the text is in a script or
    language on which the estimate is rough: more than a tenth of its letters neither Latin nor Chinese,
    Japanese or Korean, or prose in a less common language."""

    values: tuple[float, ...]
    familiar: bool


@record
class _Family:
    weights: tuple[float, ...]
    familiar_error: float
    unfamiliar_error: float


@record
class _Data:
    families: dict[str, _Family]
    english: frozenset[str]
    common: frozenset[str]
    starts: tuple[int, ...]
    scripts: tuple[int, ...]
    letters: frozenset[int]
    unfamiliar: frozenset[int]
    size: int


def estimate(text: str, key: str) -> TokenCount:
    """About how many tokens ``text`` has as content in the tokenizer ``key`` (ModelFacts.tokenizer).

    The band holds the true count for 95 of 100 texts like those the family was measured on: the 95th
    percentile of |estimate / truth - 1|, turned around, and wider for texts of a few words. A tokenizer
    that was never measured gets the weights of o200k, the widest band of all, and is not ``calibrated``.
    Any string is accepted.
    """
    data = _data()
    found = features(text)
    family = _known(key)
    error = _worst_error() if family is None else family.familiar_error if found.familiar else family.unfamiliar_error
    weights = (family or data.families[FALLBACK]).weights
    exact = sum(value * weight for value, weight in zip(found.values, weights, strict=True))
    n = round(exact)
    if not text:
        return TokenCount(0, 0, 0, "estimate", family is not None)
    error = min(math.hypot(error, _TOKEN_SPREAD / math.sqrt(max(exact, 1.0))), 0.9)
    low, high = math.floor(exact / (1 + error)), math.ceil(exact / (1 - error))
    return TokenCount(n, min(n, low), max(n, 1, high), "estimate", family is not None)


def _known(key: str) -> _Family | None:
    return _data().families.get(GENERATIONS[key][0] if key in GENERATIONS else key)


@lru_cache(maxsize=128)
def features(text: str) -> Features:
    """What the regression sees of a text."""
    data = _data()
    values = [0.0] * data.size
    letters = english = common = 0
    for run, times in _runs(text).items():
        first = run[0]
        if (first.isalpha() and (first < "\x80" or _is_latin(first))) or "\u0300" <= first <= "\u036f":
            _add_word(values, run, times)
            letters += len(run) * times
            lower = run.lower()
            english += times * (lower in data.english)
            common += times * (lower in data.common)
        elif "0" <= first <= "9":
            values[_DIGITS] += len(run) * times
            values[_TRIPLES] += (len(run) + 2) // 3 * times
        elif first.isspace():
            values[_BREAKS] += times * ("\n" in run)
            values[_WIDE] += times * (len(run) > 1)
        elif first < "\x80":
            values[_PUNCTUATION] += times
            values[_FURTHER] += (len(run) - 1) * times
        else:
            for character in run:
                values[data.scripts[bisect_right(data.starts, ord(character)) - 1]] += times
    rough = _split_languages(values, text, letters, english, common)
    unfamiliar = sum(values[i] for i in data.unfamiliar)
    written = letters + sum(values[i] for i in data.letters)
    return Features(tuple(values), not (rough or unfamiliar > _UNFAMILIAR_LETTERS * written))


def _runs(text: str) -> Counter[str]:
    """Distinct runs and how often they occur, read piece by piece to bound the memory of long texts."""
    runs: Counter[str] = Counter()
    for start in range(0, len(text), _CHUNK):
        runs.update(_RUN.findall(text, start, start + _CHUNK))
    return runs


def _is_latin(character: str) -> bool:
    return "\u00c0" <= character < "\u02b0" or "\u1e00" <= character < "\u1f00"


def _add_word(values: list[float], run: str, times: int) -> None:
    values[_WORD] += times
    values[_LONG] += max(0, len(run) - 7) * times
    values[_SINGLE] += times * (len(run) == 1)
    rest = run[1:]
    if rest != rest.lower():
        values[_INNER] += times
        values[_INNER_LETTERS] += times * sum(map(str.isupper, rest))
    values[_CAPITAL] += times * run[0].isupper()
    if not run.isascii():
        values[_ACCENTED] += times * sum(character > "\x7f" for character in run)


def _split_languages(values: list[float], text: str, letters: int, english: int, common: int) -> bool:
    """Move the share of the words that is in another language than English to its features; True where
    much of the text is in one of the less common languages."""
    words = values[_WORD]
    if not words or english >= _ENGLISH_HIGH * words:
        return False
    pairs = len(_NEIGHBOURS.findall(text)) / words
    foreign = _between(_ENGLISH_HIGH - english / words, _ENGLISH_HIGH - _ENGLISH_LOW)
    foreign *= _between(pairs - _PAIRS_LOW, _PAIRS_HIGH - _PAIRS_LOW)
    known = _between(common / words - _COMMON_LOW, _COMMON_HIGH - _COMMON_LOW)
    for at, share in ((_COMMON, foreign * known), (_FOREIGN, foreign * (1 - known))):
        values[at : at + 3] = share * words, share * letters, share * values[_ACCENTED]
    for i in _OF_ENGLISH:
        values[i] *= 1 - foreign
    return foreign * (1 - known) > _UNFAMILIAR_WORDS


def _between(distance: float, width: float) -> float:
    return min(1.0, max(0.0, distance / width))


@cache
def _worst_error() -> float:
    return max(max(family.familiar_error, family.unfamiliar_error) for family in _data().families.values())


@cache
def _data() -> _Data:
    import json

    with open(os.path.join(data_folder(), "tokens", "estimator.json"), encoding="utf-8") as file:  # noqa: PTH118, PTH123
        content = json.load(file)
    names = [*TEXT_FEATURES, *content["scripts"]]
    index = {name: i for i, name in enumerate(names)}
    familiar = {index[name] for name in content["familiar_scripts"]}
    letters = {index[name] for name in content["scripts"] if name not in content["signs"]}
    return _Data(
        families={
            key: _Family(
                tuple(float(family["weights"].get(name, 0)) for name in names),
                float(family["error"]["familiar"]),
                float(family["error"]["unfamiliar"]),
            )
            for key, family in content["families"].items()
        },
        english=frozenset(content["english_words"].split()),
        common=frozenset(content["common_words"].split()),
        starts=tuple(start for start, _ in content["blocks"]),
        scripts=tuple(index[name] for _, name in content["blocks"]),
        letters=frozenset(letters),
        unfamiliar=frozenset(letters - familiar),
        size=len(names),
    )
