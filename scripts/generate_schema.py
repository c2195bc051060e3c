"""Writes the JSON Schemas in schemas/: of the configuration, from the options and the rule pages, and of eval suites.

    python scripts/generate_schema.py [--check]

With ``--check`` nothing is written, and the exit code is 1 where a file is out of date.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from promptslim.cli.commands.config import schema  # noqa: E402
from promptslim.cli.commands.verify.init import schema as suite_schema  # noqa: E402

FILES = {"promptslim.schema.json": schema, "promptslim-suite.schema.json": suite_schema}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 where a file is out of date")
    given = parser.parse_args(arguments)
    stale = False
    for name, made in FILES.items():
        file, new = ROOT / "schemas" / name, made()
        if file.exists() and file.read_text("utf-8") == new:
            continue
        if given.check:
            stale = True
            print(f"{file.relative_to(ROOT)} is out of date; run python scripts/generate_schema.py")
            continue
        file.parent.mkdir(exist_ok=True)
        file.write_text(new, "utf-8")
    return int(stale)


if __name__ == "__main__":
    sys.exit(main())
