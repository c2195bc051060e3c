"""Claude token counts from vocabularies reconstructed by the ctok project (method "reconstructed").

ctok counts a text as the least number of vocabulary pieces that tile its marked stream. A Unigram model
in which every piece scores -1 finds the same tiling in compiled code. benchmarks/tokens_accuracy.py
compares it with every answer of ``count_tokens`` that ctok's author recorded. It is not an official
tokenizer, and boundaries between tokens mean nothing, only their number.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING

from promptslim.tokens.claude_stream import ESCAPED_MARKS, Rules, marked
from promptslim.tokens.generations import GENERATIONS, vocabulary_file

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_PLACEHOLDER = "\ue0ff"


def count(text: str, key: str) -> int:
    """Tokens that ``text`` adds to a request as content, without the frame of its message; 0 for "".

    ``key`` is one of ``generations.GENERATIONS`` (KeyError otherwise). Any string is accepted; a lone surrogate counts
    as U+FFFD. The first call of a generation loads its vocabulary (tokenizers, about 0.1 s).
    """
    return count_many([text], key)[0]


def count_many(texts: Sequence[str], key: str) -> list[int]:
    """``count`` of each text, encoded as one batch."""
    return _vocabulary(vocabulary_file(key)).count(texts, frame_word=GENERATIONS[key][1])


@cache
def _vocabulary(path: str) -> _Vocabulary:
    with gzip.open(path) as file:
        return _Vocabulary(file.read())


class _Vocabulary:
    """A loaded vocabulary file; scripts/build_claude_vocabularies.py describes its format."""

    def __init__(self, data: bytes) -> None:
        from tokenizers import Tokenizer

        head, _, tokenizer = data.partition(b"\n")
        facts = json.loads(head)
        self.tokenizer: Tokenizer = Tokenizer.from_buffer(tokenizer)
        self.costs: list[int] = facts["costs"]
        self.first_costly = self.tokenizer.get_vocab_size() - len(self.costs)
        self.fold_quotes: bool = facts["fold_quotes"]
        self.allcaps_min: int | None = facts["allcaps_min"]
        self.classes = "".join(letter * int(length) for letter, length in re.findall(r"(\D)(\d+)", facts["classes"]))
        self.spelling = _Spelling(facts["alphabet"], facts["byte_pieces"])

    def count(self, texts: Sequence[str], *, frame_word: bool) -> list[int]:
        rules = Rules(self.classes, self.fold_quotes, self.allcaps_min, frame_word)
        streams = [marked(text, rules) for text in texts]
        encodings = self.tokenizer.encode_batch_fast(
            [stream.translate(self.spelling) for stream, _ in streams], add_special_tokens=False
        )
        counts = []
        for text, (_, breaks), encoding in zip(texts, streams, encodings, strict=True):
            ids = encoding.ids
            extra = sum(self.costs[i - self.first_costly] - 1 for i in ids if i >= self.first_costly)
            counts.append(len(ids) + extra + self._tail(breaks) if text else 0)
        return counts

    def _tail(self, breaks: int) -> int:
        """Line breaks at the end run into the two of the frame, which has paid for one token of them."""
        if not breaks:
            return 0
        return len(self.tokenizer.encode("\n" * (breaks + 2), add_special_tokens=False).ids) - 1


class _Spelling(dict[int, str]):
    """Translation table: a character outside the alphabet becomes as many placeholders as it has tokens."""

    def __init__(self, alphabet: str, byte_pieces: Iterable[str]) -> None:
        super().__init__((ord(character), character) for character in alphabet)
        self.byte_pieces = frozenset(bytes.fromhex(piece) for piece in byte_pieces)

    def __missing__(self, number: int) -> str:
        raw = ESCAPED_MARKS.get(number, chr(number)).encode()
        self[number] = _PLACEHOLDER * _least_tiles(raw, self.byte_pieces)
        return self[number]


def _least_tiles(raw: bytes, pieces: frozenset[bytes]) -> int:
    """The least number of single bytes and ``pieces`` that make up ``raw`` (a character: 1 to 4 bytes)."""
    best = [0]
    for end in range(1, len(raw) + 1):
        best.append(1 + min(best[start] for start in range(end) if end - start == 1 or raw[start:end] in pieces))
    return best[-1]
