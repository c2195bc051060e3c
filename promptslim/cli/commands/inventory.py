"""List every LLM call and prompt."""

from __future__ import annotations

from promptslim.cli.parameters import Given, Option, Parameters
from promptslim.cli.session import Session, say, write
from promptslim.cli.settings_flags import CONFIGURATION, FILES, OUTPUT, PATHS
from promptslim.report.formats import View, inventory_renderer, names

PARAMETERS: Parameters = (
    PATHS,
    Option(("--output-format",), "Format of the list.", "value", choices=names("inventory")),
    Option(("--no-cache",), "Keep no results between runs."),
    *FILES,
    *CONFIGURATION,
    *OUTPUT,
)


def run(given: Given) -> int:
    """List every call to a language model and every prompt, with what could be resolved of them.

    PATHS are files, folders or patterns (default: the working directory).
    """
    from promptslim.pipeline import run as pipeline

    session = Session(given)
    shown_as = session.format(names("inventory"))
    inventory = pipeline.inventory(session.analyse())
    for error in inventory.errors if not session.quiet else ():
        line = "" if error.line is None else f":{error.line}"
        say(f"warning: {error.path}{line}: {error.message}")
    if session.quiet < 2:
        view = View(colour=session.colour(), summary=session.quiet == 0)
        write(inventory_renderer(shown_as)(inventory, view))
    return 0
