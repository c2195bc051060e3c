"""Show the settings and where each comes from."""

from __future__ import annotations

from promptslim.cli.parameters import Given, Option, Parameters
from promptslim.cli.session import write
from promptslim.cli.settings_flags import CONFIGURATION, configured

PARAMETERS: Parameters = (
    Option(("--schema",), "Show the JSON Schema of the configuration instead, for editors."),
    *CONFIGURATION,
)


def run(given: Given) -> int:
    """Show the settings that hold in the working directory, as TOML, and where each comes from."""
    if given.flag("schema"):
        write([schema()])
        return 0
    from promptslim.config.render import render_settings

    place, configuration = configured(given)
    write([render_settings(place.settings, configuration)])
    return 0


def schema() -> str:
    """The JSON Schema of the configuration, as text."""
    import json

    from promptslim.catalog import load
    from promptslim.config.schema import config_schema
    from promptslim.report.formats import names

    return json.dumps(config_schema(load().rules, names("check")), indent=1) + "\n"
