"""Claude's tokenizer generations and their vocabulary files; loads nothing."""
# ruff: noqa: PTH118, PTH123

from __future__ import annotations

import os
from functools import cache

from promptslim.config.data_folder import data_folder

GENERATIONS = {"claude-3": ("claude-3", True), "claude-4.7": ("claude-4.7", True), "claude-4.8": ("claude-4.7", False)}
"""Tokenizer key -> vocabulary, and whether the message frame stands for one leading space.

claude-3: Claude 3 up to 4.6. claude-4.7: 4.7. claude-4.8: 4.8 and later, with the vocabulary of 4.7.
"""

_REVISION = "1"  # raised with every change of claude.py or claude_stream.py that changes a count


def vocabulary_file(key: str) -> str:
    """The path of the data file of a key of GENERATIONS."""
    return os.path.join(data_folder(), "tokens", f"{GENERATIONS[key][0]}.json.gz")


@cache
def version(key: str) -> str:
    """What a cached count depends on: the code and the CRC-32 and length in which the gzip file ends."""
    with open(vocabulary_file(key), "rb") as file:
        file.seek(-8, 2)
        return f"{_REVISION}-{file.read().hex()}"
