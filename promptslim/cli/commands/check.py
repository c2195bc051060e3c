"""Find wasted tokens."""

from __future__ import annotations

import os
import sys
from contextlib import nullcontext, redirect_stdout
from functools import partial
from typing import TYPE_CHECKING

from promptslim import __version__
from promptslim.cli.baseline_file import BaselineFile
from promptslim.cli.error import UsageError
from promptslim.cli.parameters import Given, Option, Parameters
from promptslim.cli.session import Session, say, write, write_bytes
from promptslim.cli.settings_flags import CONFIGURATION, FILES, OUTPUT, PATHS
from promptslim.core.record import replace
from promptslim.report.formats import View, check_renderer, names

if TYPE_CHECKING:
    from collections.abc import Callable

    from promptslim.check.engine import Outcome
    from promptslim.cli.fixes import Wanted
    from promptslim.core.result import CheckResult
    from promptslim.discover.git_changes import Changes
    from promptslim.pipeline.run import Run
    from promptslim.report.formats import Template

PARAMETERS: Parameters = (
    PATHS,
    Option(
        ("--select",), "Rules to run: codes, starts of codes, names or ALL.", "list", "RULES", commas=True, rules=True
    ),
    Option(("--ignore",), "Rules not to run.", "list", "RULES", commas=True, rules=True),
    Option(("--extend-select",), "Rules to run besides.", "list", "RULES", commas=True, rules=True),
    Option(
        ("--per-file-ignores",), "Rules not to run in some files: PATTERN:RULE.", "list", "PATTERN:RULE", commas=True
    ),
    Option(
        ("--min-confidence",), "Leave out findings that are less certain.", "value", choices=("low", "medium", "high")
    ),
    Option(("--fail-on",), "Severity from which the exit code is 1.", "value", choices=("info", "warning", "error")),
    Option(("--output-format",), "Format of the findings.", "value", choices=names("check")),
    Option(("--template",), "Jinja template for the output format template.", "value", "FILE"),
    Option(("--statistics",), "Show only how often each rule fired."),
    Option(("--show-files",), "Show which files would be checked, and check nothing."),
    Option(("--exit-zero",), "Exit with 0 even where there are findings."),
    Option(("--baseline",), "File with known findings, which are not reported.", "value", "FILE"),
    Option(("--write-baseline",), "Write all findings of this run to the baseline file (promptslim-baseline.json)."),
    Option(("--prune-baseline",), "Drop findings that no longer occur from the baseline file."),
    Option(("--add-ignore",), "Write a comment with this reason for every finding.", "value", "REASON"),
    Option(
        ("--changed-since",),
        "Report only what the changes since this commit or branch have caused (since the merge base with it).",
        "value",
        "REF",
    ),
    Option(("--fix",), "Fix what can be fixed without a change of what is sent, then report the rest."),
    Option(("--unsafe-fixes",), "Fix also what changes the request (wording, caps, cache markers)."),
    Option(("--fix-only",), "Fix, and do not report the rest."),
    Option(("--diff",), "Show what would be fixed as a diff, and write nothing."),
    Option(("--no-cache",), "Keep no results between runs."),
    *FILES,
    *CONFIGURATION,
    *OUTPUT,
)


def run(given: Given) -> int:
    """Find wasted tokens in Python files and notebooks.

    PATHS are files, folders or patterns (default: the working directory). The exit code is 0 where there is
    nothing to report, 1 where there are findings, 2 where the command cannot be carried out.
    """
    session = Session(given)
    shown_as = session.format(names("check"))
    if given.flag("statistics") and shown_as != "text":
        raise UsageError(f"--statistics is text; leave out --output-format {shown_as}")
    template = _template(session, shown_as)
    if given.flag("show_files"):
        return _show_files(session)
    what = _fixes_wanted(session)
    changes = _changes(session)
    baseline = BaselineFile(session)
    if what is not None:
        return _fixed(
            session, session.analyse(), what, baseline, partial(_report, shown_as=shown_as, template=template)
        )
    reason = given.value("add_ignore")
    if reason is None and changes is None and not baseline.changes:
        run, outcome = session.checked(baseline.entries)
    else:
        run = session.analyse()
        outcome = _since(run, _checked(run, baseline), given.listed("paths") or (".",), changes)
    _warn_of_errors(session, outcome)
    if reason is not None:
        from promptslim.cli.add_ignores import add_ignores

        add_ignores(run, outcome.result.findings, reason)
        return 0
    return _report(session, run, outcome, baseline, shown_as=shown_as, template=template)


def _report(
    session: Session,
    run: Run,
    outcome: Outcome,
    baseline: BaselineFile,
    *,
    shown_as: str,
    template: Template | None,
) -> int:
    """Show the findings, and give the exit code."""
    given = session.given
    if session.quiet < 2:
        if given.flag("statistics"):
            from promptslim.report.statistics import render

            write(render(outcome.result))
        else:
            view = View(
                colour=session.colour(),
                summary=session.quiet == 0,
                copies=run.copies,
                rules=_rules(run),
                page=partial(_page, run),
                version=__version__,
                template=template,
            )
            _show(shown_as, outcome.result, view)
            if shown_as == "text" and not session.quiet and any(one.fixes for one in outcome.result.findings):
                from promptslim.cli import fixes

                hint = fixes.hint(outcome.result.findings, given.flag("unsafe_fixes"))
                write((f"{hint}\n",) if hint else ())
    failed = baseline.stale(outcome) or _fails(outcome.result, session.place.settings.fail_on)
    return int(failed and not given.flag("exit_zero"))


