"""The table of budgets in a config file: read and written as text, so that everything else in the file stays."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping

_NUMBER = re.compile(r"(=\s*)[\d_]+(\s*(?:#.*)?)$")


def with_budgets(text: str, table: tuple[str, ...], budgets: Mapping[str, int]) -> str | None:
    """A TOML text whose table holds these budgets and nothing else; comments and the order of lines stay.

    None where the table is written in a form that cannot be edited line by line (inline, dotted).
    """
    end = "\r\n" if "\r\n" in text else "\n"
    lines = text.split(end)
    name = re.compile(r"\s*\[\s*" + r"\s*\.\s*".join(map(re.escape, table)) + r"\s*\]\s*(#.*)?")
    start = next((number for number, line in enumerate(lines) if name.fullmatch(line)), None)
    if start is None:
        while lines and not lines[-1].strip():
            lines.pop()
        lines += ["", f"[{'.'.join(table)}]", ""] if lines else [f"[{'.'.join(table)}]", ""]
        start = len(lines) - 2
    stop = next((n for n in range(start + 1, len(lines)) if lines[n].lstrip().startswith("[")), len(lines))
    body = lines[start + 1 : stop]
    blank = [line for line in reversed(body) if not line.strip()]
    while body and not body[-1].strip():
        body.pop()
    tail = blank[: stop - start - 1 - len(body)]
    written = end.join([*lines[: start + 1], *_edited(body, budgets), *tail, *lines[stop:]])
    return written if _holds(text, written, table, budgets) else None


def _edited(body: list[str], budgets: Mapping[str, int]) -> Iterator[str]:
    """The lines of the table: new budgets stand after the last of the old ones."""
    keys = [_key(line) for line in body]
    last = max((number for number, key in enumerate(keys) if key is not None), default=-1)
    new = [f"{json.dumps(key)} = {limit}" for key, limit in sorted(budgets.items()) if key not in keys]
    if last < 0:
        yield from new
    for number, (key, line) in enumerate(zip(keys, body, strict=True)):
        if key is None:
            yield line
        elif key in budgets:
            yield _NUMBER.sub(rf"\g<1>{budgets[key]}\g<2>", line)
        if number == last:
            yield from new


def _key(line: str) -> str | None:
    try:
        table = tomllib.loads(line)
    except tomllib.TOMLDecodeError:
        return None
    match list(table.items()):
        case [(key, int())]:
            return key
        case _:
            return None


def _holds(before: str, after: str, table: tuple[str, ...], budgets: Mapping[str, int]) -> bool:
    """Whether the text after is the text before with the budgets in it."""
    try:
        expected, found = tomllib.loads(before), tomllib.loads(after)
    except tomllib.TOMLDecodeError:
        return False
    inner = expected
    for key in table[:-1]:
        inner = inner.setdefault(key, {})
    inner[table[-1]] = dict(budgets)
    return expected == found
