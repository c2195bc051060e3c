"""f-score: how much of what was to be extracted is in the answer, and how much else.

The value is a list of texts, or a mapping of fields; the answer is JSON of the same form, alone or within other text,
or for a list one entry a line. The score is 2 p r / (p + r) of precision and recall (van Rijsbergen 1979) over entries
or over fields with their values, without regard to case and blank space around texts.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from promptslim.verify.answer import Answer, Check, Grade, scored
from promptslim.verify.answer_json import json_values

KINDS = ("f-score",)
GRADED = True


def check(check: Check) -> str | None:
    """A list or a mapping is needed."""
    return None if isinstance(check.value, list | dict) else "needs a list or a mapping as its value"


def grade(answer: Answer, check: Check) -> Grade:
    """The F-score of the entries."""
    found, wanted = Counter(_entries(_read(answer.text, check.value))), Counter(_entries(check.value))
    shared = (found & wanted).total()
    entries = found.total() + wanted.total()
    score = 2 * shared / entries if entries else 1.0
    return scored(score, 1.0 if check.threshold is None else check.threshold, f"{shared} of {wanted.total()} found")


def _read(text: str, like: object) -> object:
    fitting = [value for value in json_values(text) if isinstance(value, type(like))]
    if fitting:
        return fitting[0]
    return [line.strip(" \t-*") for line in text.splitlines() if line.strip(" \t-*")] if isinstance(like, list) else {}


def _entries(value: Any, path: str = "") -> Iterator[str]:  # noqa: ANN401 (JSON)
    match value:
        case dict():
            for key, inner in value.items():
                yield from _entries(inner, f"{path}/{key}")
        case list():
            for inner in value:
                yield from _entries(inner, f"{path}/*")
        case str():
            yield f"{path}={value.strip().casefold()}"
        case _:
            yield f"{path}={json.dumps(value)}"
