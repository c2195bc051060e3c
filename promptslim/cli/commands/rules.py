"""List the rules."""

from __future__ import annotations

from promptslim.cli.parameters import Given, Option, Parameters
from promptslim.cli.session import write

PARAMETERS: Parameters = (Option(("--output-format",), "Format of the list.", "value", choices=("text", "json")),)


def run(given: Given) -> int:
    """List every rule: code, name, severity and what it finds. Details: promptslim explain RULE."""
    from dataclasses import asdict

    from promptslim.catalog import load

    rules = load().rules
    if given.value("output_format") == "json":
        import json

        write([json.dumps({"version": 1, "rules": [asdict(rule) for rule in rules]}, indent=1) + "\n"])
        return 0
    width = max((len(rule.name) for rule in rules), default=0)
    for rule in rules:
        marks = " (off unless selected)" if rule.pedantic else ""
        write([f"{rule.code}  {rule.name:<{width}}  {rule.severity:<7}  {rule.summary}{marks}\n"])
    return 0
