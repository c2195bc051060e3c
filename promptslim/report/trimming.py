"""What a trim comes to, in words and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from promptslim.core.prompt import Prompt
from promptslim.core.trimming import Trap, TrimmedPrompt, TrimResult
from promptslim.report.escape import one_line
from promptslim.report.place import place
from promptslim.report.quantity import dollars


def summary(result: TrimResult) -> Iterator[str]:
    """A line or two for each prompt, then what was left as it is, and why."""
    for one in result.prompts:
        yield f"{place(one.before.primary)}: {one_line(one.before.id)}: {_figures(one)}\n"
        for made in one.made:
            number = "1 edit" if made.edits == 1 else f"{made.edits} edits"
            yield f"    {made.trimmer}: {_tokens(made.saves)}, {number} ({made.level})\n"
    yield from _total(result.prompts)
    for trap in result.traps:
        yield f"{place(trap.call.primary)}: {trap_text(trap)}\n"
    for prompt in result.proved:
        yield f"{_named(prompt)}: has a proof in promptslim.lock; a change would need a new proof, left as it is\n"
    for prompt in result.unproved:
        yield f"{_named(prompt)}: more could go, but needs a proof (promptslim verify); left out\n"
    for left in result.left_out:
        yield f"{place(left.place)}: not applied: {one_line(left.title)}: {one_line(left.reason)}\n"
    for name, tokens in result.over_target:
        yield f"{one_line(name)}: {_tokens(tokens)}, still over the target\n"


def _named(prompt: Prompt) -> str:
    return f"{place(prompt.primary)}: {one_line(prompt.id)}"


def _tokens(number: int) -> str:
    return f"{number:,} {'token' if number == 1 else 'tokens'}"


def _figures(one: TrimmedPrompt) -> str:
    saved = one.tokens_before - one.tokens_after
    share = saved / max(one.tokens_before, 1)
    text = f"{one.tokens_before:,} to {_tokens(one.tokens_after)} ({share:.1%} less, {one.basis})"
    if one.usd_before is None or one.usd_after is None:
        return text
    return (
        f"{text}, {dollars(one.usd_before)} to {dollars(one.usd_after)} per 1,000 uncached calls "
        f"({one_line(str(one.model))}; {one_line(str(one.source))})"
    )


def _total(prompts: Iterable[TrimmedPrompt]) -> Iterator[str]:
    found = list(prompts)
    if not found:
        yield "nothing to trim\n"
    elif len(found) > 1:
        before, after = sum(one.tokens_before for one in found), sum(one.tokens_after for one in found)
        bases = "/".join(sorted({str(one.basis) for one in found}))
        share = (before - after) / max(before, 1)
        text = f"{len(found)} prompts: {before:,} to {_tokens(after)} ({share:.1%} less, {bases})"
        bills = [(one.usd_before, one.usd_after) for one in found if one.usd_before is not None]
        if bills:
            first, second = (sum((pair[at] or Decimal(0) for pair in bills), Decimal(0)) for at in (0, 1))
            of = "each" if len(bills) == len(found) else f"each of the {len(bills)} with a price"
            text += f", {dollars(first)} to {dollars(second)} per 1,000 uncached calls of {of}"
        yield f"{text}\n"


def trap_text(trap: Trap) -> str:
    """What becomes of the bill of a call whose cached prefix falls under the minimum."""
    limit = " (estimated)" if trap.basis == "estimated" else "" if trap.visible else " (as far as it is visible)"
    text = (
        f"the cached prefix shrinks from {trap.before:,} to {_tokens(trap.after)}{limit}, under the cache minimum "
        f"of {trap.minimum:,} for {one_line(trap.model)}: from a cache hit rate of {trap.hit_rate:.1%} on, calls get "
        "dearer"
    )
    if trap.observed is not None and trap.usd_now is not None and trap.usd_after is not None:
        text += (
            f"; at {trap.observed:.1%} (usage file) the prefix costs {dollars(trap.usd_now)} per 1,000 calls today and "
            f"{dollars(trap.usd_after)} after the trim{', which pays' if trap.pays else ''} ({one_line(trap.source)})"
        )
    elif trap.usd_hit is not None and trap.usd_after is not None:
        text += (
            f" ({dollars(trap.usd_hit)} per 1,000 calls read from cache, {dollars(trap.usd_after)} uncached after the "
            f"trim; {one_line(trap.source)})"
        )
    return text


def as_json(result: TrimResult) -> str:
    """Version 1 of the contract: ASCII only, with a line break at its end."""
    contract = {
        "version": 1,
        "prompts": [_prompt(one) for one in result.prompts],
        "files": [{"path": one.path, "before": one.before, "after": one.after} for one in result.files],
        "traps": [_trap_data(trap) for trap in result.traps],
        "proved": [_id(prompt) for prompt in result.proved],
        "unproved": [_id(prompt) for prompt in result.unproved],
        "left_out": [
            {
                "path": one.place.path,
                "cell": one.place.cell,
                "line": one.place.start[0],
                "title": one.title,
                "reason": one.reason,
            }
            for one in result.left_out
        ],
        "over_target": [{"id": name, "tokens": tokens} for name, tokens in result.over_target],
        "errors": [{"path": one.path, "line": one.line, "message": one.message} for one in result.errors],
    }
    return json.dumps(contract, indent=1) + "\n"


def _id(prompt: Prompt) -> dict[str, Any]:
    return {
        "id": prompt.id,
        "path": prompt.location.path,
        "cell": prompt.location.cell,
        "line": prompt.primary.start[0],
    }


def _prompt(one: TrimmedPrompt) -> dict[str, Any]:
    return {
        **_id(one.before),
        "tokens": {"before": one.tokens_before, "after": one.tokens_after, "basis": one.basis},
        "usd_per_1k_calls": {"before": _amount(one.usd_before), "after": _amount(one.usd_after), "source": one.source},
        "model": one.model,
        "made": [
            {"trimmer": made.trimmer, "level": made.level, "edits": made.edits, "saves": made.saves}
            for made in one.made
        ],
    }


def _trap_data(trap: Trap) -> dict[str, Any]:
    return {
        "call": trap.call.id,
        "path": trap.call.location.path,
        "line": trap.call.primary.start[0],
        "model": trap.model,
        "prefix_tokens": {"before": trap.before, "after": trap.after, "minimum": trap.minimum},
        "dearer_from_hit_rate": round(float(trap.hit_rate), 4),
        "certain": trap.certain,
        "basis": trap.basis,
        "pays": trap.pays,
        "refused": trap.refused,
        "cache_hit_rate": None if trap.observed is None else round(float(trap.observed), 4),
        "usd_per_1k_calls": {
            "hit_before": _amount(trap.usd_hit),
            "now": _amount(trap.usd_now),
            "after": _amount(trap.usd_after),
        },
        "source": trap.source,
    }


def _amount(amount: Decimal | None) -> float | None:
    return None if amount is None else round(float(amount), 6)
