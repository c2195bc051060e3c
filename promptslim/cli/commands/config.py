"""Show the settings and where each comes from."""

from __future__ import annotations

from promptslim.cli.parameters import Given, Parameters
from promptslim.cli.session import write
from promptslim.cli.settings_flags import CONFIGURATION, configured

PARAMETERS: Parameters = CONFIGURATION


def run(given: Given) -> int:
    """Show the settings that hold in the working directory, as TOML, and where each comes from."""
    from promptslim.config.render import render_settings

    place, configuration = configured(given)
    write([render_settings(place.settings, configuration)])
    return 0
