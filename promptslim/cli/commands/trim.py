"""Make prompts shorter without harm: as a diff, or written."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from promptslim.cli.error import UsageError
from promptslim.cli.parameters import Given, Option, Parameters
from promptslim.cli.session import Session, say, write
from promptslim.cli.settings_flags import CONFIGURATION, FILES, OUTPUT, PATHS

if TYPE_CHECKING:
    from promptslim.core.trimming import Level
    from promptslim.pipeline.run import Run
    from promptslim.pipeline.trimming import Trimming, TrimRequest

PARAMETERS: Parameters = (
    PATHS,
    Option(("--diff",), "Show the changes as a diff and write nothing (the default)."),
    Option(("--write",), "Write the changes."),
    Option(
        ("--level",),
        "safe: repeated blank space only (the default); unsafe: also wording and layout; proof: also what may carry "
        "weight, which is written only where promptslim.lock has a proof for the result.",
        "value",
        choices=("safe", "unsafe", "proof"),
    ),
    Option(
        ("--proved",),
        "Only what has a valid proof in promptslim.lock for the models of the project: the shorter text that verify "
        "run has passed.",
    ),
    Option(
        ("--prompt",),
        "Only the prompts of these names, as promptslim inventory prints them (path, or path::name).",
        "list",
        "ID",
    ),
    Option(("--target-tokens",), "Make no more edits than bring a prompt down to so many tokens.", "value", "N"),
    Option(("--json",), "Show the result as JSON instead of a diff."),
    Option(("--accept-cache-loss",), "Trim also where a cached prefix falls under the cache minimum."),
    Option(("--no-cache",), "Keep no results between runs."),
    *FILES,
    *CONFIGURATION,
    *OUTPUT,
)


def run(given: Given) -> int:
    """Shorten prompts by edits that keep placeholders, code, numbers, negations, tags, quotes and safety lines, and
    what stands under `keep` in the settings (keep = ["a text that stays as it is"]).

    The diff is on standard output, what it saves on standard error. The exit code without --write is 1 where there
    is a difference, else 0; with --write it is 1 where a prompt was left as it is to keep its cache, else 0; 2 where
    the command cannot be carried out.
    """
    if given.flag("diff") and given.flag("write"):
        raise UsageError("--diff and --write do not go together; leave one of them out")
    if given.flag("proved"):
        for name in ("level", "target_tokens"):
            if given.value(name) not in (None, "proof"):
                flag = f"--{name.replace('_', '-')}"
                raise UsageError(f"--proved and {flag} do not go together: a proof is for one text; leave {flag} out")
    if given.flag("write") and "-" in (given.listed("paths") or ()):
        raise UsageError("--write changes files; name the file instead of -")
    request_of = _request(given)
    session = Session(given)
    run = session.analyse()
    from promptslim.pipeline.trimming import trim

    request = request_of if request_of.prompts is None else _known(request_of, run)
    trimming = trim(run, request, session.again(run))
    for error in trimming.result.errors:
        session.warn(f"{error.path}{'' if error.line is None else f':{error.line}'}: {error.message}")
    return _finished(session, run, trimming)


def _finished(session: Session, run: Run, trimming: Trimming) -> int:
    """Write or show the changes, and give the exit code."""
    from promptslim.cli import fixes
    from promptslim.report.trimming import as_json, summary

    given, result = session.given, trimming.result
    writing = given.flag("write")
    if writing and fixes.write_changes(session, trimming.fixing.changes, trimming.fixing.groups):
        return 2
    if session.quiet < 2:
        if given.flag("json"):
            write((as_json(result),))
        elif not writing:
            fixes.show_difference(session, trimming.fixing.changes)
    refused = any(one.refused for one in result.traps) and not given.flag("accept_cache_loss")
    if not session.quiet:
        for line in summary(result):
            say(line.rstrip("\n"))
        if refused:
            say("prompts whose cached prefix would fall under the minimum were left as they are; --accept-cache-loss")
        if not result.prompts and given.value("level") is None and not (given.flag("proved") or writing):
            say("only repeated blank space was looked at; --level unsafe looks at wording and layout too")
        if given.flag("proved") and not run.proofs:
            say("promptslim.lock has no proof for these files; promptslim verify run SUITE makes one")
    return int(refused if writing else refused or bool(result.files))


def _request(given: Given) -> TrimRequest:
    """What the flags ask for. Raises UsageError."""
    from promptslim.pipeline.trimming import TrimRequest

    target = given.value("target_tokens")
    if target is not None and (not target.isdecimal() or not int(target)):
        raise UsageError(f"--target-tokens {target!r} is not a number of tokens; write for example --target-tokens 800")
    proved = given.flag("proved")
    level = cast("Level", "proof" if proved else given.value("level") or "safe")
    return TrimRequest(
        level=level,
        prompts=given.listed("prompt"),
        target=None if target is None else int(target),
        accept_cache_loss=given.flag("accept_cache_loss"),
        proved_only=proved or given.flag("write"),
        proved=proved,
    )


def _known(request: TrimRequest, run: Run) -> TrimRequest:
    """The request with whole names; the end of a name may stand for it. Raises UsageError."""
    from promptslim.config.error import suggestion
    from promptslim.core.record import replace
    from promptslim.extract.definitions import definitions

    ids = list(dict.fromkeys(prompt.id for prompt in definitions(run.facts)))
    found: list[str] = []
    for name in request.prompts or ():
        plain = name.removeprefix("./")
        whole = [one for one in ids if one == plain]
        same = whole or [one for one in ids if one.endswith((f"::{plain}", f"/{plain}"))]
        if not same:
            choices = {*ids, *(one.rpartition("::")[2] for one in ids)}
            hint = suggestion(name, choices, "promptslim inventory lists them")
            raise UsageError(f"--prompt {name!r} is no prompt of these files; {hint}")
        found += same
    return replace(request, prompts=tuple(found))
