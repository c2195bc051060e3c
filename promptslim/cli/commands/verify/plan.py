"""Say what a suite can show and what it costs."""

from __future__ import annotations

from promptslim.cli.parameters import Given, Option, Parameters
from promptslim.cli.session import write
from promptslim.cli.verifying import PROMPTS, SHARED, SUITE, project_of

PARAMETERS: Parameters = (
    SUITE,
    *PROMPTS,
    Option(("--json",), "Show the plan as JSON."),
    *SHARED,
)


def run(given: Given) -> int:
    """Say what the tests of a suite can show, how many more a margin needs, and what a run costs. Nothing is spent.

    The exit code is 0, or 2 where the suite cannot be run.
    """
    with project_of(given, given.value("suite") or "") as (project, _):
        from promptslim.pipeline.counting import Counting
        from promptslim.pipeline.sizes import UNKNOWN_TOKENIZER
        from promptslim.report.verify.plan import as_json, as_text
        from promptslim.verify.planning import planned, with_example
        from promptslim.verify.tariff import Tariff

        written = project.suite()
        suite = with_example(written)
        compared = project.to_plan(suite)
        model = project.model(suite, compared)
        ready = project.prepared(suite, compared, model, project.lock())
        counting = Counting(project.place.settings, project.place.cwd, precise=True)

        def priced(name: str) -> tuple[Tariff, str]:
            facts = project.facts(name)
            return Tariff(facts.rates if facts else None), facts.tokenizer if facts else UNKNOWN_TOKENIZER

        plan = planned(ready, priced, counting.counter(), example=suite is not written)
        counting.save()
        if project.session.quiet < 2:
            write([as_json(plan)] if given.flag("json") else as_text(plan, project.session.width()))
    return 0
