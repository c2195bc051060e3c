"""Tests in CSV and JSON Lines: promptfoo's columns, Bedrock evaluation and OpenAI evals lines, as nodes of a suite."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from promptslim.core.text import Document, Location, Span
from promptslim.extract.files.data import DataMap
from promptslim.verify.suite import SuiteError
from promptslim.verify.suite_nodes import Verbatim, as_node

_TYPE = re.compile(
    r"(?P<type>(?:not-)?[a-z][a-z0-9-]*)(?:\((?P<threshold>\d+(?:\.\d+)?)\))?(?::(?P<value>.*))?", re.DOTALL
)
_ALONE = ("contains-json", "cost", "is-json", "latency")
"""Types that need no value."""

_COLUMNS = ("__cluster", "__description", "__expected", "__id", "__metadata", "__metric", "__slices", "__threshold")
_LARGEST_FIELD = 50_000_000
_NO_TEST = "the line is no test: vars and assert, prompt and referenceResponse, conversationTurns, or input and ideal"


def tests_of(document: Document) -> Iterator[DataMap]:
    """The tests of a ``.csv`` or ``.jsonl`` file. Raises SuiteError with the line."""
    return _csv(document) if document.path.endswith(".csv") else _json_lines(document)


def _at(document: Document, line: int, value: Mapping[str, Any]) -> DataMap:
    start = document.line_starts()[min(line, len(document.line_starts())) - 1]
    node = as_node(dict(value), Location(document, Span(start, start)))
    assert isinstance(node, DataMap)  # noqa: S101 (of a mapping)
    return node


def _csv(document: Document) -> Iterator[DataMap]:
    """A column for each variable; ``__expected`` (or ``__expected1`` ...) is an assertion as ``type: value``, or the
    text that the answer has to equal; ``__id`` names the test. Columns are divided by commas, or by semicolons or tabs
    where the first line has no comma."""
    csv.field_size_limit(_LARGEST_FIELD)
    text = document.text
    head = text.lstrip().partition("\n")[0]
    mark = next((one for one in ",;\t" if one in head), ",")
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True, delimiter=mark)
    line = 1
    try:
        _check_columns(document, list(rows.fieldnames or ()))
        line = rows.line_num + 1
        for row in rows:
            if None in row or None in row.values():
                raise SuiteError(document.path, line, "the row has another number of columns than the first")
            yield _at(document, line, _row(row))
            line = rows.line_num + 1
    except csv.Error as error:
        raise SuiteError(document.path, max(line, rows.line_num), f"not CSV: {error}") from None


def _check_columns(document: Document, names: Sequence[str]) -> None:
    for number, name in enumerate(names):
        if name in names[:number]:
            raise SuiteError(document.path, 1, f"the column {name!r} comes twice")
        if name.startswith("__") and not name.startswith(_COLUMNS):
            known = ", ".join(_COLUMNS)
            raise SuiteError(document.path, 1, f"the column {name!r} is not known here; known are {known}")


def _row(row: Mapping[str, str]) -> dict[str, Any]:
    test: dict[str, Any] = {
        "vars": {name: value for name, value in row.items() if not name.startswith("__")},
        "assert": [
            _expected(value.strip()) for name, value in row.items() if name.startswith("__expected") and value.strip()
        ],
    }
    for name in ("id", "cluster", "description"):
        if written := row.get(f"__{name}", "").strip():
            test[name] = written
    if slices := [one.strip() for one in row.get("__slices", "").split(",") if one.strip()]:
        test["slices"] = slices
    if threshold := row.get("__threshold", "").strip():
        test["threshold"] = _number(threshold)
    return test


def _expected(written: str) -> dict[str, Any]:
    """promptfoo's short form of an assertion: ``type: value``, ``type(threshold): value``, ``grade: criterion``, a
    Python file, or a text that the answer has to equal."""
    from promptslim.verify.suite_checks import is_type

    if written.startswith("file://") and ".py" in written:
        return {"type": "python", "value": written}
    found = _TYPE.fullmatch(written)
    kind = found["type"] if found else ""
    kind = {"eval": "javascript", "fn": "javascript", "grade": "llm-rubric"}.get(kind, kind)
    if found is None or not is_type(kind):
        return {"type": "equals", "value": written}
    if found["value"] is None and kind.removeprefix("not-") not in _ALONE:
        return {"type": "equals", "value": written}
    test: dict[str, Any] = {"type": kind}
    if found["value"]:
        value = found["value"].strip()
        own = kind == "python" and not value.startswith("file://") and ".py" in value
        test["value"] = f"file://{value}" if own else value
    if found["threshold"]:
        test["threshold"] = float(found["threshold"])
    return test


def _number(written: str) -> float | str:
    try:
        return float(written)
    except ValueError:
        return written


def _json_lines(document: Document) -> Iterator[DataMap]:
    for line, written in enumerate(document.text.split("\n"), 1):
        if not written.strip():
            continue
        try:
            value = json.loads(written)
        except (ValueError, RecursionError):
            raise SuiteError(document.path, line, "the line is not JSON") from None
        test = _test(value)
        if test is None:
            raise SuiteError(document.path, line, _NO_TEST)
        yield _at(document, line, test)


def _test(value: Any) -> Mapping[str, Any] | None:  # noqa: ANN401 (parsed JSON)
    match value:
        case {"vars": dict()} | {"vars": str()}:
            return dict(value)
        case {"conversationTurns": [*turns]} if turns:
            return _conversation(turns, value)
        case {"prompt": str() as prompt, **rest}:
            return _named({"prompt": prompt}, [rest.get("referenceResponse")], rest.get("category"))
        case {"input": str() | list() as said, "ideal": ideal, **rest}:
            return _eval(said, ideal if isinstance(ideal, list) else [ideal], rest.get("id"))
        case {"item": dict() as item}:
            return {"vars": {name: one for name, one in item.items() if name != "ideal"}} | _equal_to(
                [item.get("ideal")]
            )
    return None


def _eval(said: str | list[Any], wanted: list[Any], name: object) -> dict[str, Any] | None:
    """A line of OpenAI evals: the last message is what the user says, and the answer one of the ideals."""
    if isinstance(said, str):
        return _named({"input": said}, wanted, None, name)
    last = said[-1] if said else None
    content = last.get("content") if isinstance(last, dict) else None
    return _named({"input": content, "messages": said}, wanted, None, name) if isinstance(content, str) else None


def _conversation(turns: list[Any], rest: Mapping[str, Any]) -> dict[str, Any] | None:
    """Turns of a Bedrock evaluation: the answers of the earlier ones are the references, the last one is asked."""
    messages: list[dict[str, str]] = []
    answer: str | None = None
    for turn in turns:
        if answer is not None:
            messages.append({"role": "assistant", "content": answer})
        match turn:
            case {"prompt": {"content": [{"text": str() as text}, *_]}}:
                messages.append({"role": "user", "content": text})
            case _:
                return None
        answer = _reference(turn)
        if answer is None and turn is not turns[-1]:
            return None
    said = messages[-1]["content"]
    variables: dict[str, Any] = {"prompt": said} if len(messages) == 1 else {"prompt": said, "messages": messages}
    return _named(variables, [answer], rest.get("category"))


def _reference(turn: Mapping[str, Any]) -> str | None:
    match turn.get("referenceResponses"):
        case [{"content": [{"text": str() as text}, *_]}, *_]:
            return text
    return None


def _named(variables: dict[str, Any], wanted: list[Any], category: object, name: object = None) -> dict[str, Any]:
    test = {"vars": variables, **_equal_to(wanted)}
    if isinstance(category, str) and category:
        test["slices"] = [category]
    if isinstance(name, str) and name:
        test["id"] = name
    return test


def _equal_to(wanted: list[Any]) -> dict[str, Any]:
    """The answer has to be one of the texts; none of them: the suite's own assertions alone count. They are data: what
    stands in braces in them is no name of a variable."""
    texts = [text for text in wanted if isinstance(text, str)]
    if not texts:
        return {}
    if len(texts) == 1:
        return {"assert": [{"type": "equals", "value": Verbatim(texts[0])}]}
    return {"assert": [{"type": "regex", "value": Verbatim(rf"^\s*(?:{'|'.join(map(re.escape, texts))})\s*$")}]}
