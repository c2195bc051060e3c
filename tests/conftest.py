"""What every test relies on: a scrubbed environment and a cache of its own."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

SCRUBBED = ("CI", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "TERM")
SCRUBBED_PREFIXES = ("GITHUB_", "RUNNER_", "AWS_", "PROMPTSLIM_")


@pytest.fixture(autouse=True, scope="session")
def _environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name in SCRUBBED or name.startswith(SCRUBBED_PREFIXES):
                patch.delenv(name)
        patch.setenv("PROMPTSLIM_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            # Started in the background of a shell; the programs that tests interrupt would inherit it.
            signal.signal(signal.SIGINT, signal.default_int_handler)
        yield


# A landing must not hang on the luck of the draw: new examples are looked for at the desk, not in CI.
settings.register_profile("ci", derandomize=True, deadline=None)
if os.environ.get("CI"):
    settings.load_profile("ci")
