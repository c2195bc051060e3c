"""Token counts kept between runs, so that a second run loads no vocabulary.

One file of fixed records: a magic line, a CRC-32 of the rest, then 16 bytes of key and 4 bytes of count
each, oldest first. A file that does not check out is taken for empty: every entry can be computed again.
"""

from __future__ import annotations

import os
import struct

from promptslim.config.cache_folder import cache_folder, keep

FILE_NAME = "token-counts.bin"
LIMIT = 20_000
"""Most entries kept (400 KB); the ones longest unused go first."""

_MAGIC = b"promptslim token counts 1\n"
_RECORD = struct.Struct("<16sI")
_CHECK = struct.Struct("<I")


class CountCache:
    """Counts by text, tokenizer and version of its vocabulary.

    Reading is lazy and happens once; ``save`` writes what is new. Several processes may use one file: it
    is replaced as a whole, and entries that another process wrote in between are kept. Two that save at
    the same moment may lose entries of one of them, never more.
    """

    def __init__(self, path: str | None = None, limit: int = LIMIT) -> None:
        """``path`` is by default a file in the user's cache folder; it need not exist."""
        self._path = path
        self._limit = limit
        self._kept: dict[bytes, int] | None = None
        self._used: dict[bytes, int] = {}
        self._changed = False

    @property
    def path(self) -> str:
        """Where the counts are kept."""
        if self._path is None:
            self._path = os.path.join(cache_folder(), FILE_NAME)  # noqa: PTH118
        return self._path

    def get(self, text: str, key: str, version: str) -> int | None:
        """The count of ``text`` in the vocabulary ``key`` of that ``version``, None where it is not known."""
        if self._kept is None:
            self._kept = _read(self.path)
        digest = _digest(text, key, version)
        n = self._used.get(digest)
        if n is None and (n := self._kept.get(digest)) is not None:
            self._used[digest] = n
        return n

    def put(self, text: str, key: str, version: str, n: int) -> None:
        """Remember a count, at least 0. One of 2**32 or more is not kept."""
        if 0 <= n < 1 << 32:
            self._used[_digest(text, key, version)] = n
            self._changed = True

    def save(self) -> None:
        """Write new counts. A folder that cannot be written is no error: the next run counts again."""
        if not self._changed:
            return
        kept = _read(self.path)
        for digest in self._used:
            kept.pop(digest, None)
        kept |= self._used
        newest = list(kept.items())[-self._limit :]
        self._changed = not _write(self.path, b"".join(_RECORD.pack(digest, n) for digest, n in newest))


def _digest(text: str, key: str, version: str) -> bytes:
    from hashlib import sha256  # 3 ms, and only texts near a threshold come here

    return sha256(f"{key}\n{version}\n{text}".encode("utf-8", "surrogatepass")).digest()[:16]


def _read(path: str) -> dict[bytes, int]:
    from zlib import crc32

    try:
        with open(path, "rb") as file:  # noqa: PTH123
            data = file.read()
    except OSError:
        return {}
    start = len(_MAGIC) + _CHECK.size
    records = data[start:]
    if not data.startswith(_MAGIC) or len(data) < start or len(records) % _RECORD.size:
        return {}
    if _CHECK.unpack_from(data, len(_MAGIC))[0] != crc32(records):
        return {}
    return dict(_RECORD.iter_unpack(records))


def _write(path: str, records: bytes) -> bool:
    from zlib import crc32

    return keep(path, _MAGIC + _CHECK.pack(crc32(records)) + records)
