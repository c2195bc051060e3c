"""Untrusted text made fit for a terminal or a log."""

from __future__ import annotations

import unicodedata

_UNSAFE = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def character(char: str) -> str:
    """``char``, or its escape where it could move the cursor, reorder or hide text, or not be encoded:
    control and format characters (bidirectional overrides, zero-width ones), surrogates, line separators."""
    if unicodedata.category(char) not in _UNSAFE:
        return char
    if char in _NAMED:
        return _NAMED[char]
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def one_line(text: str) -> str:
    """``text`` on one line with nothing in it that a terminal would act on."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(character, text))


def path(text: str) -> str:
    """A path that may start a line: CI systems read ``::command`` and ``##[command]`` there."""
    shown = one_line(text)
    return f"./{shown}" if shown.startswith((":", "#")) else shown
