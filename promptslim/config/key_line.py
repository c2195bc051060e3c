"""The line of a TOML file on which a key is set; for messages only."""

from __future__ import annotations


def key_line(text: str, path: tuple[str, ...]) -> int | None:
    """1-based line of the statement that sets ``path`` (keys from the top) in a valid TOML text, None where
    it cannot be told (a key written with escapes).

    A statement that sets the key is one before which the text parses without it and after which with it.
    """
    import tomllib

    lines = text.split("\n")
    for start, line in enumerate(lines):
        if path[-1] not in line:
            continue
        try:
            before = tomllib.loads("\n".join(lines[:start]))
        except tomllib.TOMLDecodeError:
            continue
        for end in range(start + 1, len(lines) + 1):
            try:
                after = tomllib.loads("\n".join(lines[:end]))
            except tomllib.TOMLDecodeError:
                continue
            if _has(after, path) and not _has(before, path):
                return start + 1
            break
    return None


def _has(table: object, path: tuple[str, ...]) -> bool:
    for key in path:
        if not isinstance(table, dict) or key not in table:
            return False
        table = table[key]
    return True
