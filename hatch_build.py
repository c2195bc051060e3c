"""Build hook: puts the compiled catalog into the wheel, so that an installed check parses no data file."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompiledCatalog(BuildHookInterface):  # type: ignore[type-arg]
    """Compiles ``rules/`` for a wheel. An editable install compiles by itself, whenever a file changes."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add ``promptslim/_data/catalog.jsonl``. A broken data file stops the build with its place."""
        if version == "editable":
            return
        sys.path.insert(0, self.root)
        try:
            from promptslim.catalog.store import COMPILED, compiled_file
        finally:
            sys.path.remove(self.root)
        self._made = Path(tempfile.mkdtemp())
        made = self._made / COMPILED
        made.write_text(compiled_file(str(Path(self.root) / "rules")), "ascii")
        build_data["force_include"][str(made)] = f"promptslim/_data/{COMPILED}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        """Remove what ``initialize`` wrote."""
        made = getattr(self, "_made", None)
        if made is not None:
            shutil.rmtree(made, ignore_errors=True)
