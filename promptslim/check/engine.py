"""Facts in, findings out: runs the rules, then suppressions, baseline and the confidence bound."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from promptslim.core.record import record, replace
from promptslim.core.result import CheckResult, Summary

if TYPE_CHECKING:
    from promptslim.catalog.rule_meta import RuleMeta
    from promptslim.check.baseline import Comparison, Entry
    from promptslim.check.loader import Rule
    from promptslim.check.rule_context import RunContext
    from promptslim.check.suppressions import Suppression
    from promptslim.core.facts import FileFacts
    from promptslim.core.finding import Confidence, Finding
    from promptslim.core.proof_state import ProofState


@record
class Plan:
    """What is to be run and reported.

    ``rules``: the selected rules. ``codes`` maps the code and the name of every rule there is to its
    code. ``options`` gives a rule's options by its code. ``ignored_in`` gives the codes that
    per-file-ignores switch off in a path. ``whole``: a directory is checked, so that rules on the project
    may speak. ``baseline``: known findings, or None; ``gone`` says whether the file of a baseline entry
    no longer exists. ``proofs``: those of the lock.
    """

    rules: tuple[RuleMeta, ...]
    codes: Mapping[str, str]
    options: Callable[[RuleMeta], Mapping[str, object]]
    ignored_in: Callable[[str], Collection[str]]
    min_confidence: Confidence = "low"
    whole: bool = False
    baseline: tuple[Entry, ...] | None = None
    proofs: tuple[ProofState, ...] = ()
    gone: Callable[[str], bool] = lambda path: False  # noqa: ARG005


@record
class Outcome:
    """``comparison`` with the baseline is None where none was given; ``rules`` are the codes that ran."""

    result: CheckResult
    comparison: Comparison | None
    rules: frozenset[str]


def check(files: Sequence[FileFacts], paths: Collection[str], run: Callable[[], RunContext], plan: Plan) -> Outcome:
    """Run the rules over analysed files. ``run`` is called where there is something to say.

    ``paths`` are all files that were looked at, also those in which nothing was to be analysed. Findings
    come in the order of path, cell, line, column, code; the same input gives the same result.
    """
    kept, suppressed = _findings(files, run(), plan) if plan.proofs or any(map(_speaks, files)) else ((), 0)
    comparison = None
    if plan.baseline is not None:
        from promptslim.check.baseline import compare

        could_speak = _ran(plan)
        comparison = compare(
            kept,
            plan.baseline,
            lambda known: known.rule in could_speak and (known.path in paths or plan.gone(known.path)),
        )
        kept = comparison.new
    findings = _certain(kept, plan.min_confidence) if kept else ()
    summary = Summary(
        files=len(paths),
        calls=sum(len(file.calls) for file in files),
        findings=len(findings),
        suppressed=suppressed,
        baselined=len(comparison.known) if comparison else 0,
        fixed_in_baseline=len(comparison.fixed) if comparison else 0,
    )
    errors = tuple(error for file in sorted(files, key=lambda file: file.path) for error in file.errors)
    ran = frozenset(rule.code for rule in plan.rules)
    return Outcome(CheckResult(findings, errors, summary), comparison, ran)


def _certain(findings: tuple[Finding, ...], least: Confidence) -> tuple[Finding, ...]:
    from promptslim.core.levels import CONFIDENCES

    return tuple(one for one in findings if CONFIDENCES.index(one.confidence) >= CONFIDENCES.index(least))


def _ran(plan: Plan) -> set[str]:
    """Codes of the selected rules that could speak: rules on the project do so only for a whole one."""
    if plan.whole:
        return {meta.code for meta in plan.rules}
    from promptslim.check.loader import load

    return {rule.meta.code for rule in load(plan.rules) if rule.subject != "Project"}


def _speaks(file: FileFacts) -> bool:
    """True where some rule may have something to say, so that rules are worth loading."""
    about = (file.calls, file.prompts, file.arithmetic, file.retries, file.comments, file.errors, file.batches)
    return any(about)


def _findings(files: Sequence[FileFacts], run: RunContext, plan: Plan) -> tuple[tuple[Finding, ...], int]:
    """Findings that no comment suppresses, in their order, and the number of those that one does."""
    from promptslim.check.loader import load
    from promptslim.check.suppressions import collect, split

    files = sorted(files, key=lambda file: file.path)
    run = replace(run, calls={call.id: call for file in files for call in file.calls})
    wanted = _worth_loading(plan.rules, files)
    rules = load(wanted)
    off = {file.path: frozenset(plan.ignored_in(file.path)) for file in files}
    suppressions = collect(files, plan.codes)
    raised: list[Finding] = []
    for rule in rules:
        if rule.subject != "Suppression":
            active = [file for file in files if rule.meta.code not in off[file.path]]
            raised += _apply(rule, _subjects(rule, active, plan), run, plan)
    kept, suppressed, used = split(_ordered(raised), suppressions)
    silent = frozenset(meta.code for meta in plan.rules) - {meta.code for meta in wanted}
    judged = _unused(files, suppressions, used, rules, off, plan.whole, silent)
    for rule in rules:
        if rule.subject == "Suppression":
            active_comments = [one for one in judged if rule.meta.code not in off[one.comment.location.path]]
            about, more, _ = split(_ordered(_apply(rule, active_comments, run, plan)), suppressions)
            kept += about
            suppressed += more
    return tuple(sorted(kept, key=_place)), suppressed


def _worth_loading(rules: tuple[RuleMeta, ...], files: Sequence[FileFacts]) -> tuple[RuleMeta, ...]:
    """The rules without those of the family ``prompts`` where there is no prompt: what is not loaded takes no time,
    and a small file is checked in little more than it takes to start."""
    if any(file.prompts for file in files):
        return rules
    return tuple(meta for meta in rules if meta.family != "prompts")


def _subjects(rule: Rule, files: list[FileFacts], plan: Plan) -> Iterable[object]:
    match rule.subject:
        case "LlmCall":
            return [call for file in files for call in file.calls]
        case "Prompt":
            from promptslim.extract.definitions import definitions

            return definitions(files)
        case "UsageArithmetic":
            return [arithmetic for file in files for arithmetic in file.arithmetic]
        case "RetrySite":
            return [site for file in files for site in file.retries]
        case "FileFacts":
            return files
        case "ProofState":
            return [one for one in plan.proofs if rule.meta.code not in plan.ignored_in((one.prompt or one.entry).path)]
        case _:
            from promptslim.core.facts import Project

            return [Project(tuple(files), plan.whole, tuple(call for file in files for call in file.calls))]


def _apply(rule: Rule, subjects: Iterable[object], run: RunContext, plan: Plan) -> Iterator[Finding]:
    from promptslim.check.rule_context import RuleContext

    context = RuleContext(rule.meta, plan.options(rule.meta), run)
    for subject in subjects:
        try:
            yield from rule.function(subject, context)
        except Exception as error:
            error.add_note(f"in rule {rule.meta.code} {rule.meta.name}, on {_label(subject)}")
            raise


def _label(subject: object) -> str:
    return str(getattr(subject, "id", None) or getattr(subject, "path", None) or type(subject).__name__)


def _ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Each finding once, in order, with its fingerprint."""
    once = {(one.code, one.primary.path, one.primary.cell, one.primary.span, one.message): one for one in findings}
    if not once:
        return ()
    from promptslim.check.fingerprint import with_fingerprints

    return with_fingerprints(sorted(once.values(), key=_place))


