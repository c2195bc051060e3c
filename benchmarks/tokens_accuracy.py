"""Accuracy of the token counts against every count_tokens answer that the author of ctok recorded.

    pip download --no-binary :all: --no-deps ctok==1.3.0 && tar xzf ctok-1.3.0.tar.gz
    python benchmarks/tokens_accuracy.py ctok-1.3.0            the 506 documents of the published comparison
    python benchmarks/tokens_accuracy.py ctok-1.3.0 --all      all 2,514 documents

The texts are not in this repository (Rosetta Code has its own licence); fixtures/tokens/recorded_counts.tsv holds
their hashes and counts, and a document that does not match its hash is an error. `--write-fixture` makes that file.
Exit code 1 if a reconstructed count of claude-3 or claude-4.7 differs.
"""

from __future__ import annotations

import argparse
import gzip
import json
import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from promptslim.tokens import claude
from promptslim.tokens.estimate import estimate, features
from promptslim.tokens.frames import frame_tokens

FIXTURE = Path(__file__).resolve().parent.parent / "fixtures" / "tokens" / "recorded_counts.tsv"
RECORDED = {"claude-3": "v3", "claude-4.7": "v4.7", "claude-4.8": "v5"}
"""Tokenizer -> recorded model: claude-opus-4-5, claude-opus-4-7, claude-opus-5."""

EXACT = ("claude-3", "claude-4.7")
CORPORA = {"multipl_e": "lang", "rosetta_holdout": "id", "rosetta": "id", "udhr": "f"}
SAMPLE_LANGUAGES = (
    *("eng", "deu_1996", "fra", "spa", "por_BR", "ita", "nld", "pol"),
    *("cmn_hans", "jpn", "kor", "arb", "hin", "rus", "tur", "vie"),
)
HEADER = ["corpus", "id", "sha256", *RECORDED]


@dataclass(frozen=True)
class Document:
    """A text and the tokens of one user message with it, by tokenizer."""

    corpus: str
    id: str
    text: str
    counts: tuple[int, ...]
    sampled: bool

    @property
    def digest(self) -> str:
        return sha256(self.text.encode()).hexdigest()[:32]


def documents(folder: Path) -> Iterator[Document]:
    """The recordings in the source distribution of ctok. The sample is what facts of 506 documents rest on:
    every eighth document of `rosetta`, 16 languages of `udhr`, and all of the rest."""
    fixtures = folder / "tests" / "fixtures"
    for corpus, key in CORPORA.items():
        counts = json.loads((fixtures / f"{corpus}_counts.json").read_text(encoding="utf-8"))
        with gzip.open(fixtures / f"{corpus}.jsonl.gz", "rt", encoding="utf-8") as lines:
            for i, line in enumerate(lines):
                row = json.loads(line)
                sampled = {"rosetta": i % 8 == 0, "udhr": row[key] in SAMPLE_LANGUAGES}.get(corpus, True)
                recorded = tuple(counts[model]["counts"][row[key]] for model in RECORDED.values())
                yield Document(corpus, row[key], row["text"], recorded, sampled)


def write_fixture(found: list[Document]) -> None:
    lines = ["\t".join([doc.corpus, doc.id, doc.digest, *map(str, doc.counts)]) for doc in found]
    FIXTURE.write_text("\n".join(["\t".join(HEADER), *lines]) + "\n", encoding="utf-8")


def known() -> dict[tuple[str, str], tuple[str, ...]]:
    rows = [line.split("\t") for line in FIXTURE.read_text(encoding="utf-8").splitlines()[1:]]
    return {(row[0], row[1]): tuple(row[2:]) for row in rows}


def compare(found: list[Document]) -> int:
    """Print how many counts are equal, and the error of the estimate; the number of wrong exact counts."""
    wrong = 0
    for i, key in enumerate(RECORDED):
        frame = frame_tokens(key)
        assert frame is not None
        counts = claude.count_many([doc.text for doc in found], key)
        off = [
            (doc, n + frame - doc.counts[i]) for doc, n in zip(found, counts, strict=True) if n + frame != doc.counts[i]
        ]
        wrong += len(off) if key in EXACT else 0
        print(f"{key} reconstructed: {len(found) - len(off)} of {len(found)} exact")
        for doc, difference in off[:5]:
            print(f"  {doc.corpus} {doc.id}: {difference:+d}")
        for familiar in (True, False):
            part = [doc for doc in found if features(doc.text).familiar is familiar]
            if part:
                print(f"  estimate, {'familiar' if familiar else 'other'} text: {estimate_error(part, i, key, frame)}")
    return wrong


def estimate_error(part: list[Document], i: int, key: str, frame: int) -> str:
    guesses = [(estimate(doc.text, key), doc.counts[i] - frame) for doc in part]
    errors = sorted(abs(guess.n / true - 1) for guess, true in guesses)
    inside = sum(guess.low <= true <= guess.high for guess, true in guesses)
    p95 = errors[min(len(errors) - 1, int(0.95 * len(errors)))]
    return (
        f"median error {statistics.median(errors):.1%}, 95th percentile {p95:.1%}, "
        f"{inside} of {len(part)} within the band"
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="unpacked source distribution of ctok 1.3.0")
    parser.add_argument("--all", action="store_true", help="all recorded documents instead of the sample")
    parser.add_argument("--write-fixture", action="store_true", help=f"write {FIXTURE.name} and stop")
    options = parser.parse_args(arguments)
    if not (options.folder / "tests" / "fixtures").is_dir():
        parser.error(f"{options.folder}: no tests/fixtures here; give the unpacked source distribution of ctok")
    found = list(documents(options.folder))
    if options.write_fixture:
        write_fixture(found)
        return 0
    expected = known()
    changed = [doc.id for doc in found if expected.get((doc.corpus, doc.id)) != (doc.digest, *map(str, doc.counts))]
    if changed or len(found) != len(expected):
        print(f"{len(changed)} documents differ from {FIXTURE.name}: {', '.join(changed[:5])}", file=sys.stderr)
        return 1
    wrong = compare([doc for doc in found if doc.sampled or options.all])
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
