"""A comparison as JSON, version 1."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from promptslim.core.verification import SideFigures, Verification


def render(report: Verification) -> Iterator[str]:
    """One object. Shares are numbers from 0 to 1, dollars are text so that no digit is lost."""
    yield json.dumps(as_data(report), indent=2, ensure_ascii=True) + "\n"


def as_data(report: Verification) -> dict[str, Any]:
    """The report as data."""
    return {
        "version": 1,
        "verdict": report.decision,
        "reason": report.reason,
        "prompt": report.prompt,
        "suite": report.suite,
        "model": {"given": report.model, "resolved": report.resolved},
        "method": report.method,
        "margin": report.margin,
        "alpha": report.alpha,
        "level": report.level,
        "look": report.look,
        "looks": report.looks,
        "tests": {
            "declared": report.declared,
            "run": report.items,
            "units": report.units,
            "regressions": report.regressions,
            "improvements": report.improvements,
            "ungraded": report.ungraded,
            "stopped_early": report.early,
            "more_needed": report.more,
        },
        "loss": {"mean": _rounded(report.loss), "lower": _rounded(report.lower), "upper": _rounded(report.upper)},
        "original": _side(report.before),
        "shorter": _side(report.after),
        "critical": [
            {"slice": one.name, "tests": one.items, "worse": list(one.worse), "upper": _rounded(one.upper)}
            for one in report.critical
        ],
        "noise": [
            {"grader": one.grader, "tests": one.items, "discordance": _rounded(one.discordance)} for one in report.noise
        ],
        "changed": [
            {
                "test": one.item,
                "kind": one.kind,
                "original": _rounded(one.old),
                "shorter": _rounded(one.new),
                "reason": one.reason,
                "texts": None if one.old_text is None and one.new_text is None else [one.old_text, one.new_text],
            }
            for one in report.changed
        ],
        "prompts": {"original": report.before_text, "shorter": report.after_text},
        "basis": {"tokens": "measured", "prices": report.price or None},
        "spent": {"calls": report.spend.calls, "usd": str(report.spend.usd), "unpriced": report.spend.unpriced},
        "notes": list(report.notes),
        "lock": report.lock or None,
        "evidence": report.evidence or None,
    }


def _side(side: SideFigures) -> dict[str, Any]:
    interval = None if side.low is None else [_rounded(side.low), _rounded(side.high)]
    return {
        "score": _rounded(side.score),
        "interval_95": interval,
        "input_tokens_per_call": _rounded(side.input_tokens),
        "output_tokens_per_call": _rounded(side.output_tokens),
        "usd_per_1k_calls": _money(side.usd_per_1k),
        "usd_per_successful_task": _money(side.usd_per_success),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6) + 0.0


def _money(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:.9f}"
