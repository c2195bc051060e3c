"""The words in which findings are graded. Apart from finding.py, because every start needs them."""

from __future__ import annotations

from typing import Literal as Choice

Severity = Choice["error", "warning", "info"]
Confidence = Choice["high", "medium", "low"]
Basis = Choice["counted", "estimated", "assumed", "measured"]

SEVERITIES: tuple[Severity, ...] = ("info", "warning", "error")
CONFIDENCES: tuple[Confidence, ...] = ("low", "medium", "high")