def _place(finding: Finding) -> tuple[str, int, tuple[int, int], str, tuple[int, int], str]:
    primary = finding.primary
    cell = -1 if primary.cell is None else primary.cell
    return primary.path, cell, primary.start, finding.code, primary.end, finding.message


def _unused(
    files: Sequence[FileFacts],
    suppressions: tuple[Suppression, ...],
    used: set[tuple[int, str]],
    rules: Sequence[Rule],
    off: Mapping[str, Collection[str]],
    whole: bool,
    silent: frozenset[str],
) -> list[Suppression]:
    """Suppressions with the names that suppressed nothing although their rule ran and could have spoken.

    A file with a part that could not be read is left out: what stands there is not known. Nothing is said
    of suppressions of rules on suppressions.
    """
    broken = {file.path for file in files if file.errors}
    ran = {rule.meta.code for rule in rules if rule.subject != "Suppression" and (whole or rule.subject != "Project")}
    ran |= silent
    judged: list[Suppression] = []
    for index, suppression in enumerate(suppressions):
        path = suppression.comment.location.path
        unused = tuple(
            name
            for name, code in zip(suppression.names, suppression.codes, strict=True)
            if code in ran and code not in off[path] and (index, code) not in used and path not in broken
        )
        judged.append(replace(suppression, unused=unused))
    return judged
