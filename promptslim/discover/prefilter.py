"""The byte prefilter: which files may call a model at all, told without decoding or parsing them."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate

from promptslim.discover.kinds import suffix_of
from promptslim.discover.reading import read_bytes

try:
    from stringzilla import find  # type: ignore[import-not-found]
except ImportError:

    def find(data: bytes, word: bytes, start: int = 0) -> int:
        """As ``bytes.find``."""
        return data.find(word, start)


_BATCH_BYTES = 1 << 20
_UNREAD_FILE_BYTES = 1_000_000
_UNREAD_TOTAL_BYTES = 100_000_000


class Prefilter:
    """Says of bytes whether they may hold a call: any marker stands in them, and any shape fits.

    ``markers`` are rare words (import roots, service names); ``shapes`` are tuples of words, and a shape
    fits where each of its words occurs. Without shapes the markers decide. Both come from the SDK tables;
    case counts. ``otherwise`` is asked of bytes that no shape fits.
    """

    __slots__ = ("_markers", "_otherwise", "_shapes")

    def __init__(
        self,
        markers: Sequence[bytes],
        shapes: Sequence[Sequence[bytes]] = (),
        otherwise: Callable[[bytes], bool] | None = None,
    ) -> None:
        self._markers = tuple(markers)
        self._shapes = tuple(tuple(shape) for shape in shapes)
        self._otherwise = otherwise

    def has_marker(self, data: bytes) -> bool:
        """Whether any marker occurs."""
        return any(find(data, marker) >= 0 for marker in self._markers)

    def fits(self, data: bytes) -> bool:
        """Whether any shape fits."""
        present: dict[bytes, bool] = {}
        for shape in self._shapes:
            for word in shape:
                if word not in present:
                    present[word] = find(data, word) >= 0
                if not present[word]:
                    break
            else:
                return True
        return not self._shapes or (self._otherwise is not None and self._otherwise(data))

    def may_call(self, data: bytes) -> bool:
        """Whether a file with this content may hold a call."""
        return self.has_marker(data) and self.fits(data)

    def passing(self, files: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
        """Those of many files (path, content) that may hold a call, in their order.

        The same as ``may_call`` on each, in half the time: markers are searched in about a megabyte at once,
        which stays in the processor's cache.
        """
        batch: list[tuple[str, bytes]] = []
        volume = 0
        for item in files:
            batch.append(item)
            volume += len(item[1])
            if volume >= _BATCH_BYTES:
                yield from self._passing(batch)
                batch, volume = [], 0
        yield from self._passing(batch)

    def _passing(self, batch: Sequence[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
        # No marker holds a null byte, so that none is found across two files.
        joined = b"\0".join([data for _, data in batch])
        ends = list(accumulate(len(data) + 1 for _, data in batch))
        marked: set[int] = set()
        for marker in self._markers:
            place = find(joined, marker)
            while place >= 0:
                index = bisect_right(ends, place)
                marked.add(index)
                place = find(joined, marker, ends[index]) if ends[index] < len(joined) else -1
        for index in sorted(marked):
            if self.fits(batch[index][1]):
                yield batch[index]


def count_unread(
    paths: Iterable[str], prefilter: Prefilter, read: Callable[[str, int], bytes] = read_bytes
) -> tuple[tuple[str, int], ...]:
    """How many files in languages that are not analysed carry a marker, by suffix in sorted order.

    ``paths`` are opened as they are. To bound the cost only the first megabyte of a file is looked at, and
    100 MB in all; beyond that the numbers are too low. Files that cannot be read are passed over.
    """
    found: Counter[str] = Counter()
    left = _UNREAD_TOTAL_BYTES
    for path in paths:
        if left <= 0:
            break
        try:
            data = read(path, _UNREAD_FILE_BYTES)
        except OSError:
            continue
        left -= len(data)
        if prefilter.has_marker(data):
            found[suffix_of(path[path.rfind("/") + 1 :])] += 1
    return tuple(sorted(found.items()))
