"""Tests in CSV and JSON Lines: promptfoo's columns, Bedrock evaluation and OpenAI evals lines."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

from promptslim.core.record import record
from promptslim.verify.answer import Check
from promptslim.verify.suite import SuiteError


@record
class FileItem:
    """One test of such a file; ``checks`` know neither variables nor folder yet."""

    id: str
    variables: Mapping[str, Any]
    checks: tuple[Check, ...]
    path: str
    line: int


def items_of(path: str, text: str) -> Iterator[FileItem]:
    """The tests of a ``.csv`` or ``.jsonl`` file. Raises SuiteError with the line."""
    return _csv(path, text) if path.endswith(".csv") else _json_lines(path, text)


def _csv(path: str, text: str) -> Iterator[FileItem]:
    """A column for each variable; ``__expected`` (or ``__expected1`` ...) is an assertion as ``type: value``, or the
    text that the answer has to equal; ``__id`` names the test."""
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        for row in rows:
            if None in row or None in row.values():
                raise SuiteError(path, rows.line_num, "the row has another number of columns than the first")
            variables = {name: value for name, value in row.items() if not name.startswith("__")}
            checks = tuple(_expected(value) for name, value in row.items() if name.startswith("__expected") and value)
            yield FileItem(row.get("__id", ""), variables, checks, path, rows.line_num)
    except csv.Error as error:
        raise SuiteError(path, rows.line_num, f"not CSV: {error}") from None


def _expected(written: str) -> Check:
    from promptslim.verify.grading import grader_modules

    kind, mark, value = written.partition(":")
    negated = kind.startswith("not-")
    if mark and kind.removeprefix("not-") in grader_modules():
        return Check(kind.removeprefix("not-"), value.strip(), negated=negated)
    return Check("equals", written)


def _json_lines(path: str, text: str) -> Iterator[FileItem]:
    for line, written in enumerate(text.split("\n"), 1):
        if not written.strip():
            continue
        try:
            value = json.loads(written)
        except (ValueError, RecursionError):
            raise SuiteError(path, line, "the line is not JSON") from None
        yield _test(value, path, line)


def _test(value: Any, path: str, line: int) -> FileItem:  # noqa: ANN401 (parsed JSON)
    match value:
        case {"prompt": str() as prompt, **rest} if "vars" not in rest:
            wanted = rest.get("referenceResponse")
            return FileItem("", {"prompt": prompt}, _equal_to([wanted]), path, line)
        case {"input": list() as messages, "ideal": ideal}:
            wanted = ideal if isinstance(ideal, list) else [ideal]
            last = messages[-1] if messages else None
            content = last.get("content") if isinstance(last, dict) else None
            if isinstance(content, str):
                return FileItem("", {"input": content, "messages": messages}, _equal_to(wanted), path, line)
        case {"vars": dict() as variables, **rest}:
            checks = rest.get("assert", [])
            if isinstance(checks, list) and all(isinstance(one, dict) and "type" in one for one in checks):
                return FileItem(str(rest.get("id", "")), variables, tuple(map(_assertion, checks)), path, line)
    raise SuiteError(
        path, line, "the line is no test: vars and assert, prompt and referenceResponse, or input and ideal"
    )


def _assertion(one: Mapping[str, Any]) -> Check:
    kind = str(one["type"])
    return Check(
        kind.removeprefix("not-"),
        one.get("value"),
        one.get("threshold"),
        one.get("weight", 1.0),
        kind.startswith("not-"),
        {name: one[name] for name in ("exact", "n", "tolerance") if name in one},
    )


def _equal_to(wanted: list[Any]) -> tuple[Check, ...]:
    """The answer has to be one of the texts; none of them: the suite's own assertions alone count."""
    texts = [text for text in wanted if isinstance(text, str)]
    if not texts:
        return ()
    if len(texts) == 1:
        return (Check("equals", texts[0]),)
    return (Check("contains-any", texts),)
