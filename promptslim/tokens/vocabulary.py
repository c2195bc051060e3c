"""Counts by a vocabulary file that the user gives: the tokenizer.json of a model (method "vocabulary")."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from promptslim.config.error import printable
from promptslim.core.result import TokenCount

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_SURROGATE = re.compile("[\ud800-\udfff]")
_REMEDY = "give the tokenizer.json of a Hugging Face model"


class VocabularyError(Exception):
    """A vocabulary file that cannot be used. The message is one printable line: what, where, what to do next."""


class Vocabulary:
    """A tokenizer.json. ``version`` identifies its content, for a count cache."""

    def __init__(self, path: str | Path) -> None:
        """Reads the file; raises VocabularyError where it is missing or no tokenizer.json."""
        self.path = Path(path)
        try:
            data = self.path.read_bytes()
        except OSError as error:
            raise _error(self.path, f"cannot be read ({error.strerror or 'no such file'}); {_REMEDY}") from None
        self._tokenizer = _load(self.path, data)
        self.version = _version(data)

    def count_many(self, texts: Sequence[str]) -> list[TokenCount]:
        """Tokens of each text as content: no begin, end or template tokens. A lone surrogate counts as U+FFFD."""
        whole = [_SURROGATE.sub("\ufffd", text) for text in texts]
        encodings = self._tokenizer.encode_batch_fast(whole, add_special_tokens=False)
        return [TokenCount(n, n, n, "vocabulary") for n in (len(encoding.ids) for encoding in encodings)]

    def count(self, text: str) -> TokenCount:
        """``count_many`` of one text."""
        return self.count_many([text])[0]


def _load(path: Path, data: bytes) -> Tokenizer:
    import json

    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        raise _error(path, f"is not JSON; {_REMEDY}") from None
    model = content.get("model") if isinstance(content, dict) else None
    if not isinstance(model, dict):
        raise _error(path, f'has no "model" table; {_REMEDY}, not its configuration or weights')
    from tokenizers import Tokenizer

    try:
        tokenizer: Tokenizer = Tokenizer.from_buffer(data)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # noqa: BLE001  # the library raises bare Exception, and its panics are BaseException
        raise _error(path, f"is refused by the tokenizers library ({error}); {_REMEDY}") from None
    # A file may ask for cut or padded input; a count wants neither.
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _version(data: bytes) -> str:
    from hashlib import sha256

    return sha256(data).hexdigest()


def _error(path: Path, problem: str) -> VocabularyError:
    return VocabularyError(printable(f"tokenizer file {path}: {' '.join(problem.split())}"))
