"""What each trimmer saves on a folder of prompts, beside what the same edit would save without any protection.

    python benchmarks/trimming.py fixtures/prompts [--o200k] [--show TRIMMER]

Tokens are counted with Claude's vocabulary (3 to 4.6), with ``--o200k`` with that of OpenAI too (needs the package
bpe-openai). "unguarded" is the plain edit, made everywhere: an upper bound, and what damages prompts. "damaged" are
prompts in which the independent check of the tests finds a loss. ``--show`` lists the edits of one trimmer.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from promptslim.catalog import load
from promptslim.core.prompt import Literal, Part, Prompt
from promptslim.extract.definitions import definitions
from promptslim.pipeline.run import analyse, place_of
from promptslim.tokens.counter import Counter
from promptslim.trim.json_text import json_spans, tokens
from promptslim.trim.loader import trimmers
from promptslim.trim.offers import Offer, Wanted, offers, trimmed

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "trim"))
from independent_check import damage

Count = Callable[[Sequence[str]], list[int]]

PUBLISHED = {
    "blank-space": "0.40",
    "decoration": "0.07",
    "announcing": "0.19",
    "wording": "0.13",
    "json-layout": "0.56",
    "markdown-marks": "0.42",
    "duplicate-instructions": "0.55",
    "duplicate-examples": "-",
    "safe": "0.40",
    "unsafe": "1.32",
    "proof": "4.21",
}
"""Percent of all tokens (o200k) on another set of 48 prompts: each edit alone, duplicates on the same side of the data
only, and the levels together."""


COPIES = ("proof", "duplicate-instructions", "duplicate-examples")
"""What drops second copies, so that fewer numbers and words are left on purpose."""


@dataclass(frozen=True, slots=True)
class Row:
    """One trimmer or level over all prompts."""

    name: str
    edits: int
    prompts: int
    saved: int
    unguarded: int | None
    damaged: int | None


def prompts_of(folder: Path) -> tuple[Prompt, ...]:
    """The text files of a folder as prompt files."""
    with tempfile.TemporaryDirectory() as work:
        (Path(work) / "prompts").mkdir()
        for path in sorted(folder.glob("*.txt")):
            shutil.copy(path, Path(work) / "prompts")
        return tuple(definitions(analyse(["."], place_of(work, True, {"cache": False})).facts))


def text_of(parts: Sequence[Part]) -> str:
    """The text of a prompt with a letter for each hole."""
    return "".join(part.text if isinstance(part, Literal) else "x" for part in parts)


def counters(o200k: bool) -> Iterator[tuple[str, Count]]:
    """The vocabularies to count with."""
    counter = Counter("exact")
    yield "Claude 3-4.6", lambda texts: [one.n for one in counter.count_many(list(texts), "claude-3", precise=True)]
    if o200k:
        import bpe_openai

        encoding = bpe_openai.get_encoding("o200k_base")
        yield "o200k", lambda texts: [len(encoding.encode(text)) for text in texts]


def unguarded(name: str, text: str) -> str:
    """The plain edit that a trimmer is named for, without a look at what it touches."""
    filler = load().phrases["filler"]
    match name:
        case "blank-space":
            text = re.sub(r"[ \t]+(?=\n|\Z)", "", textwrap.dedent(text))
            return re.sub(r"(?<=\S) {2,}(?=\S)", " ", re.sub(r"\n{3,}", "\n\n", text)).strip("\n")
        case "decoration":
            text = re.sub(r"([-=_*~])\1{9,}", lambda match: match[1] * 3, text)
            return text.translate(
                {0x2019: "'", 0x2018: "'", 0x201C: '"', 0x201D: '"', 0xA0: " ", 0x200B: None, 0xFEFF: None}
            )
        case "announcing":
            return without(text, [(entry["pattern"], "") for entry in filler["announcing"]])
        case "wording":
            entries = (*filler["politeness"], *filler["verbose"])
            return without(text, [(entry["pattern"], entry.get("instead", "")) for entry in entries])
        case "json-layout":
            for span in reversed(json_spans(text)):
                tight = "".join(text[start:end] for start, end in tokens(text, span))
                text = text[: span.start] + tight + text[span.end :]
            return text
        case "markdown-marks":
            return re.sub(r"\*\*(?=\S)(.+?)(?<=\S)\*\*", r"\1", text)
        case "duplicate-instructions":
            return without_copies(text)
        case _:
            return text


def without(text: str, phrases: Sequence[tuple[str, str]]) -> str:
    """``text`` with phrases left out or shortened, wherever they stand."""
    for pattern, instead in phrases:
        spaced = pattern.replace(" ", r"\s+")
        text = re.sub(
            rf"(?<![\w-])(?:{spaced})(?![\w-]) ?", f"{instead} " if instead else "", text, flags=re.IGNORECASE
        )
    return text


def without_copies(text: str) -> str:
    """``text`` without sentences of five words that stood in it before."""
    seen: set[str] = set()
    kept: list[str] = []
    for piece in re.split(r"(?<=[.!?])(?=\s)|(?<=\n)", text):
        key = " ".join(re.findall(r"\w+", piece.lower()))
        if len(key.split()) >= 5 and key in seen:
            continue
        seen.add(key)
        kept.append(piece)
    return "".join(kept)


def row(name: str, found: Sequence[tuple[Prompt, tuple[Offer, ...]]], count: Count, bare: bool) -> Row:
    """The figures of some offers."""
    texts = [(text_of(prompt.parts), text_of(trimmed(prompt, own))) for prompt, own in found]
    before, after = count([one for one, _ in texts]), count([two for _, two in texts])
    plain = count([unguarded(name, one) for one, _ in texts]) if bare else []
    return Row(
        name,
        sum(len(own) for _, own in found),
        sum(bool(own) for _, own in found),
        sum(before) - sum(after),
        sum(before) - sum(plain) if bare and name != "duplicate-examples" else None,
        sum(bool(damage(one, two)) for one, two in texts) if name not in COPIES else None,
    )


def show(found: Sequence[tuple[Prompt, tuple[Offer, ...]]]) -> None:
    """Every edit of a trimmer."""
    for prompt, own in found:
        for one in own:
            print(f"{prompt.id}: {one.saves}: {one.before[:100]!r} -> {one.after[:60]!r}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--o200k", action="store_true", help="count with o200k too (needs bpe-openai)")
    parser.add_argument("--show", metavar="TRIMMER", help="list the edits of one trimmer")
    options = parser.parse_args()
    prompts, phrases = prompts_of(options.folder), load().phrases
    for vocabulary, count in counters(options.o200k):
        total = sum(count([text_of(prompt.parts) for prompt in prompts]))
        print(f"{vocabulary}: {len(prompts)} prompts, {total:,} tokens")
        print(
            f"{'':24}{'edits':>7}{'prompts':>9}{'saved':>8}{'%':>7}{'unguarded %':>13}{'published %':>13}{'damaged':>9}"
        )
        named = [(one.name, Wanted("proof", only=(one.name,))) for one in trimmers() if one.name != "tool-schema"]
        levels = [("safe", Wanted("safe")), ("unsafe", Wanted("unsafe")), ("proof", Wanted("proof"))]
        for name, wanted in (*named, *levels):
            found = [(prompt, offers(prompt, phrases, wanted, count)) for prompt in prompts]
            one = row(name, found, count, name in dict(named))
            bare = "-" if one.unguarded is None else f"{one.unguarded / total:.2%}"
            broken = "-" if one.damaged is None else str(one.damaged)
            print(
                f"{name:24}{one.edits:7}{one.prompts:9}{one.saved:8}{one.saved / total:7.2%}{bare:>13}"
                f"{PUBLISHED[name]:>13}{broken:>9}",
                flush=True,
            )
            if name == options.show:
                show(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
