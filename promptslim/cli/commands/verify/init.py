"""Draft a suite for a prompt."""

from __future__ import annotations

import os

from promptslim.cli.error import UsageError
from promptslim.cli.parameters import Argument, Given, Option, Parameters
from promptslim.cli.session import say, write
from promptslim.cli.verifying import SHARED, absolute, project_of

PARAMETERS: Parameters = (
    Argument("prompt", "The prompt: its id in the code (see promptslim inventory), or its file."),
    Option(("--from-logs",), "Requests and answers: Bedrock invocation logs or other JSON Lines.", "value", "FILE"),
    Option(("--output",), "Write the suite to this file instead of standard output.", "value", "FILE"),
    Option(("--model",), "Model id, instead of that of the code.", "value", "MODEL"),
    Option(("--force",), "Write over a file that is there."),
    Option(("--schema",), "Show the JSON Schema of suites instead, for editors."),
    *SHARED,
)


def run(given: Given) -> int:
    """Draft an eval suite from the variables of a prompt, or from logged requests, with the smallest margin that its
    tests can prove.

    What is in the logs goes into the suite: look through it before you commit it. An editor with a YAML language server
    checks and completes a suite whose first line is `# yaml-language-server: $schema=FILE`, with what --schema shows in
    FILE.
    """
    if given.flag("schema"):
        write([schema()])
        return 0
    if given.value("prompt") is None:
        raise UsageError("which prompt is not said: give its id (see promptslim inventory) or its file")
    log, output = absolute(given, "from_logs"), absolute(given, "output")
    if output is not None and os.path.lexists(output) and not given.flag("force"):
        raise UsageError(f"{output} is there already; choose another place, or add --force")
    text = None if log is None else _read(log)
    with project_of(given) as (project, _):
        from promptslim.verify.compared import Prompts
        from promptslim.verify.drafting import drafted
        from promptslim.verify.logged_requests import LogError, logged
        from promptslim.verify.suite import Suite

        name = given.value("prompt") or ""
        prompts = Prompts(Suite("the command line", (name,), (), ()), project.read, project.run)
        prompt = prompts.known(name)
        call = prompts.call_of(prompt)
        try:
            requests = [] if text is None else list(logged(log or "", text))
        except LogError as error:
            raise UsageError(str(error)) from None
        if log is not None and not requests:
            raise UsageError(f"{log}: there is no request in it: lines of invocation logs, or messages and output")
        model = given.value("model") or next(iter(call.model.known() if call is not None else ()), None)
        draft = drafted(prompt, call, model, requests)
        if requests and not draft.tests:
            raise UsageError(f"{log}: none of {len(requests)} requests was made from {prompt.id} with an answer")
        if output is None:
            write([draft.text])
        else:
            from promptslim.edits.atomic_files import replace_file

            replace_file(output, draft.text)
        if not project.session.quiet:
            margin = "nothing yet" if draft.margin is None else f"a margin of {100 * draft.margin:.1f} points"
            say(f"{draft.tests} {'test' if draft.tests == 1 else 'tests'}, which can prove {margin}")
            for count, what in (
                (draft.foreign, "requests were not made from this prompt"),
                (draft.repeated, "requests came more than once"),
                (draft.unanswered, "requests have no answer"),
            ):
                if count:
                    say(f"{count} {what}, and are left out")
    return 0


def schema() -> str:
    """The JSON Schema of suites."""
    import json

    from promptslim.verify.suite_schema import suite_schema

    return json.dumps(suite_schema(), indent=1) + "\n"


def _read(path: str) -> str:
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            data = file.read()
    except OSError as error:
        raise UsageError(f"the log {path} cannot be read: {error.strerror}") from None
    if data.startswith(b"\x1f\x8b"):
        import gzip

        try:
            data = gzip.decompress(data)
        except (OSError, EOFError) as error:
            raise UsageError(f"the log {path} cannot be unpacked: {error}") from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"the log {path} is not UTF-8") from None
