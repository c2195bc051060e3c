"""What a run hands to the renderers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from promptslim.core.record import record

if TYPE_CHECKING:  # a run without calls needs none of these
    from promptslim.core.call import LlmCall
    from promptslim.core.finding import Finding
    from promptslim.core.prompt import Prompt


@record
class FileError:
    """A file that could not be read or parsed; also reported as the finding PS902. ``line`` is 1-based."""

    path: str
    line: int | None
    message: str


@record
class Summary:
    """Counts of a run. ``unread`` maps a suffix (".ts") to the number of files that carry LLM markers but
    are in a language that is not read; ``skipped`` maps a reason ("test", "vendored", "generated",
    "ignored") to the number of files left out by default. ``older``: findings that were there before the changes
    that are looked at, and are not reported."""

    files: int
    calls: int
    findings: int
    suppressed: int
    baselined: int
    fixed_in_baseline: int = 0
    older: int = 0
    unread: tuple[tuple[str, int], ...] = ()
    skipped: tuple[tuple[str, int], ...] = ()


@record
class CheckResult:
    """Findings in their final order (path, cell, line, column, code)."""

    findings: tuple[Finding, ...]
    errors: tuple[FileError, ...]
    summary: Summary


@record
class TokenCount:
    """Tokens of a text: ``n`` within [``low``, ``high``].

    ``method``: api (the provider counted), reconstructed (rebuilt Claude vocabulary), vocabulary (the
    model's own file), estimate (regression, see tokens/). ``calibrated`` is false where the regression was
    never fitted to counts of this tokenizer. ``factor``: what the user's calibration multiplied the estimate by.
    """

    n: int
    low: int
    high: int
    method: str
    calibrated: bool = True
    factor: float | None = None


@record
class CallSize:
    """Tokens of a call: of the static text of its system prompt (None: not known), and of all that is
    sent before the first hole (tools, system, messages; None: not known)."""

    system: TokenCount | None
    stable_prefix: TokenCount | None


@record
class Inventory:
    """Every call and prompt that was found, in order of path, cell and line. ``call_sizes`` and
    ``prompt_sizes`` go with ``calls`` and ``prompts``, one to one."""

    calls: tuple[LlmCall, ...]
    prompts: tuple[Prompt, ...]
    errors: tuple[FileError, ...]
    call_sizes: tuple[CallSize, ...] = ()
    prompt_sizes: tuple[TokenCount, ...] = ()
