"""Files with the same content: parsed once, and folded in text output."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def originals(files: Iterable[tuple[str, bytes]]) -> Mapping[str, str]:
    """Path -> the first path (in the order given) whose content is the same to the byte; a file without an
    earlier copy maps to itself."""
    first: dict[bytes, str] = {}
    return {path: first.setdefault(data, path) for path, data in files}
