"""``check --add-ignore``: comments for the findings of a run, written into the files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING

from promptslim.cli.error import UsageError
from promptslim.cli.session import say, write
from promptslim.edits.atomic_files import replace_file

if TYPE_CHECKING:
    from promptslim.core.finding import Finding
    from promptslim.pipeline.run import Run

_LINE_END = re.compile("(\r\n|\r|\n)")


def add_ignores(run: Run, findings: tuple[Finding, ...], reason: str) -> None:
    """Write a comment with the reason for each finding, one file after the other, each whole or not at all.

    Findings on the tool's own working get none. What no comment can reach is listed as per-file-ignores.
    Raises UsageError.
    """
    reason = reason.strip()
    if not reason or not reason.isprintable():
        raise UsageError("--add-ignore needs a reason on one line, for example --add-ignore 'the gateway sets a cap'")
    codes = {key: rule.code for rule in run.catalog.rules for key in (rule.code, rule.name)}
    meta = {rule.code for rule in run.catalog.rules if rule.family == "meta"}
    wanted = sorted((one for one in findings if one.code not in meta), key=lambda one: one.primary.path)
    left: list[Finding] = []
    comments = files = 0
    for path, group in groupby(wanted, key=lambda one: one.primary.path):
        here = list(group)
        if path.endswith((".py", ".ipynb")):
            unreached = _rewritten(run, path, here, reason, codes)
            comments += len(here) - len(unreached)
            files += len(unreached) < len(here)
            here = unreached
        left += here
    say(f"{_number(comments, 'finding')} ignored in {_number(files, 'file')}")
    if left:
        write(_per_file(left))


def _rewritten(run: Run, path: str, findings: list[Finding], reason: str, codes: dict[str, str]) -> list[Finding]:
    """Write the comments of one file; the findings that none can reach."""
    from promptslim.check.inline_ignores import ignoring
    from promptslim.discover.decode import DecodeError, decode
    from promptslim.discover.reading import read_bytes

    full = os.path.join(run.place.cwd, path)  # noqa: PTH118 (pathlib takes longer to load)
    try:
        data = read_bytes(full)
        decoded = decode(data, python=path.endswith(".py"))
    except (OSError, DecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}") from None
    ignored = ignoring(path, decoded.text, findings, reason, codes)
    if ignored.text != decoded.text:
        body = data[3:] if decoded.bom else data
        # Line ends stay as they are, also where a file mixes several.
        parts = _LINE_END.split(body.decode(decoded.encoding))
        parts[::2] = ignored.text.split("\n")
        try:
            replace_file(full, data[: len(data) - len(body)] + "".join(parts).encode(decoded.encoding))
        except UnicodeEncodeError:
            raise UsageError(
                f"{path} is written in {decoded.encoding}, which lacks a character of the reason"
            ) from None
    return list(ignored.left)


def _per_file(findings: list[Finding]) -> Iterator[str]:
    """Settings that ignore what no comment can."""
    import json

    yield "# A comment would be part of the prompt: put this into pyproject.toml instead.\n"
    yield "[tool.promptslim.per-file-ignores]\n"
    for path, group in groupby(findings, key=lambda one: one.primary.path):
        names = sorted({one.name for one in group})
        yield f"{json.dumps(path)} = {json.dumps(names)}\n"


def _number(count: int, what: str) -> str:
    return f"{count} {what}" + ("" if count == 1 else "s")
