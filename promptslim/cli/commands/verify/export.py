"""Write a suite as input of Amazon Bedrock's Advanced Prompt Optimization."""

from __future__ import annotations

from promptslim.cli.error import UsageError
from promptslim.cli.parameters import Given, Option, Parameters
from promptslim.cli.session import say, write
from promptslim.cli.verifying import SHARED, SUITE, absolute, project_of

PARAMETERS: Parameters = (
    SUITE,
    Option(("--output",), "Write to this file instead of standard output.", "value", "FILE"),
    *SHARED,
)


def run(given: Given) -> int:
    """Write the prompts of a suite and its tests as JSON Lines for Advanced Prompt Optimization, one line per prompt.

    The shorter prompt that comes back is compared with `promptslim verify run --after file://...`.
    """
    output = absolute(given, "output")
    with project_of(given, given.value("suite") or "") as (project, _):
        from promptslim.verify.compared import Prompts
        from promptslim.verify.optimization_export import MOST_SAMPLES, MOST_TEMPLATES, exported

        suite = project.suite()
        prompts = Prompts(suite, project.read, project.run)
        if len(suite.prompts) > MOST_TEMPLATES:
            raise UsageError(
                f"{suite.path}: {len(suite.prompts)} prompts, and a job takes {MOST_TEMPLATES}; leave some out"
            )
        named = [prompts.named(name, number) for number, name in enumerate(suite.prompts, 1)]
        lines = [exported(suite, prompt, prompts.call_of(prompt)) for prompt in named]
        text = "".join(line.text for line in lines)
        if output is None:
            write([text])
        else:
            from promptslim.edits.atomic_files import replace_file

            replace_file(output, text)
        left = max(line.left_out for line in lines)
        if left and not project.session.quiet:
            say(f"warning: {left} tests are left out: a template takes {MOST_SAMPLES}")
    return 0
