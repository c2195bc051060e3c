"""Which files of a project may call a function of a given name: an index kept in the cache by content.

For every Python file and notebook it holds 32-bit hashes of the words that stand directly before an opening
parenthesis. A query finds a superset of the callers: hashes collide, and a word may be another object's.
"""
# pathlib costs more start-up time than everything in this module.
# ruff: noqa: PTH118, PTH123

from __future__ import annotations

import os
import struct
import sys
import time
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from zlib import crc32

from promptslim.config.cache_folder import keep
from promptslim.core.record import record
from promptslim.discover.file_state import UNSETTLED, stamp
from promptslim.discover.reading import MAX_NOTEBOOK_BYTES, read_bytes

_MAGIC = f"promptslim call index 1 {sys.byteorder}\n".encode()
_HEADER = struct.Struct("=IIII")  # checksum of all that follows, bytes of paths, files, bytes of hashes

# Everything that cannot be part of a name becomes a blank; bytes above 127 are letters of other scripts.
_WORDS = bytes(c if chr(c) in "_(" or (chr(c).isalnum() and c < 128) or c > 127 else 32 for c in range(256))


@record
class CallIndex:
    """The index of one state of a project.

    ``paths`` are relative to the root with forward slashes, sorted. ``stamps`` has (size, modification time,
    status-change time, in bytes and nanoseconds) for each, -1 where the file has to be read again next
    time; ``ends`` where the hashes of each file end in ``hashes``, in bytes.
    """

    paths: tuple[str, ...]
    stamps: array[int]
    ends: array[int]
    hashes: bytes

    def callers(self, name: str) -> tuple[str, ...]:
        """The files that may call something of this name, in sorted order."""
        word = crc32(name.encode()).to_bytes(4, sys.byteorder)
        found: list[str] = []
        place = self.hashes.find(word)
        while place >= 0:
            if place % 4:
                place = self.hashes.find(word, place + 1)
                continue
            index = bisect_right(self.ends, place)
            found.append(self.paths[index])
            place = self.hashes.find(word, self.ends[index])
        return tuple(found)


EMPTY = CallIndex((), array("q"), array("Q"), b"")


def project_index(root: str, paths: Iterable[str], store: str | None) -> CallIndex:
    """The index of the files ``paths`` (relative to the absolute ``root``), brought up to date.

    ``store`` is the file that keeps it between runs (see store_of), None to keep nothing. A store that is
    damaged, of another project or cannot be written is passed over: it only saves time.
    """
    known = EMPTY if store is None else _load(store, root)
    index = refreshed(known, root, sorted(paths))
    if store is not None and index is not known:
        _save(index, store, root)
    return index


def store_of(root: str, cache: str) -> str:
    """The file in the cache folder that keeps the index of a project."""
    from hashlib import blake2b

    return os.path.join(cache, "calls", blake2b(os.fsencode(root), digest_size=12).hexdigest())


def refreshed(known: CallIndex, root: str, paths: Sequence[str]) -> CallIndex:
    """The index of the files ``paths`` as they are now, reading only those that changed since ``known``; the
    same object where nothing did. A file that cannot be read has no calls."""
    now = time.time_ns()
    earlier = {path: index for index, path in enumerate(known.paths)}
    stamps = array("q")
    chunks: list[bytes] = []
    same = len(paths) == len(known.paths)
    for path in paths:
        state = stamp(f"{root}/{path}", now)
        index = earlier.get(path, -1)
        if index >= 0 and state != UNSETTLED and state == tuple(known.stamps[3 * index : 3 * index + 3]):
            start = known.ends[index - 1] if index else 0
            chunks.append(known.hashes[start : known.ends[index]])
        else:
            same = False
            chunks.append(_hashes(f"{root}/{path}"))
        stamps.extend(state)
    if same:
        return known
    ends = array("Q")
    total = 0
    for chunk in chunks:
        total += len(chunk)
        ends.append(total)
    return CallIndex(tuple(paths), stamps, ends, b"".join(chunks))


def called_names(data: bytes, notebook: bool) -> set[bytes]:
    """The words that stand directly (or after one blank) before an opening parenthesis."""
    if notebook:
        data = data.replace(b"\\n", b"\n").replace(b"\\t", b"\t")
    pieces = data.replace(b" (", b"(").translate(_WORDS).split(b"(")
    pieces.pop()
    return {piece.rpartition(b" ")[2] for piece in pieces}


def _hashes(path: str) -> bytes:
    try:
        data = read_bytes(path, MAX_NOTEBOOK_BYTES)
    except OSError:
        return b""
    return array("I", map(crc32, called_names(data, path.endswith(".ipynb")))).tobytes()


def _load(store: str, root: str) -> CallIndex:
    try:
        with open(store, "rb") as file:
            content = file.read()
    except OSError:
        return EMPTY
    prefix = _MAGIC + os.fsencode(root) + b"\n"
    start = len(prefix) + _HEADER.size
    if not content.startswith(prefix) or len(content) < start:
        return EMPTY
    checksum, path_bytes, files, hash_bytes = _HEADER.unpack_from(content, len(prefix))
    body = memoryview(content)[start:]
    if len(body) != path_bytes + 32 * files + hash_bytes or crc32(body) != checksum:
        return EMPTY
    names = os.fsdecode(bytes(body[:path_bytes]))
    stamps, ends = array("q"), array("Q")
    stamps.frombytes(body[path_bytes : path_bytes + 24 * files])
    ends.frombytes(body[path_bytes + 24 * files : path_bytes + 32 * files])
    return CallIndex(tuple(names.split("\0")) if files else (), stamps, ends, bytes(body[path_bytes + 32 * files :]))


def _save(index: CallIndex, store: str, root: str) -> None:
    names = os.fsencode("\0".join(index.paths))
    body = b"".join((names, index.stamps.tobytes(), index.ends.tobytes(), index.hashes))
    header = _HEADER.pack(crc32(body), len(names), len(index.paths), len(index.hashes))
    keep(store, _MAGIC + os.fsencode(root) + b"\n" + header + body)
