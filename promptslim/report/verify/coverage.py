"""What has a proof, for the terminal and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from promptslim.core.verify_plan import Covered
from promptslim.report import escape
from promptslim.report.verify.words import points


def as_text(found: Sequence[Covered]) -> Iterator[str]:
    """A line for each prompt, and a sum."""
    if found:
        yield f"{'tokens':>9}  {'basis':<9}  {'proof':<8}  {'margin':>6}  {'days':>4}  prompt\n"
    for one in found:
        margin = "" if one.margin is None else points(one.margin)
        age = "" if one.age is None else str(one.age)
        yield (
            f"{one.tokens:>9,}  {one.basis:<9}  {one.status or 'none':<8}  {margin:>6}  {age:>4}  "
            f"{escape.one_line(one.prompt)}\n"
        )
        if one.message:
            yield f"{'':>32}  {escape.one_line(one.message)}\n"
    valid = [one for one in found if one.status == "VALID"]
    tokens = sum(one.tokens for one in found)
    share = f", {100 * sum(one.tokens for one in valid) / tokens:.0f} % of their tokens" if tokens else ""
    yield f"{len(valid)} of {len(found)} prompts have a valid proof{share}\n"


def as_json(found: Sequence[Covered]) -> str:
    """One object, version 1."""
    prompts = [
        {
            "prompt": one.prompt,
            "path": one.path,
            "line": one.line,
            "tokens": one.tokens,
            "basis": one.basis,
            "proof": one.status,
            "message": one.message,
            "margin": one.margin,
            "age_days": one.age,
        }
        for one in found
    ]
    valid = sum(one.status == "VALID" for one in found)
    return json.dumps({"version": 1, "prompts": prompts, "valid": valid}, indent=2) + "\n"
