"""Writes the tables of README.md anew from the catalog and the command modules.

    python scripts/update_readme.py [--check] [README]

A table stands between ``<!-- table: NAME -->`` and ``<!-- end: NAME -->``; the names are rules, commands, sdks, and
check, trim and verify for what the command prints of the examples in fixtures. With ``--check`` nothing is written,
and the exit code is 1 where a table is out of date.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from promptslim.catalog import Catalog, load  # noqa: E402
from promptslim.cli import folder  # noqa: E402

REGION = re.compile(r"(<!-- table: (?P<name>\w+) -->\n).*?(<!-- end: (?P=name) -->)", re.DOTALL)


def rules(catalog: Catalog) -> Iterator[tuple[str, ...]]:
    """Every rule, with its page."""
    yield "Code", "Name", "What it finds"
    for rule in catalog.rules:
        marks = " Off unless selected." if rule.pedantic else ""
        yield rule.code, f"[{rule.name}](rules/{rule.family}/{rule.name}.md)", rule.summary + marks


def commands(catalog: Catalog) -> Iterator[tuple[str, ...]]:  # noqa: ARG001 (the same for all tables)
    """Every command with the first line of its module."""
    yield "Command", "What it does"
    for words, summary in sorted(_commands(folder.COMMANDS, "promptslim")):
        yield f"`{words}`", summary


def sdks(catalog: Catalog) -> Iterator[tuple[str, ...]]:
    """Every SDK table with the calls it recognises."""
    yield "Package", "Recognised as"
    for table in sorted(catalog.sdks, key=lambda table: str(table["package"])):
        names = sorted({str(operation["sdk"]) for operation in table.get("operation", ())})
        if names:
            yield f"`{table['package']}`", ", ".join(f"`{name}`" for name in names)


TABLES: dict[str, Callable[[Catalog], Iterable[tuple[str, ...]]]] = {"rules": rules, "commands": commands, "sdks": sdks}


SHOWN: dict[str, tuple[str, int, str]] = {
    "check": (".", 1, "check fixtures/projects/support-bot --select PS102,PS206,PS302"),
    "trim": (".", 1, "trim fixtures/prompts/gpt_engineer_generate.txt --level unsafe"),
    "verify": (
        "fixtures/suites/small-model",
        0,
        "verify run sentiment.yaml --backend replay --recording sentiment-answers.jsonl",
    ),
}
"""What is shown: folder, exit code, command."""


def output(name: str) -> str:
    """What a command prints of an example, as a code block; run in a copy of the examples."""
    folder, code, words = SHOWN[name]
    with tempfile.TemporaryDirectory() as place:
        shutil.copytree(ROOT / "fixtures", Path(place) / "fixtures")
        command = [sys.executable, "-m", "promptslim", *words.split(), "--color", "never", "--isolated"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PROMPTSLIM_CACHE_DIR": str(Path(place) / "cache")}
        done = subprocess.run(
            command,
            cwd=Path(place) / folder,
            env=environment,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
    if done.returncode != code:
        raise SystemExit(f"promptslim {words}: exit {done.returncode}: {done.stderr.strip()}")
    go = "" if folder == "." else f"$ cd {folder}\n"
    said = done.stderr if name == "trim" else ""
    return f"```console\n{go}$ promptslim {words}\n{done.stdout.rstrip()}\n{said.rstrip()}{said and chr(10)}```\n"


def updated(text: str, catalog: Catalog) -> str:
    """The text with every table made anew. Raises SystemExit for a table that does not exist."""

    def table(match: re.Match[str]) -> str:
        name = match["name"]
        if name in SHOWN:
            return match[1] + output(name) + match[3]
        if name not in TABLES:
            raise SystemExit(f"there is no table {name!r}; the tables are {', '.join(TABLES)}")
        return match[1] + markdown(TABLES[name](catalog)) + match[3]

    return REGION.sub(table, text)


def markdown(rows: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table; the first row is its head."""
    head, *body = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    lines = [head, ["---"] * len(head), *body]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _commands(package: str, path: str) -> Iterator[tuple[str, str]]:
    for name, entry in folder.entries(package).items():
        if entry.group:
            yield from _commands(entry.module, f"{path} {name}")
        else:
            yield f"{path} {name}", (entry.load().__doc__ or "").split("\n")[0]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("readme", nargs="?", default=ROOT / "README.md", type=Path)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 where a table is out of date")
    given = parser.parse_args(arguments)
    text = given.readme.read_text("utf-8")
    new = updated(text, load())
    if new == text:
        return 0
    if given.check:
        print(f"{given.readme.name}: a table is out of date; run python scripts/update_readme.py")
        return 1
    given.readme.write_text(new, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