def _fixes_wanted(session: Session) -> Wanted | None:
    """What is to be fixed, None where nothing is. Raises UsageError."""
    if not any(map(session.given.flag, ("fix", "fix_only", "diff"))):
        return None
    from promptslim.cli.fixes import wanted

    return wanted(session.given)


def _fixed(session: Session, run: Run, what: Wanted, baseline: BaselineFile, report: Callable[..., int]) -> int:
    """Fix findings, or show how they would be. The exit code with --diff is 1 where there is a difference, with
    --fix-only 0, else that of what is left; 2 where a file could not be written.

    Standard input is written, fixed or as it is, to standard output, and what is left of it told on standard error.
    """
    from promptslim.cli import fixes
    from promptslim.pipeline import run as pipeline

    def judge(run: Run) -> Outcome:
        return pipeline.check(run, baseline.entries)

    outcome = judge(run)
    _warn_of_errors(session, outcome)
    result = fixes.fixing(session, run, outcome, what, judge)
    piped = what.write and "-" in (session.given.listed("paths") or ())
    unwritten: frozenset[str] = frozenset()
    if piped:
        write_bytes(result.changes[0].after if result.changes else session.standard_input)
    elif what.write:
        unwritten = fixes.write_changes(session, result.changes, result.groups)
    if what.diff and session.quiet < 2:
        fixes.show_difference(session, result.changes)
    with redirect_stdout(sys.stderr) if piped else nullcontext():
        code = 0 if what.only else report(session, result.run, result.outcome, baseline)
    if session.quiet == 0:
        fixes.summarise(result, what, unwritten)
    if unwritten:
        return 2
    return int(bool(result.changes) and not session.given.flag("exit_zero")) if what.diff else code


def _template(session: Session, shown_as: str) -> Template | None:
    """The template of the user, None where the format takes none. Raises UsageError."""
    path = session.given.value("template")
    if (path is None) is (shown_as != "template"):
        if path is None:
            return None
        from promptslim.report.formats import Template

        try:
            with open(path, encoding="utf-8-sig") as file:  # noqa: PTH123 (pathlib takes longer to load)
                return Template(path, file.read())
        except UnicodeDecodeError as error:
            raise UsageError(f"{path}: not UTF-8 at byte {error.start + 1}; save it as UTF-8") from None
        except OSError as error:
            raise UsageError(f"cannot read the template {path}: {error.strerror}; name another file") from None
    if path is None:
        raise UsageError("--output-format template needs a template; add --template FILE")
    raise UsageError(f"--template is not for the output format {shown_as}; add --output-format template")


def _show(shown_as: str, result: CheckResult, view: View) -> None:
    if shown_as == "github":
        from promptslim.cli.job_summary import summarise

        view = replace(view, summarised=summarise(result, view, os.environ))
    write(check_renderer(shown_as)(result, view))


def _show_files(session: Session) -> int:
    from promptslim.pipeline.run import discovered
    from promptslim.report.escape import path

    found = discovered(session.given.listed("paths") or (), session.place)
    write(f"{path(file)}\n" for file in found.files)
    return 0


def _checked(run: Run, baseline: BaselineFile) -> Outcome:
    """The outcome, after the baseline file was written or pruned where that was asked for."""
    from promptslim.pipeline import run as pipeline

    outcome = pipeline.check(run, baseline.entries)
    kept = baseline.update(outcome)
    return outcome if kept is None else pipeline.check(run, kept)


def _changes(session: Session) -> Changes | None:
    """What has changed since the commit that is named; None where none is. Raises GitError and UsageError."""
    given = session.given
    ref = given.value("changed_since")
    if ref is None:
        return None
    if given.flag("write_baseline") or given.flag("prune_baseline"):
        raise UsageError("a baseline holds all findings; write it without --changed-since")
    if given.value("add_ignore") is not None:
        raise UsageError("--add-ignore takes every finding; leave out --changed-since")
    if "-" in (given.listed("paths") or ()):
        raise UsageError("--changed-since compares files; name the file instead of -")
    from promptslim.discover.git_changes import changes_since

    return changes_since(ref, session.place.cwd)


def _since(run: Run, outcome: Outcome, paths: tuple[str, ...], changes: Changes | None) -> Outcome:
    """What the changes have caused; all, where there is nothing to compare with."""
    if changes is None:
        return outcome
    from promptslim.pipeline.earlier import only_new

    return only_new(run, outcome, paths, changes)


def _warn_of_errors(session: Session, outcome: Outcome) -> None:
    """Files that could not be read are findings; they are said here where that rule did not run."""
    if "PS902" not in outcome.rules and not session.quiet:
        for error in outcome.result.errors:
            line = "" if error.line is None else f":{error.line}"
            say(f"warning: {error.path}{line}: {error.message}")


def _fails(result: CheckResult, fail_on: str) -> bool:
    if not result.findings:
        return False
    from promptslim.core.levels import SEVERITIES

    least = SEVERITIES.index(fail_on)
    return any(SEVERITIES.index(finding.severity) >= least for finding in result.findings)


def _rules(run: Run) -> dict[str, dict[str, str]]:
    return {
        rule.code: {
            "name": rule.name,
            "family": rule.family,
            "summary": rule.summary,
            "severity": rule.severity,
            "confidence": rule.confidence,
        }
        for rule in run.catalog.rules
    }


def _page(run: Run, code: str) -> str:
    from promptslim.cli.commands.explain import readable

    return readable(run.catalog.rule_page(code), code)
