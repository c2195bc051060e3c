"""PS903: the dollar figures of this run come from an old price table."""

from __future__ import annotations

from collections.abc import Iterator

from promptslim.check.rule_context import RuleContext
from promptslim.core.facts import Project
from promptslim.core.finding import Finding
from promptslim.pricing.rates import prices_age_days


def stale_prices(project: Project, rule: RuleContext) -> Iterator[Finding]:
    """Once for each table that is older than ``max-age-days``, at the first call that it prices.

    Only where a directory is checked: the age of a table is a matter of the project, not of a file.
    """
    if not project.whole:
        return
    max_age = int(str(rule.options["max-age-days"]))
    said: set[str] = set()
    for call in project.calls:
        for model_id in call.model.known():
            model = rule.model(model_id)
            if model is None or model.rates is None or model.rates.source in said:
                continue
            rates = model.rates
            age = prices_age_days(rates.as_of, rule.today)
            if age > max_age:
                said.add(rates.source)
                yield rule.finding(
                    f"prices are {age} days old ({rates.source}, as of {rates.as_of.isoformat()}); "
                    "read new ones with `promptslim prices update --from FILE`",
                    call.primary,
                    evidence=rates.source,
                    call=call,
                )
