"""The evidence of a proof: a JSON Lines file, the claim first, then one line for each item.

The claim stands in it as well as in the lock, so that neither can be changed without the other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from promptslim.core.record import record
from promptslim.proof.canonical import json_bytes
from promptslim.proof.errors import ProofFileError
from promptslim.proof.verdict import Pair

VERSION = 1
_TEXTS = b',"texts":'
_AGAIN = "restore it from version control, or run `promptslim verify run` again"


@record
class Row:
    """One item: its grades under both prompts (see ``Pair``), the look that it was added for (from 1), tokens as
    (input, output) and answers of both prompts where they are kept. ``inputs`` is a hash of what the item asks and is
    graded by, so that a later look takes the grades of an item only while it is the same; empty: not recorded."""

    pair: Pair
    look: int = 1
    old_tokens: tuple[int, int] | None = None
    new_tokens: tuple[int, int] | None = None
    old_text: str | None = None
    new_text: str | None = None
    inputs: str = ""


@record
class Evidence:
    """The claim that was tested, as data, and the rows by item id."""

    claim: Mapping[str, Any]
    rows: tuple[Row, ...]


def render_evidence(claim: Mapping[str, Any], rows: Sequence[Row], texts: bool = True) -> bytes:
    """The bytes of an evidence file; without ``texts`` the answers are left out. The same input in any order gives
    the same bytes."""
    head = json_bytes({"promptslim_evidence": VERSION, "claim": claim})
    lines = (json_bytes(_line(row, texts), sort=False) for row in sorted(rows, key=lambda row: row.pair.item))
    return b"".join(line + b"\n" for line in (head, *lines))


def read_evidence(data: bytes, path: str) -> Evidence:
    """The content of an evidence file. Raises ProofFileError with the line that is at fault."""
    claim, values = _parsed(data, path)
    return Evidence(claim, tuple(_row(value, path, line) for line, value in enumerate(values, 2)))


def read_grades(data: bytes, path: str) -> tuple[Mapping[str, Any], list[tuple[int, Pair]]]:
    """The claim, and what a verdict needs of each row: its look and its grades. Raises ProofFileError."""
    claim, values = _parsed(data, path, texts=False)
    found: list[tuple[int, Pair]] = []
    try:
        for value in values:
            found.append((_whole(value.get("look", 1)), _pair(value)))
    except (TypeError, ValueError, KeyError, AttributeError):
        raise _no_item(path, len(found) + 2) from None
    return claim, found


def _parsed(data: bytes, path: str, texts: bool = True) -> tuple[Mapping[str, Any], Sequence[Any]]:
    """The claim, and the values of the lines after it."""
    lines = data.split(b"\n")
    if lines and not lines[-1]:
        lines.pop()
    if not texts:
        # They are most of the file and stand last. Within a string the quotes of the key would be escaped.
        lines = [line[:place] + b"}" if (place := line.find(_TEXTS)) >= 0 else line for line in lines]
    try:
        # One call of the parser for the whole file takes a third of the time of one for each line.
        values = json.loads(b"[" + b",".join(lines) + b"]")
    except (ValueError, RecursionError):
        values = []
    if len(values) != len(lines):
        _first_broken(lines, path)
    match values:
        case [{"promptslim_evidence": 1, "claim": dict() as claim}, *rest]:
            return claim, rest
        case [{"promptslim_evidence": int() as version}, *_] if version != VERSION:
            raise ProofFileError(path, 1, f"version {version} of the evidence is not known; update promptslim")
        case _:
            raise ProofFileError(path, 1, f"this is no evidence of promptslim; {_AGAIN}")


def _first_broken(lines: Sequence[bytes], path: str) -> None:
    for number, line in enumerate(lines, 1):
        try:
            json.loads(line)
        except (ValueError, RecursionError):
            raise ProofFileError(path, number, f"the line is not JSON; {_AGAIN}") from None
    raise ProofFileError(path, None, f"the lines are not JSON; {_AGAIN}")


def _line(row: Row, texts: bool) -> dict[str, object]:
    pair = row.pair
    line: dict[str, object] = {"item": pair.item, "old": _shown(pair.old), "new": _shown(pair.new)}
    if pair.cluster:
        line["cluster"] = pair.cluster
    if pair.slices:
        line["slices"] = list(pair.slices)
    if row.look != 1:
        line["look"] = row.look
    if row.inputs:
        line["inputs"] = row.inputs
    for name, tokens in (("old_tokens", row.old_tokens), ("new_tokens", row.new_tokens)):
        if tokens is not None:
            line[name] = tokens
    if texts and (row.old_text, row.new_text) != (None, None):
        line["texts"] = [row.old_text, row.new_text]
    return line


def _shown(grades: Sequence[float | None]) -> object:
    return grades[0] if len(grades) == 1 else list(grades)


def _row(value: Any, path: str, line: int) -> Row:  # noqa: ANN401 (parsed JSON)
    try:
        old_text, new_text = value.get("texts", (None, None))
        return Row(
            _pair(value),
            _whole(value.get("look", 1)),
            _tokens(value.get("old_tokens")),
            _tokens(value.get("new_tokens")),
            None if old_text is None else _text(old_text),
            None if new_text is None else _text(new_text),
            _text(value.get("inputs", "")),
        )
    except (TypeError, ValueError, KeyError, AttributeError):
        raise _no_item(path, line) from None


def _no_item(path: str, line: int) -> ProofFileError:
    return ProofFileError(path, line, f"the line is no item with the grades of both prompts; {_AGAIN}")


def _pair(value: Any) -> Pair:  # noqa: ANN401
    slices = value.get("slices")
    return Pair(
        _text(value["item"]),
        _grades(value["old"]),
        _grades(value["new"]),
        _text(value.get("cluster", "")),
        tuple(map(_text, slices)) if slices is not None else (),
    )


def _grades(value: Any) -> tuple[float | None, ...]:  # noqa: ANN401
    if type(value) is list and value:
        return tuple(map(_grade, value))
    return (_grade(value),)


def _grade(value: Any) -> float | None:  # noqa: ANN401
    if value is None or type(value) in (int, float):
        return value  # type: ignore[no-any-return]
    raise TypeError


def _text(value: object) -> str:
    if type(value) is not str:
        raise TypeError
    return value


def _whole(value: object) -> int:
    if type(value) is not int:
        raise TypeError
    return value


def _tokens(value: Any) -> tuple[int, int] | None:  # noqa: ANN401
    if value is None:
        return None
    first, second = value
    return _whole(first), _whole(second)
