"""Writes schemas/promptslim.schema.json, the JSON Schema of the configuration, from the options and the rule pages.

    python scripts/generate_schema.py [--check]

With ``--check`` nothing is written, and the exit code is 1 where the file is out of date.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from promptslim.cli.commands.config import schema  # noqa: E402

FILE = ROOT / "schemas" / "promptslim.schema.json"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 where the file is out of date")
    given = parser.parse_args(arguments)
    new = schema()
    if FILE.exists() and FILE.read_text("utf-8") == new:
        return 0
    if given.check:
        print(f"{FILE.relative_to(ROOT)} is out of date; run python scripts/generate_schema.py")
        return 1
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(new, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
