"""The summary page of a GitHub Actions job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from promptslim.cli.session import say
from promptslim.core.record import replace

if TYPE_CHECKING:
    from promptslim.core.result import CheckResult
    from promptslim.report.formats import View

VARIABLE = "GITHUB_STEP_SUMMARY"
"""Names the file to which a step appends Markdown (GitHub's documentation of workflow commands)."""


def summarise(result: CheckResult, view: View, environment: Mapping[str, str]) -> bool:
    """Append the full table to the summary of the step; False where there is none. A summary that cannot be
    written is a warning: the findings are on standard output all the same."""
    path = environment.get(VARIABLE)
    if not path:
        return False
    from promptslim.report.check.markdown import render

    try:
        with open(path, "ab") as file:  # noqa: PTH123 (pathlib takes longer to load)
            room = max(0, view.room - file.tell())
            file.write("".join(render(result, replace(view, room=room))).encode("utf-8", "backslashreplace"))
    except OSError as error:
        say(f"warning: cannot write the job summary {path}: {error.strerror}")
        return False
    return True
