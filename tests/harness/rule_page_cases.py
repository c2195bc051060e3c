"""Rule pages as data: their headings, and their code blocks as projects with what is to be found in them.

The format is described in rules/README.md.
"""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

HEADINGS = ("What it finds", "Why it costs", "Example", "Better", "Options", "When to ignore it", "References")
CASES = "Cases"
TESTED = ("Example", "Better", CASES)
TODAY = date(2026, 11, 23)
PLACES = {"config": "promptslim.toml", "lock": "promptslim.lock", "usage": "promptslim-usage.toml"}
WORDS = {*PLACES, "notebook", "expect", "fixed", "safe", "unsafe", "display"}
COMMENT = re.compile(r"""#\s*(?P<kind>error|ok):\s*\[(?P<rule>[\w-]+)\](?:\s*"(?P<text>[^"]*)")?""")
EXPECTED = re.compile(r'(?P<path>[^:]+):(?:cell (?P<cell>\d+):)?(?P<line>\d+):\s*(?:"(?P<text>[^"]*)")?$')


class PageError(AssertionError):
    """A page that breaks the format; the message has the file and the line."""


@dataclass(frozen=True)
class Place:
    """Where a finding has to be, and a part of its message."""

    path: str
    cell: int | None
    line: int
    text: str


@dataclass
class Block:
    language: str
    words: list[str]
    settings: dict[str, str]
    text: str
    line: int

    @property
    def joins(self) -> bool:
        """True where the block makes its section one project."""
        return "file" in self.settings or bool({"notebook", "expect", *PLACES} & {self.language, *self.words})

    @property
    def is_test(self) -> bool:
        return self.language == "python" or self.joins or "fixed" in self.words


@dataclass
class Case:
    """One project: files by path, what is to be found, what must stay silent, and files after the fixes."""

    page: Path
    section: str
    line: int
    files: dict[str, str] = field(default_factory=dict)
    notebooks: dict[str, list[Block]] = field(default_factory=dict)
    errors: list[Place] = field(default_factory=list)
    silent: list[Place] = field(default_factory=list)
    fixed: dict[str, str] = field(default_factory=dict)
    fix_level: str = ""
    today: date = TODAY
    paths: tuple[str, ...] = (".",)

    @property
    def id(self) -> str:
        return f"{self.page.stem}:{self.line}"

    def lay_out(self, folder: Path) -> None:
        for path, text in self.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, "utf-8")
        for path, blocks in self.notebooks.items():
            cells = [
                {
                    "cell_type": "code" if block.language == "python" else "markdown",
                    "metadata": {},
                    "source": block.text.splitlines(keepends=True),
                    **({"execution_count": None, "outputs": []} if block.language == "python" else {}),
                }
                for block in blocks
            ]
            book = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
            (folder / path).write_text(json.dumps(book, indent=1) + "\n", "utf-8")


@dataclass(frozen=True)
class Page:
    path: Path
    headings: tuple[str, ...]
    sections: dict[str, str]
    cases: tuple[Case, ...]
    blocks: dict[str, int]


def read_page(path: Path) -> Page:
    """Parse one page. Raises PageError."""
    text = path.read_text("utf-8")
    lines = text.split("\n")
    start = lines.index("---", 1) + 1
    tokens = MarkdownIt("commonmark").parse("\n" * start + "\n".join(lines[start:]))
    headings = [(t.map[0] + 1, t.tag, tokens[i + 1].content) for i, t in enumerate(tokens) if t.type == "heading_open"]
    tops = [(line, title) for line, tag, title in headings if tag == "h2"]
    sections = {
        title: "\n".join(lines[line : (tops[i + 1][0] - 1 if i + 1 < len(tops) else len(lines))])
        for i, (line, title) in enumerate(tops)
    }
    cases: list[Case] = []
    counts: dict[str, int] = {}
    for position, (line, _, title) in enumerate(headings):
        end = headings[position + 1][0] if position + 1 < len(headings) else len(lines) + 1
        top = next((t for at, t in reversed(tops) if at <= line), "")
        blocks = [_block(path, t) for t in tokens if t.type == "fence" and t.map and line < t.map[0] + 1 < end]
        counts[top] = counts.get(top, 0) + len(blocks)
        if top in TESTED:
            cases += _cases(path, title, [block for block in blocks if block.is_test])
    return Page(path, tuple(title for _, title in tops), sections, tuple(cases), counts)


def _block(path: Path, token: Token) -> Block:
    line = token.map[0] + 1
    language, *rest = shlex.split(token.info) or [""]
    settings = dict(word.split("=", 1) for word in rest if "=" in word)
    words = [word for word in rest if "=" not in word]
    unknown = {*words} - WORDS | {*settings} - {"file", "today", "paths"}
    if unknown:
        raise PageError(f"{path}:{line}: unknown word {sorted(unknown)} after the language of a code block")
    return Block(language, words, settings, token.content, line)


def _cases(page: Path, section: str, blocks: list[Block]) -> list[Case]:
    if any(block.joins for block in blocks):
        return [_case(page, section, blocks)]
    groups: list[list[Block]] = []
    for block in blocks:
        if "fixed" in block.words and groups:
            groups[-1].append(block)
        else:
            groups.append([block])
    return [_case(page, section, group) for group in groups]


def _case(page: Path, section: str, blocks: list[Block]) -> Case:
    case = Case(page, section, blocks[0].line)
    expected: list[Place] | None = None
    last = "app.py"
    for block in blocks:
        if "today" in block.settings:
            case.today = date.fromisoformat(block.settings["today"])
        if "paths" in block.settings:
            case.paths = tuple(block.settings["paths"].split(","))
        name = next((PLACES[word] for word in block.words if word in PLACES), block.settings.get("file"))
        if block.language == "expect":
            expected = [*(expected or []), *_expected(page, block)]
        elif "fixed" in block.words:
            case.fixed[name or last] = block.text
            case.fix_level = next((word for word in block.words if word != "fixed"), "unsafe")
        elif "notebook" in block.words:
            cells = case.notebooks.setdefault(name or "notebook.ipynb", [])
            cells.append(block)
            _comments(case, block, name or "notebook.ipynb", len(cells) - 1)
        else:
            last = name or "app.py"
            if last in case.files:
                raise PageError(f"{page}:{block.line}: a second block for {last} in one section; give it file=")
            case.files[last] = block.text
            _comments(case, block, last, None)
    if expected is not None:
        if case.errors:
            raise PageError(f"{page}:{case.line}: a section has either an expect block or comments")
        case.errors = expected
    return case


def _comments(case: Case, block: Block, path: str, cell: int | None) -> None:
    for number, line in enumerate(block.text.split("\n"), 1):
        for match in COMMENT.finditer(line):
            place = Place(path, cell, number, match["text"] or "")
            if match["rule"] != case.page.stem and not match["rule"].startswith("PS"):
                at = block.line + number
                raise PageError(f"{case.page}:{at}: [{match['rule']}] is not the rule of this page")
            (case.errors if match["kind"] == "error" else case.silent).append(place)


def _expected(page: Path, block: Block) -> list[Place]:
    found = []
    for number, line in enumerate(block.text.splitlines(), 1):
        line = line.strip()
        if not line or line == "nothing":
            continue
        match = EXPECTED.fullmatch(line)
        if match is None:
            raise PageError(f'{page}:{block.line + number}: {line!r} is not PATH:LINE: "text" nor nothing')
        cell = None if match["cell"] is None else int(match["cell"])
        found.append(Place(match["path"], cell, int(match["line"]), match["text"] or ""))
    return found
