"""Write rules/tokens/claude-*.json.gz from the `ctok` package, the reconstruction of Claude's tokenizers.

Needs Python 3.12 (its Unicode tables are those ctok was measured with) and ctok 1.3.0 (MIT, by Sander Land).

    python scripts/build_claude_vocabularies.py            write the files
    python scripts/build_claude_vocabularies.py --check    fail if the files differ from what would be written

ctok counts a text as the least number of vocabulary pieces that tile it; a Unigram model in which every piece
scores -1 finds the same number. Each file is a gzip of two lines. The first is a JSON object:

    generation, source, fold_quotes, allcaps_min   as in ctok
    classes       character classes of U+0000-U+FFFF, run-length coded "<letter><length>"; see character_class
    alphabet      characters that occur in pieces
    costs         tokens of the last vocabulary entries, which are single characters that are no piece themselves
    byte_pieces   UTF-8 prefixes (hex) that are one token, for characters outside the alphabet

The second line is a tokenizer.json of the `tokenizers` package.
"""

from __future__ import annotations

import argparse
import gzip
import importlib
import itertools
import json
import sys
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

CTOK = "1.3.0"
FOLDER = Path(__file__).resolve().parent.parent / "rules" / "tokens"
GENERATIONS = {"claude-3": "3.0", "claude-4.7": "4.7"}
UNKNOWN = "\uffff"
PLACEHOLDER = "\ue0ff"
"""Stands for one token of a character outside the alphabet. Private use characters of a text cost nothing and
are stripped before the tiling, so that it cannot occur there."""


def character_class(number: int, rules: ModuleType) -> str:
    """The class of a character in the pretokeniser, as ctok computes it from Unicode data and measured tables.

    S space, D ASCII digit, A other digit, P punctuation, W letter, M mark that opens a word of its own where no
    letter precedes it, Y letter-like number, O circled letter; L ideograph and other isolated character,
    N other number (category Nd: n), Q isolated punctuation, V variation selector.
    """
    character = chr(number)
    if 0xD800 <= number <= 0xDFFF:
        return "L"
    kind = rules.classify(character)
    if kind == "space":
        return "S"
    if kind == "digit":
        return "D" if character.isascii() else "A"
    if kind == "punct":
        return "P"
    if kind == "wordy":
        if any(low <= number <= high for low, high in rules.SYMBOL_LETTERS):
            return "O" if rules.unicodedata.category(character) == "So" else "Y"
        return "M" if rules._stray_mark(character) else "W"
    if rules._is_selector(character):
        return "V"
    isolated = rules._hard_kind(character)
    if isolated == "number":
        return "n" if rules.unicodedata.category(character) == "Nd" else "N"
    return "Q" if isolated == "punct" else "L"


def classes() -> str:
    """Classes of all characters of the basic plane; those of the others are all L."""
    rules = importlib.import_module("ctok.normalize")
    runs = itertools.groupby(character_class(number, rules) for number in range(0x10000))
    return "".join(f"{letter}{len(list(group))}" for letter, group in runs)


def build(generation: str) -> bytes:
    """The uncompressed file of one generation."""
    from ctok import main
    from ctok.constants import MARKER_GLYPHS
    from ctok.engine import char_cost

    model = main._model(main._family(GENERATIONS[generation]))
    document = main._vocabulary(main._family(GENERATIONS[generation]))
    pieces = sorted(model.vocab)
    alphabet = sorted({character for piece in pieces for character in piece})
    loose = [
        (character, 1 if character in MARKER_GLYPHS else char_cost(model, character))
        for character in alphabet
        if character not in model.vocab
    ]
    loose.sort(key=lambda item: (item[1], item[0]))
    if PLACEHOLDER in alphabet or UNKNOWN in alphabet:
        raise SystemExit("the placeholders occur in the vocabulary")
    vocabulary = [[UNKNOWN, -1e4], [PLACEHOLDER, -1.0]]
    vocabulary += [[piece, -1.0] for piece in pieces]
    vocabulary += [[character, -float(cost)] for character, cost in loose]
    head = {
        "generation": generation,
        "source": f"ctok {CTOK}, MIT, Copyright (c) 2026 Sander Land, https://github.com/sanderland/ctok",
        "fold_quotes": model.fold_quotes,
        "allcaps_min": model.allcaps_min,
        "classes": classes(),
        "alphabet": "".join(alphabet),
        "costs": [cost for _, cost in loose],
        "byte_pieces": sorted(document["tokens"]["bytes_fallback"]),
    }
    tokenizer = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": None,
        "pre_tokenizer": None,
        "post_processor": None,
        "decoder": None,
        "model": {"type": "Unigram", "unk_id": 0, "vocab": vocabulary, "byte_fallback": False},
    }
    lines = (json.dumps(part, ensure_ascii=False, separators=(",", ":")) for part in (head, tokenizer))
    return "\n".join(lines).encode()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a file differs")
    options = parser.parse_args(arguments)
    if version("ctok") != CTOK:
        raise SystemExit(f"ctok {version('ctok')} is installed; this script reads the internals of {CTOK}")
    stale = 0
    for generation in GENERATIONS:
        path = FOLDER / f"{generation}.json.gz"
        data = build(generation)
        if options.check:
            same = path.exists() and gzip.decompress(path.read_bytes()) == data
            stale += not same
            print(f"{path.name}: {'up to date' if same else 'differs'}")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(gzip.compress(data, 9, mtime=0))
            print(f"{path.name}: {len(data)} bytes, {path.stat().st_size} compressed")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
