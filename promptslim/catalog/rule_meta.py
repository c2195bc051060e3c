"""The front matter of a rule page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from promptslim.core.record import field, record

if TYPE_CHECKING:
    # Only for annotations: the rule list is read by runs that build no finding.
    from promptslim.core.finding import Confidence, Severity


@record
class RuleMeta:
    """A rule as its page declares it. ``family`` and ``name`` locate page and function:
    ``rules/<family>/<name>.md`` and ``promptslim/check/<family>/<name with underscores>.py``.
    ``pedantic`` rules are off unless selected. ``fix``: safe, unsafe, display or no. ``inputs``: python,
    notebook, and the prompt file kinds the rule reads. ``options`` maps an option to its default,
    ``option_descriptions`` to one line on what it does."""

    code: str
    name: str
    family: str
    summary: str
    severity: Severity
    confidence: Confidence
    since: str
    pedantic: bool
    fix: str
    inputs: tuple[str, ...]
    options: Mapping[str, object]
    option_descriptions: Mapping[str, str] = field(default_factory=dict)
